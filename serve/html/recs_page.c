/* recs_page: the page of one user's recommendations: the list with its reasons, the user's own best-rated items,
 * the form with filters, and the facts of the model. The list is the one that the JSON has (recs.h).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api/recs.h"
#include "serve/catalogue/words.h"
#include "serve/html/filter_form.h"
#include "serve/html/page.h"
#include "serve/html/rate_box.h"
#include "serve/html/recs_row.h"
#include "trivet/base/text.h"

enum { RATED_SHOWN = 15 };

/* --- what the user rated highest ------------------------------------------------------------------------ */

/* An item for the list of those rated highest, with the keys it is sorted by. */
struct rated {
    int64_t item_id, n_ratings;
    float rating;
};

/* Best first; among equals the items that more people know. */
static int by_rating(const void *a, const void *b)
{
    const struct rated *x = a, *y = b;
    if (x->rating != y->rating)
        return x->rating > y->rating ? -1 : 1;
    if (x->n_ratings != y->n_ratings)
        return x->n_ratings > y->n_ratings ? -1 : 1;
    return x->item_id < y->item_id ? -1 : x->item_id > y->item_id;
}

/* A count of plays, from 1 on, is written as a whole number with commas, a rating with three digits at the most. */
static void write_rated_row(struct tv_out *out, const struct tv_recs *recs, const struct rated *rated)
{
    char title[TV_RECS_TITLE], rating[TV_TEXT_FLOAT], value[TV_RATING_TEXT], label[48], year[16] = "", space[TV_ID_SPACE];
    const struct tv_words *words = tv_words_of(&recs->resident->info);
    const struct tv_item *item = tv_items_find(&recs->resident->catalogue->items, rated->item_id);
    if (recs->resident->info.counts && rated->rating >= 1 && rated->rating < 1e15F)
        tv_text_number(rating, llroundf(rated->rating));
    else
        tv_text_float(rating, rated->rating);
    snprintf(label, sizeof label, "%s %s", words->did, rating);
    if (item && item->year)
        snprintf(year, sizeof year, "%d", item->year);
    const struct tv_slot slots[] = {{"item", tv_id_item_text(recs->resident, rated->item_id, space), NULL},
                                    {"title", tv_recs_title(title, recs->resident, rated->item_id), NULL},
                                    {"value", tv_rating_text(value, recs->user, rated->item_id), NULL},
                                    {"year", year, NULL},
                                    {"kind", words->kind, NULL},
                                    {"label", label, NULL},
                                    {"rating", rating, NULL},
                                    {NULL, NULL, NULL}};
    tv_page_fill(out, "rated_row.html", slots);
}

/* All ratings are sorted for the fifteen that are shown; without memory the page fails as a whole. */
static void write_rated(struct tv_out *out, const struct tv_recs *recs)
{
    const struct tv_user_document *u = recs->user;
    size_t n = u ? u->n_rated : 0;
    struct rated *rated = n ? calloc(n, sizeof *rated) : NULL;
    struct tv_out rows;
    tv_out_init(&rows);
    if (n && rated == NULL)
        out->failed = 1;
    for (size_t i = 0; rated && i < n; i++) {
        const struct tv_item *item = tv_items_find(&recs->resident->catalogue->items, u->rated[i]);
        rated[i] = (struct rated){u->rated[i], item ? item->n_ratings : 0, u->ratings[i]};
    }
    if (rated) {
        qsort(rated, n, sizeof *rated, by_rating);
        for (size_t i = 0; i < n && i < RATED_SHOWN; i++)
            write_rated_row(&rows, recs, &rated[i]);
        const struct tv_slot slots[] = {
            {"heading", tv_words_of(&recs->resident->info)->best, NULL}, {"rows", NULL, &rows}, {NULL, NULL, NULL}};
        tv_page_fill(out, "rated.html", slots);
    }
    tv_out_free(&rows);
    free(rated);
}

/* --- the whole page ------------------------------------------------------------------------------------- */

/* The sentence under the heading says where the list comes from: only ratings of items the model holds count for
 * it. */
static void write_reason(char *out, size_t size, const struct tv_recs *recs)
{
    char n[32];
    const struct tv_user_document *u = recs->user;
    const struct tv_words *words = tv_words_of(&recs->resident->info);
    if (u == NULL)
        snprintf(out, size, "%s", words->stranger);
    else if (u->why)
        snprintf(out, size, "%s", words->no_place);
    else if (recs->ranking.reason == TV_REASON_POPULAR)
        snprintf(out, size, "%s", words->nothing_known);
    else
        snprintf(out, size, "%s%s%s", words->from, tv_text_number(n, (long long)u->n_seen),
                 u->n_seen == 1 ? words->from_one : words->from_many);
}

/* The small print: whether the model learned from this user, and how many of their ratings it knows nothing of. */
static void write_placed(char *out, size_t size, const struct tv_recs *recs)
{
    char rated[32];
    const struct tv_words *words = tv_words_of(&recs->resident->info);
    const struct tv_user_document *u = recs->user;
    size_t n = 0;
    out[0] = '\0';
    if (u && u->why)
        n = (size_t)snprintf(out, size, "No list of their own: %s. ", u->why);
    else if (recs->ranking.reason == TV_REASON_PERSONAL)
        n = (size_t)snprintf(out, size, "The model learned from this user. ");
    else if (recs->ranking.reason == TV_REASON_FOLDED_IN)
        n = (size_t)snprintf(out, size, "%s", words->folded_in);
    if (u && u->n_seen < u->n_rated)
        snprintf(out + n, size - n, "They %s %s titles in all; the model does not hold the others.", words->did,
                 tv_text_number(rated, (long long)u->n_rated));
}

/* The list's own model may be another than the live one, which the facts say; so the live one is asked for beside
 * it. */
void tv_recs_page(struct tv_models *models, const struct tv_request *request, struct tv_response *response,
                  const struct tv_recs *recs)
{
    struct tv_resident *live = tv_shelf_live(models->shelf);
    struct tv_out filters, form, removed, rows, box, rated, facts, content;
    char heading[TV_CODE_MAX + 16], reason[128], placed[192 + TV_USER_WHY];
    struct tv_out path, *parts[] = {&filters, &form, &removed, &rows, &box, &rated, &facts, &content, &path};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        tv_out_init(parts[i]);
    tv_recs_rows(&rows, recs);
    if (recs->ranking.n == 0)
        tv_filter_none(&rows, recs);
    tv_filter_removed(&removed, recs);
    write_rated(&rated, recs);
    if (recs->may_rate)
        tv_rate_box(&box, models, recs->resident, recs->id);
    tv_filter_form(&filters, request, recs->resident);
    tv_page_form(&form, models, request, &filters);
    tv_page_facts(&facts, recs->resident, live ? live->run_number : -1);
    snprintf(heading, sizeof heading, "For user %s", recs->id->text);
    tv_out_text(&path, "/api/v1/recs?user_id=");
    tv_out_url(&path, recs->id->text);
    tv_out_format(&path, "&top=%zu&model=%" PRId64, recs->ranking.n, recs->resident->run_number);
    write_reason(reason, sizeof reason, recs);
    write_placed(placed, sizeof placed, recs);
    const struct tv_slot slots[] = {{"heading", heading, NULL},
                                    {"reason", reason, NULL},
                                    {"placed", placed, NULL},
                                    {"removed", NULL, &removed},
                                    {"measure",
                                     recs->ranking.reason == TV_REASON_POPULAR
                                         ? tv_words_of(&recs->resident->info)->popularity
                                         : recs->ranking.score_kind,
                                     NULL},
                                    {"form", NULL, &form},
                                    {"rows", NULL, &rows},
                                    {"box", NULL, &box},
                                    {"rated", NULL, &rated},
                                    {"facts", NULL, &facts},
                                    {"json", tv_buffer_string(&path.buffer), NULL},
                                    {NULL, NULL, NULL}};
    tv_page_fill(&content, "recs.html", slots);
    tv_page_finish(response, heading, recs->resident, &content);
    response->scripts = 1;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        tv_out_free(parts[i]);
    tv_resident_release(live);
}
