/* recs_row: the rows of the page of recommendations: an item each, with the rated items that contributed most to
 * its score.
 */
#include "serve/html/recs_row.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "serve/catalogue/words.h"
#include "serve/html/page.h"
#include "serve/html/poster.h"
#include "serve/html/rate_box.h"
#include "serve/model/account.h"
#include "trivet/base/text.h"

/* Rows that say why, and items that they name: explaining a score costs about as much as folding the user in, and
 * nobody reads further down. */
enum { EXPLAINED = 50, NAMED = 2 };

/* The address for reading about an item: its page at IMDb, the one its data name, else a search for its title.
 * Returns the name of that place, for the link. */
static const char *write_link(struct tv_out *url, const struct tv_words *words, const struct tv_item *item,
                              const char *title)
{
    if (item && item->imdb_id[0]) {
        tv_out_format(url, "https://www.imdb.com/title/%.20s/", item->imdb_id);
        return "IMDb";
    }
    if (item && item->url) {
        tv_out_text(url, item->url);
        return "Its page";
    }
    tv_out_text(url, words->search_url);
    tv_out_url(url, title);
    return words->search_name;
}

/* Titles often end with the year, "Alien (1979)", which stands in a place of its own; a title cut in the middle
 * ends in "...". */
const char *tv_recs_title(char *out, const struct tv_resident *s, int64_t item_id)
{
    char year[16], unknown[TV_CODE_MAX + 8];
    const size_t size = TV_RECS_TITLE;
    const struct tv_item *item = tv_items_find(&s->catalogue->items, item_id);
    const char *title = tv_resident_title(s, item_id, unknown, sizeof unknown);
    size_t n = strlen(title), n_year = (size_t)snprintf(year, sizeof year, " (%d)", item ? item->year : 0);
    if (n > n_year && strcmp(title + n - n_year, year) == 0)
        n -= n_year;
    return tv_text_mark_cut(out, size, snprintf(out, size, "%.*s", (int)n, title));
}

/* The names are one text divided by bars and not C strings, so each is escaped into a piece of its own. */
static void write_genres(struct tv_out *out, const struct tv_item *item)
{
    for (const char *at = item ? item->genres : ""; *at;) {
        size_t n = strcspn(at, "|");
        struct tv_out name;
        tv_out_init(&name);
        tv_out_html_part(&name, at, n);
        const struct tv_slot slots[] = {{"genre", NULL, &name}, {NULL, NULL, NULL}};
        tv_page_fill(out, "genre.html", slots);
        tv_out_free(&name);
        at += n + (at[n] == '|');
    }
}

/* Scores of popular items are numbers of ratings; predicted ratings are shown within their scale. */
static void write_score(char *out, size_t size, const struct tv_recs *recs, double score)
{
    char number[32];
    if (recs->ranking.reason == TV_REASON_POPULAR)
        snprintf(out, size, "%s", tv_text_number(number, (long long)score));
    else
        snprintf(out, size, "%.3f", tv_on_scale(&recs->resident->info, recs->ranking.score_kind, score));
}

/* --- why */

/* The rating from which on a user liked an item: the mean of their ratings. Of plays every one counts. */
static double liked_from(const struct tv_account *a, const struct tv_model_info *info)
{
    double sum = 0;
    for (size_t i = 0; i < a->n; i++)
        sum += (double)a->rated[i].rating;
    return info->counts || a->n == 0 ? 0 : sum / (double)a->n;
}

/* "Because you liked Alien and Brazil": the liked items that contributed most to the score, if any did. A low
 * rating may contribute, too, but nobody wants to hear that an item is there because they disliked another. */
static void write_because(struct tv_out *out, const struct tv_recs *recs, int32_t item)
{
    struct tv_account account = {0};
    char titles[NAMED][TV_RECS_TITLE];
    size_t n = 0;
    if (tv_account(&account, recs->resident, recs->user, item, NULL) != TV_OK)
        out->failed = 1;
    double liked = liked_from(&account, &recs->resident->info);
    for (size_t i = 0; i < account.n && n < NAMED && account.rated[i].contribution > 0; i++)
        if ((double)account.rated[i].rating >= liked)
            tv_recs_title(titles[n++], recs->resident, account.rated[i].item_id);
    if (n > 0) {
        const struct tv_slot slots[] = {{"because", tv_words_of(&recs->resident->info)->because, NULL},
                                        {"first", titles[0], NULL},
                                        {"and", n > 1 ? " and " : "", NULL},
                                        {"second", n > 1 ? titles[1] : "", NULL},
                                        {NULL, NULL, NULL}};
        tv_page_fill(out, "because.html", slots);
    }
    tv_account_free(&account);
}

/* --- a row */

/* The bar's width is the score's part of the best score; nothing where the best is not above 0. */
static void write_row(struct tv_out *out, const struct tv_recs *recs, size_t i)
{
    const struct tv_resident *s = recs->resident;
    const struct tv_scored *best = &recs->ranking.best[i];
    const struct tv_item *item = tv_resident_item(s, best->item);
    const int64_t id = s->item_ids[best->item];
    double first = recs->ranking.best[0].score, part = first > 0 ? fmax(0, best->score / first) : 0;
    char rank[24], title[TV_RECS_TITLE], year[16] = "", width[16], score[40], space[TV_ID_SPACE], rating[TV_RATING_TEXT];
    struct tv_out genres, url, poster, because, like, *parts[] = {&genres, &url, &poster, &because, &like};
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++)
        tv_out_init(parts[p]);
    tv_recs_title(title, s, id);
    tv_poster(&poster, title, id);
    write_genres(&genres, item);
    const char *site = write_link(&url, tv_words_of(&s->info), item, title);
    tv_out_text(&like, "/similar?item=");
    tv_out_url(&like, tv_id_item_text(s, id, space));
    if (s->dataset) /* the index may be of another data set than the model */
        tv_out_format(&like, "&dataset=%" PRId64, s->dataset);
    if (recs->user && recs->ranking.reason != TV_REASON_POPULAR && i < EXPLAINED)
        write_because(&because, recs, best->item);
    snprintf(rank, sizeof rank, "%zu", i + 1);
    snprintf(width, sizeof width, "%.1f%%", 100 * part);
    write_score(score, sizeof score, recs, best->score);
    if (item && item->year)
        snprintf(year, sizeof year, "%d", item->year);
    const struct tv_slot slots[] = {
        {"rank", rank, NULL},
        {"poster", NULL, &poster},
        {"item", tv_id_item_text(s, id, space), NULL},
        {"title", title, NULL},
        {"rating", tv_rating_text(rating, recs->user, id), NULL},
        {"year", year, NULL},
        {"genres", NULL, &genres},
        {"because", NULL, &because},
        {"width", width, NULL},
        {"url", tv_buffer_string(&url.buffer), NULL},
        {"like", tv_buffer_string(&like.buffer), NULL},
        {"score", score, NULL},
        {"site", site, NULL},
        {NULL, NULL, NULL}};
    tv_page_fill(out, "recs_row.html", slots);
    out->failed |= url.failed | like.failed;
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++)
        tv_out_free(parts[p]);
}

/* The ranking may lie in this thread's workspace, which explaining uses, too: it scores single items there, for
 * which there is room, and leaves the ranking alone. */
void tv_recs_rows(struct tv_out *out, const struct tv_recs *recs)
{
    for (size_t i = 0; i < recs->ranking.n; i++)
        write_row(out, recs, i);
}
