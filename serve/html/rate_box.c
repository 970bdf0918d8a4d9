/* rate_box: the parts that pages for rating have in common. A page's scripts (serve/pages/rate.js) do the rating;
 * the box gives them the user and the scale.
 */
#include "serve/html/rate_box.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve/catalogue/words.h"
#include "serve/follow/model_data.h"
#include "serve/html/page.h"

/* 1 if `s` is of another data set than the live model, which is asked for because only of that one is known what is loaded. */
static int is_of_other_data(struct tv_models *models, const struct tv_resident *s, char *what, size_t size)
{
    struct tv_resident *live = tv_shelf_live(models->shelf);
    int other = live && live->dataset && s->dataset && live->dataset != s->dataset;
    if (other)
        snprintf(what, size, "Model %" PRId64 " was made of another data set than model %" PRId64 ", which is live",
                 s->run_number, live->run_number);
    tv_resident_release(live);
    return other;
}

/* 1 and the reason in place of the box: ratings of this model's items are refused now. */
static int is_closed(struct tv_out *out, struct tv_models *models, const struct tv_resident *s)
{
    char what[768], hint[640];
    struct tv_model_data data;
    tv_data_board_look(models->data, s->run_number, &data);
    if (tv_model_data_is_away(&data)) {
        tv_model_data_say(&data, what, sizeof what, hint, sizeof hint);
        what[0] = 'M';
    } else if (is_of_other_data(models, s, what, sizeof what)) {
        snprintf(hint, sizeof hint, "trivet-train activate %" PRId64 " brings its data back", s->run_number);
    } else {
        return 0;
    }
    const struct tv_slot slots[] = {{"what", what, NULL}, {"hint", hint, NULL}, {NULL, NULL, NULL}};
    tv_page_fill(out, "rate_closed.html", slots);
    return 1;
}

int tv_rate_is_open(struct tv_models *models, const struct tv_resident *s)
{
    struct tv_out why;
    tv_out_init(&why);
    int closed = is_closed(&why, models, s);
    tv_out_free(&why);
    return !closed;
}

/* Whether values are counts decides what scripts offer: one more play, or a value on the scale. Its ends are floats, as
 * ratings are, and told with as many digits as these need, so that the highest value is not one above the scale. */
int tv_rate_box(struct tv_out *out, struct tv_models *models, const struct tv_resident *s, const struct tv_id *user)
{
    char model[24], low[TV_TEXT_FLOAT], high[TV_TEXT_FLOAT], step[TV_TEXT_FLOAT] = "";
    if (is_closed(out, models, s))
        return 0;
    const struct tv_words *words = tv_words_of(&s->info);
    tv_text_float(low, (float)s->info.rate_low);
    tv_text_float(high, (float)s->info.rate_high);
    if (s->info.rate_step > 0)
        tv_text_float(step, (float)s->info.rate_step);
    snprintf(model, sizeof model, "%" PRId64, s->run_number);
    const struct tv_slot slots[] = {{"user", user->text, NULL},
                                    {"model", model, NULL},
                                    {"low", low, NULL},
                                    {"high", high, NULL},
                                    {"step", step, NULL},
                                    {"counts", s->info.counts ? "1" : "0", NULL},
                                    {"did", words->rated_it, NULL},
                                    {"heading", words->rate_more, NULL},
                                    {NULL, NULL, NULL}};
    tv_page_fill(out, "rate_box.html", slots);
    return 1;
}

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* With as many digits as it needs, so that a page that sends the value again changes nothing. */
const char *tv_rating_text(char *out, const struct tv_user_document *user, int64_t item_id)
{
    const int64_t *at = NULL;
    if (user && user->n_rated)
        at = bsearch(&item_id, user->rated, user->n_rated, sizeof *user->rated, by_id);
    out[0] = '\0';
    if (at)
        tv_text_float(out, user->ratings[at - user->rated]);
    return out;
}
