/* rate_box: the parts that pages for rating have in common. A page's scripts (serve/pages/rate.js) do the rating;
 * the box gives them the user and the scale.
 */
#include "serve/html/rate_box.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve/catalogue/words.h"
#include "serve/html/page.h"

/* Whether values are counts decides what scripts offer: one more play, or a value on the scale. Its ends are floats, as
 * ratings are, and told with as many digits as these need, so that the highest value is not one above the scale. */
void tv_rate_box(struct tv_out *out, const struct tv_resident *s, const struct tv_id *user)
{
    char low[TV_FLOAT_TEXT], high[TV_FLOAT_TEXT], step[TV_FLOAT_TEXT] = "";
    const struct tv_words *words = tv_words_of(&s->info);
    tv_float_text(low, (float)s->info.rate_low);
    tv_float_text(high, (float)s->info.rate_high);
    if (s->info.rate_step > 0)
        tv_float_text(step, (float)s->info.rate_step);
    const struct tv_slot slots[] = {{"user", user->text, NULL},
                                    {"low", low, NULL},
                                    {"high", high, NULL},
                                    {"step", step, NULL},
                                    {"counts", s->info.counts ? "1" : "0", NULL},
                                    {"did", words->rated_it, NULL},
                                    {"heading", words->rate_more, NULL},
                                    {NULL, NULL, NULL}};
    tv_page_fill(out, "rate_box.html", slots);
}

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Seven digits show a rating as people wrote it, 3.7 and not 3.7000000476837158. Counts of ten million and more have
 * more. */
const char *tv_rating_text(char *out, const struct tv_user_document *user, int64_t item_id)
{
    const int64_t *at = NULL;
    if (user && user->n_rated)
        at = bsearch(&item_id, user->rated, user->n_rated, sizeof *user->rated, by_id);
    out[0] = '\0';
    if (at && fabsf(user->ratings[at - user->rated]) >= 1e7F)
        tv_float_text(out, user->ratings[at - user->rated]);
    else if (at)
        snprintf(out, TV_RATING_TEXT, "%.7g", (double)user->ratings[at - user->rated]);
    return out;
}
