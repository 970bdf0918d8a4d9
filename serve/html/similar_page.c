/* similar_page: the page /similar: an item's neighbours, or a search for the item. similar.c has read the question and
 * found the neighbours; here they become HTML. The page runs no scripts: every choice on it is a link or a form, so
 * each of its states has an address.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "serve/api/similar.h"
#include "serve/html/page.h"
#include "serve/web/parameters.h"
#include "trivet/base/text.h"
#include "trivet/core/sets/minhash.h"

enum { MAX_FOUND = 20, MAX_QUERY = 200 };

/* Writes the address of an item's own neighbours, with this page's `top`, and in the way that `by` and `exact` say. */
static void write_address(struct tv_out *out, const struct tv_resident *s, int64_t item,
                          const struct tv_similar_question *q, enum tv_similar_by by, int exact)
{
    char space[TV_ID_SPACE];
    tv_out_text(out, "/similar?item=");
    tv_out_url(out, tv_id_item_text(s, item, space));
    tv_out_format(out, "&top=%" PRId64 "&by=%s%s", q->top, by == TV_BY_AUDIENCE ? "audience" : "factors",
                  exact ? "&exact=1" : "");
    if (s->dataset)
        tv_out_format(out, "&dataset=%" PRId64, s->dataset);
}

/* Writes how near a neighbour is. What stands in brackets is what the share is of: an estimate, which has a standard error, is of
 * the values of a signature, and a counted similarity of the users of either item. */
static void write_measure(char *out, size_t size, const struct tv_similar_question *q,
                          const struct tv_neighbours *found, const struct tv_neighbour *n)
{
    char common[32], either[64];
    if (q->by == TV_BY_FACTORS)
        snprintf(out, size, "%.3f", n->score);
    else if (q->exact)
        snprintf(out, size, "%.1f %% (%s of %s)", 100 * n->jaccard, tv_text_number(common, n->common),
                 tv_text_count(either, n->either, "user"));
    else
        snprintf(out, size, "%.1f ± %.1f %% (%d of %d values)", 100 * n->score,
                 100 * tv_minhash_standard_error(n->score, found->size), n->shared, found->size);
}

/* The bar is as long as the true similarity where there is one, else as the score; a cosine below 0 has none. */
static void write_row(struct tv_out *out, const struct tv_resident *s, const struct tv_similar_question *q,
                      const struct tv_neighbours *found, size_t i)
{
    const struct tv_neighbour *n = &found->items[i];
    char rank[24], width[16], measure[128], unknown[TV_CODE_MAX + 8];
    double part = isnan(n->jaccard) ? n->score : n->jaccard;
    struct tv_out address;
    tv_out_init(&address);
    write_address(&address, s, n->item, q, q->by, q->exact);
    snprintf(rank, sizeof rank, "%zu", i + 1);
    snprintf(width, sizeof width, "%.1f%%", 100 * fmin(1, fmax(0, part)));
    write_measure(measure, sizeof measure, q, found, n);
    const struct tv_slot slots[] = {{"rank", rank, NULL},
                                    {"address", tv_buffer_string(&address.buffer), NULL},
                                    {"title", tv_resident_title(s, n->item, unknown, sizeof unknown), NULL},
                                    {"width", width, NULL},
                                    {"measure", measure, NULL},
                                    {NULL, NULL, NULL}};
    tv_page_fill(out, "similar_row.html", slots);
    out->failed |= address.failed;
    tv_out_free(&address);
}

/* Writes the sentence that says what the list is ordered by. By audience only items that share a value of the signature
 * are found, so it says that others may be missing; and where not all of these were counted, of which ones the list is. */
static void write_explanation(char *out, size_t size, const struct tv_similar_question *q,
                              const struct tv_neighbours *found)
{
    char number[32], counted[32], which[120] = "estimated";
    if (q->by == TV_BY_FACTORS) {
        snprintf(out, size, "by the cosine of their factors in the model");
        return;
    }
    if (q->exact)
        snprintf(which, sizeof which, "counted");
    if (q->exact && found->counted < found->sharing)
        snprintf(which, sizeof which, "counted for the %s that share most values of its signature",
                 tv_text_number(counted, (long long)found->counted));
    snprintf(out, size,
             "by how much the audiences overlap, %s, of the %s items that share a value of the signature; smaller "
             "overlaps may leave no trace in it",
             which, tv_text_number(number, (long long)found->sharing));
}

/* Writes of which ratings the index is made, a sentence without its full stop, or "" where that is not known: whose audience an item
 * has depends on it. */
static void write_made(char *out, size_t size, const struct tv_resident *s, const struct tv_neighbours *found)
{
    const struct tv_similar_made *made = &found->made;
    const char *values = s->info.counts ? "counts of plays" : "ratings";
    char what[sizeof made->source + 256];
    out[0] = '\0';
    if (made->source[0] == '\0')
        return;
    if (made->own)
        snprintf(what, sizeof what, "the rows of %s", made->source);
    else
        snprintf(what, sizeof what, "%s%s%s%s%s%s", made->min_rating[0] ? "" : "all ", values, made->min_rating[0] ? " of at least " : "",
                 made->min_rating, made->since[0] ? " given since " : "", made->since);
    snprintf(out, size, "Audiences are of the data set %s, made of %s", made->data[0] ? made->data : "without a name", what);
}

/* Writes links to the other ways to ask for the same item: all but the one that this page shows, and by factors only where
 * the model is of the same data set. */
static void write_ways(struct tv_out *out, const struct tv_resident *s, const struct tv_similar_question *q)
{
    static const struct {
        enum tv_similar_by by;
        int exact;
        const char *name;
    } ways[] = {{TV_BY_AUDIENCE, 0, "by audience, estimated"},
                {TV_BY_AUDIENCE, 1, "by audience, counted"},
                {TV_BY_FACTORS, 0, "by factors"}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct tv_out address;
        if ((ways[i].by == q->by && ways[i].exact == q->exact) || (ways[i].by == TV_BY_FACTORS && s->run_number == 0))
            continue;
        tv_out_init(&address);
        write_address(&address, s, q->item.number, q, ways[i].by, ways[i].exact);
        const struct tv_slot slots[] = {
            {"address", tv_buffer_string(&address.buffer), NULL}, {"name", ways[i].name, NULL}, {NULL, NULL, NULL}};
        tv_page_fill(out, "similar_way.html", slots);
        tv_out_free(&address);
    }
}

/* Writes the address of the same answer as JSON. It always says by=..., because the two addresses have different
 * defaults. */
static void write_json_address(struct tv_out *out, const struct tv_resident *s, const struct tv_similar_question *q)
{
    tv_out_text(out, "/api/v1/items/");
    tv_out_url(out, q->item.text);
    tv_out_format(out, "/similar?top=%" PRId64 "&by=%s%s", q->top, q->by == TV_BY_AUDIENCE ? "audience" : "factors",
                  q->exact ? "&exact=1" : "");
    if (s->dataset)
        tv_out_format(out, "&dataset=%" PRId64, s->dataset);
}

/* Writes the list with what stands around it. A list without rows says so in words. */
static void write_list(struct tv_out *out, const struct tv_resident *s, const struct tv_similar_question *q,
                       const struct tv_neighbours *found)
{
    char explanation[400], made[3072] = "";
    struct tv_out rows, ways, json;
    tv_out_init(&rows);
    tv_out_init(&ways);
    tv_out_init(&json);
    for (size_t i = 0; i < found->n; i++)
        write_row(&rows, s, q, found, i);
    if (found->n == 0)
        tv_out_text(&rows, "<li class=\"none\">No other item has anything in common with it.</li>\n");
    write_ways(&ways, s, q);
    write_json_address(&json, s, q);
    write_explanation(explanation, sizeof explanation, q, found);
    if (q->by == TV_BY_AUDIENCE)
        write_made(made, sizeof made, s, found);
    const struct tv_slot slots[] = {{"explanation", explanation, NULL},
                                    {"made", made, NULL},
                                    {"rows", NULL, &rows},
                                    {"ways", NULL, &ways},
                                    {"json", tv_buffer_string(&json.buffer), NULL},
                                    {NULL, NULL, NULL}};
    tv_page_fill(out, "similar_list.html", slots);
    out->failed |= rows.failed | ways.failed | json.failed;
    tv_out_free(&rows);
    tv_out_free(&ways);
    tv_out_free(&json);
}

/* Writes the items whose titles have the words of ?q=, each with a link to its neighbours. A query that folds to
 * nothing finds nothing; unlike /api/v1/items the page calls that no error. */
static void write_found(struct tv_out *out, const struct tv_resident *s, const struct tv_similar_question *q,
                        const char *query)
{
    const struct tv_item *best[MAX_FOUND];
    struct tv_buffer folded = TV_BUFFER_INIT(64 * MAX_QUERY);
    size_t n = 0, found = 0;
    if (strlen(query) <= MAX_QUERY && tv_title_fold(&folded, query, NULL) == TV_OK && folded.size > 0)
        n = tv_title_search(&s->catalogue->titles, &s->catalogue->items, tv_buffer_string(&folded), best, MAX_FOUND, &found);
    for (size_t i = 0; i < n; i++) {
        struct tv_out address;
        tv_out_init(&address);
        write_address(&address, s, best[i]->id, q, q->by, q->exact);
        const struct tv_slot slots[] = {
            {"address", tv_buffer_string(&address.buffer), NULL}, {"name", best[i]->title, NULL}, {NULL, NULL, NULL}};
        tv_page_fill(out, "similar_way.html", slots);
        tv_out_free(&address);
    }
    if (n == 0)
        tv_out_text(out, "<li class=\"none\">No title has these words.</li>\n");
    tv_buffer_free(&folded);
}

/* Readers are told that the index is out of date, whoever runs the server is told what to do. */
static void write_notice(struct tv_out *out, const char *data)
{
    const struct tv_slot slots[] = {{"what", data, NULL}, {NULL, NULL, NULL}};
    tv_page_fill(out, "similar_notice.html", slots);
}

/* The field for a search is on the page with and without an item; without one (`found` is NULL) there is no list. */
void tv_similar_page(const struct tv_request *request, struct tv_response *response, const struct tv_resident *s,
                     const struct tv_similar_question *q, const struct tv_neighbours *found, const char *data)
{
    char unknown[TV_CODE_MAX + 8], heading[512] = "Similar items", top[24];
    const char *query = tv_parameter(request, "q");
    struct tv_out content, titles, list, notice;
    tv_out_init(&content);
    tv_out_init(&notice);
    if (data[0])
        write_notice(&notice, data);
    tv_out_init(&titles);
    tv_out_init(&list);
    if (found)
        tv_text_mark_cut(heading, sizeof heading,
                         snprintf(heading, sizeof heading, "Similar to %s",
                                  tv_resident_title(s, q->item.number, unknown, sizeof unknown)));
    if (query && query[0])
        write_found(&titles, s, q, query);
    if (found)
        write_list(&list, s, q, found);
    snprintf(top, sizeof top, "%" PRId64, q->top);
    const struct tv_slot slots[] = {{"heading", heading, NULL}, {"notice", NULL, &notice}, {"query", query ? query : "", NULL},
                                    {"titles", NULL, &titles},  {"top", top, NULL},
                                    {"list", NULL, &list},      {NULL, NULL, NULL}};
    tv_page_fill(&content, "similar.html", slots);
    content.failed |= titles.failed | list.failed | notice.failed;
    tv_page_finish(response, heading, s, &content);
    tv_out_free(&content);
    tv_out_free(&notice);
    tv_out_free(&titles);
    tv_out_free(&list);
}
