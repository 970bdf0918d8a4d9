/* rate_page: the page of a first visit: well-known items to rate. The items are chosen anew for each visit from the
 * live model's popular list and genres; nothing is random, so the page stays the same when it is loaded again.
 */
#include "serve/html/rate_page.h"

#include <stdio.h>

#include "serve/catalogue/words.h"
#include "serve/html/page.h"
#include "serve/html/poster.h"
#include "serve/html/rate_box.h"
#include "serve/html/recs_row.h"

enum {
    WANTED = 5,  /* ratings until the list is worth a look */
    SHOWN = 24,  /* items to rate */
    POOL = 150,  /* the most popular items, some of which a new user may know */
    GENRES = 256 /* that are told apart */
};

/* --- which items ------------------------------------------------------------------------------------------ */

/* Where an item's genres are among those of the catalogue; an item that it does not have has none. */
static void find_genres(const struct tv_resident *s, int32_t item, size_t *from, size_t *to)
{
    int32_t place = s->place[item];
    *from = place < 0 ? 0 : s->catalogue->genres.at[place];
    *to = place < 0 ? 0 : s->catalogue->genres.at[place + 1];
}

/* The number of times that the genres of an item were shown, on average; items without any are counted as one genre
 * of their own, the last. */
static double shown_so_far(const struct tv_resident *s, int32_t item, const int *shown)
{
    double sum = 0;
    size_t from, to;
    find_genres(s, item, &from, &to);
    if (from == to)
        return shown[GENRES];
    for (size_t g = from; g < to; g++)
        sum += shown[s->catalogue->genres.of[g] % GENRES];
    return sum / (double)(to - from);
}

static void count(const struct tv_resident *s, int32_t item, int *shown)
{
    size_t from, to;
    find_genres(s, item, &from, &to);
    shown[GENRES] += from == to;
    for (size_t g = from; g < to; g++)
        shown[s->catalogue->genres.of[g] % GENRES]++;
}

/* Popular items that differ: each time the one whose genres were shown least, the more popular one where that
 * leaves several. So five ratings tell of more than one taste. SHOWN * POOL steps for a page. Returns how many
 * there are. */
static int32_t choose(const struct tv_resident *s, int32_t *chosen)
{
    int shown[GENRES + 1] = {0}, taken[POOL] = {0};
    int32_t pool = s->n_items < POOL ? s->n_items : POOL, n = 0;
    for (; n < SHOWN && n < pool; n++) {
        int32_t best = -1;
        double least = 0;
        for (int32_t i = 0; i < pool; i++) {
            double so_far = taken[i] ? 0 : shown_so_far(s, s->popular[i], shown);
            if (!taken[i] && (best < 0 || so_far < least)) {
                best = i;
                least = so_far;
            }
        }
        taken[best] = 1;
        chosen[n] = s->popular[best];
        count(s, chosen[n], shown);
    }
    return n;
}

/* --- the page --------------------------------------------------------------------------------------------- */

/* One item to rate, with the rating it has already. */
static void write_card(struct tv_out *out, const struct tv_resident *s, const struct tv_user_document *user,
                       int32_t dense)
{
    const int64_t id = s->item_ids[dense];
    char title[TV_RECS_TITLE], year[16] = "", space[TV_ID_SPACE], rating[TV_RATING_TEXT];
    struct tv_out poster;
    tv_out_init(&poster);
    tv_recs_title(title, s, id);
    tv_poster(&poster, title, id);
    const struct tv_item *item = tv_resident_item(s, dense);
    if (item && item->year)
        snprintf(year, sizeof year, "%d", item->year);
    const struct tv_slot slots[] = {{"item", tv_id_item_text(s, id, space), NULL},
                                    {"title", title, NULL},
                                    {"rating", tv_rating_text(rating, user, id), NULL},
                                    {"poster", NULL, &poster},
                                    {"year", year, NULL},
                                    {NULL, NULL, NULL}};
    tv_page_fill(out, "rate_card.html", slots);
    tv_out_free(&poster);
}

/* What to do, the id to keep and the way to the list. The link is there from the beginning, and stands out once there are WANTED ratings. */
static void write_who(struct tv_out *out, const struct tv_words *words, const struct tv_id *id, size_t rated)
{
    char n[24], wanted[24];
    struct tv_out list;
    tv_out_init(&list);
    tv_out_text(&list, "/recs?user_id=");
    tv_out_url(&list, id->text);
    snprintf(n, sizeof n, "%zu", rated);
    snprintf(wanted, sizeof wanted, "%d", WANTED);
    tv_page_fill(out, "rate_who.html",
                 (const struct tv_slot[]){{"lead", words->rate_lead, NULL},
                                          {"user", id->text, NULL},
                                          {"n", n, NULL},
                                          {"wanted", wanted, NULL},
                                          {"quiet", rated < WANTED ? "quiet" : "", NULL},
                                          {"list", NULL, &list},
                                          {NULL, NULL, NULL}});
    tv_out_free(&list);
}

/* The user's earlier ratings are filled in. Where nothing can be rated the box says why, and nothing else is offered. */
void tv_rate_page(struct tv_models *models, struct tv_response *response, const struct tv_resident *s,
                  const struct tv_id *id, const struct tv_user_document *user)
{
    const struct tv_words *words = tv_words_of(&s->info);
    int32_t chosen[SHOWN], n_chosen = choose(s, chosen);
    struct tv_out cards, known, box, who, content, *parts[] = {&cards, &known, &box, &who, &content};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        tv_out_init(parts[i]);
    for (int32_t i = 0; i < n_chosen; i++)
        write_card(&cards, s, user, chosen[i]);
    if (tv_rate_box(&box, models, s, id)) {
        tv_page_fill(&known, "rate_cards.html", (const struct tv_slot[]){{"cards", NULL, &cards}, {NULL, NULL, NULL}});
        write_who(&who, words, id, user ? user->n_rated : 0);
    }
    const struct tv_slot slots[] = {{"heading", words->new_here, NULL},
                                    {"who", NULL, &who},
                                    {"known", NULL, &known},
                                    {"box", NULL, &box},
                                    {NULL, NULL, NULL}};
    tv_page_fill(&content, "rate_page.html", slots);
    tv_page_finish(response, words->new_here, s, &content);
    response->scripts = 1;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        tv_out_free(parts[i]);
}
