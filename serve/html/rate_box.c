/* rate_box: the parts that pages for rating have in common. A page's scripts (serve/pages/rate.js) do the rating;
 * the box gives them the user and the scale.
 */
#include "serve/html/rate_box.h"

#include <stdio.h>
#include <stdlib.h>

#include "serve/catalogue/words.h"
#include "serve/html/page.h"

/* Whether values are counts decides how scripts ask for them: stars on a scale, or a number. */
void tv_rate_box(struct tv_out *out, const struct tv_resident *s, const struct tv_id *user)
{
    char low[32], high[32];
    const struct tv_words *words = tv_words_of(&s->info);
    snprintf(low, sizeof low, "%g", s->info.scale_low);
    snprintf(high, sizeof high, "%g", s->info.scale_high);
    const struct tv_slot slots[] = {{"user", user->text, NULL},
                                    {"low", low, NULL},
                                    {"high", high, NULL},
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

/* Seven digits show a rating as people wrote it, 3.7 and not 3.7000000476837158, and counts below ten million
 * whole. */
const char *tv_rating_text(char *out, const struct tv_user_document *user, int64_t item_id)
{
    const int64_t *at = NULL;
    if (user && user->n_rated)
        at = bsearch(&item_id, user->rated, user->n_rated, sizeof *user->rated, by_id);
    out[0] = '\0';
    if (at)
        snprintf(out, TV_RATING_TEXT, "%.7g", (double)user->ratings[at - user->rated]);
    return out;
}
