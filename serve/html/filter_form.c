/* filter_form: filters on the page of recommendations. The form sends the parameters that item_filter.h reads, so a
 * page with a filter is an address that can be kept.
 */
#include "serve/html/filter_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "serve/catalogue/words.h"
#include "serve/html/page.h"
#include "serve/web/parameters.h"
#include "trivet/base/text.h"

enum { MOST_GENRES = 60 }; /* boxes of one kind; where a catalogue has more, the first are shown */

/* --- the fields ------------------------------------------------------------------------------------------- */

/* 1 if the request has this parameter with this value, also among several of the name. */
static int is_given(const struct tv_request *request, const char *name, const char *value)
{
    for (size_t i = 0; i < request->n_parameters; i++)
        if (strcmp(request->parameters[i].name, name) == 0 && strcmp(request->parameters[i].value, value) == 0)
            return 1;
    return 0;
}

/* A catalogue without genres gets nothing here, not even the legend. */
static void write_genres(struct tv_out *out, const struct tv_request *request, const struct tv_genres *genres,
                         const char *name, const char *legend)
{
    struct tv_out choices;
    tv_out_init(&choices);
    for (size_t i = 0; i < genres->n && i < MOST_GENRES; i++) {
        const struct tv_slot slots[] = {{"name", name, NULL},
                                        {"genre", genres->names[i], NULL},
                                        {"checked", is_given(request, name, genres->names[i]) ? "checked" : "", NULL},
                                        {NULL, NULL, NULL}};
        tv_page_fill(&choices, "filter_choice.html", slots);
    }
    const struct tv_slot slots[] = {{"legend", legend, NULL}, {"choices", NULL, &choices}, {NULL, NULL, NULL}};
    if (genres->n)
        tv_page_fill(out, "filter_genres.html", slots);
    tv_out_free(&choices);
}

static const char *field(const struct tv_request *request, const char *name)
{
    const char *value = tv_parameter(request, name);
    return value ? value : "";
}

/* The fields are folded away, unless one of them was filled in: a reader should see what narrows the list. */
void tv_filter_form(struct tv_out *out, const struct tv_request *request, const struct tv_resident *s)
{
    const struct tv_words *words = tv_words_of(&s->info);
    const char *names[] = {"year_from", "year_to", "min_count", "seen", "genre", "not_genre"};
    int open = 0;
    struct tv_out genres;
    tv_out_init(&genres);
    write_genres(&genres, request, &s->catalogue->genres, "genre", "Any of these genres");
    write_genres(&genres, request, &s->catalogue->genres, "not_genre", "None of these");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        open |= field(request, names[i])[0] != '\0';
    const struct tv_slot slots[] = {{"open", open ? "open" : "", NULL},
                                    {"year_from", field(request, "year_from"), NULL},
                                    {"year_to", field(request, "year_to"), NULL},
                                    {"at_least", words->at_least, NULL},
                                    {"min_count", field(request, "min_count"), NULL},
                                    {"seen", is_given(request, "seen", "include") ? "checked" : "", NULL},
                                    {"known_too", words->known_too, NULL},
                                    {"genres", NULL, &genres},
                                    {NULL, NULL, NULL}};
    tv_page_fill(out, "filters.html", slots);
    tv_out_free(&genres);
}

/* --- their effect ---------------------------------------------------------------------------------------- */

static const char *const filter_names[TV_REMOVALS] = {
    [TV_REMOVED_EXCLUDE] = "by id",         [TV_REMOVED_GENRE] = "by genre",
    [TV_REMOVED_NOT_GENRE] = "by an unwanted genre", [TV_REMOVED_YEAR] = "by year",
    [TV_REMOVED_MIN_COUNT] = "as too little known"};

/* Writes the address of the same list without filters. */
static void write_address(struct tv_out *out, const struct tv_recs *recs)
{
    tv_out_text(out, "/recs?user_id=");
    tv_out_url(out, recs->id->text);
    tv_out_format(out, "&model=%" PRId64, recs->resident->run_number);
}

/* The items that the user has seen are not told: they are left out of every list, filter or not. */
void tv_filter_removed(struct tv_out *out, const struct tv_recs *recs)
{
    char what[256] = "", n[32], eligible[32];
    size_t used = 0;
    if (recs->filter == NULL)
        return;
    for (int r = TV_REMOVED_EXCLUDE; r < TV_REMOVALS; r++)
        if (recs->ranking.counts[r] && used < sizeof what)
            used += (size_t)snprintf(what + used, sizeof what - used, "%s%s %s", used ? ", " : "",
                                     tv_text_number(n, (long long)recs->ranking.counts[r]), filter_names[r]);
    struct tv_out address;
    tv_out_init(&address);
    write_address(&address, recs);
    const struct tv_slot slots[] = {{"what", used ? what : "nothing", NULL},
                                    {"eligible", tv_text_number(eligible, (long long)recs->ranking.counts[TV_KEPT]), NULL},
                                    {"without", tv_buffer_string(&address.buffer), NULL},
                                    {NULL, NULL, NULL}};
    tv_page_fill(out, "removed.html", slots);
    tv_out_free(&address);
}

/* The filter that left out most of the items that were neither seen nor left out before it; TV_KEPT if none left
 * out any. */
static enum tv_removal strictest(const struct tv_recs *recs)
{
    enum tv_removal most = TV_KEPT;
    for (int r = TV_REMOVED_EXCLUDE; recs->filter && r < TV_REMOVALS; r++)
        if (recs->ranking.counts[r] > (most == TV_KEPT ? 0 : recs->ranking.counts[most]))
            most = (enum tv_removal)r;
    return most;
}

/* The hint loosens the filter that took most away, which need not be the only one. */
void tv_filter_none(struct tv_out *out, const struct tv_recs *recs)
{
    static const char *const hints[TV_REMOVALS] = {
        [TV_REMOVED_EXCLUDE] = "Exclude fewer.",
        [TV_REMOVED_GENRE] = "Add a genre, or take all of them out.",
        [TV_REMOVED_NOT_GENRE] = "Allow one of the unwanted genres.",
        [TV_REMOVED_YEAR] = "Widen the years.",
        [TV_REMOVED_MIN_COUNT] = "Ask for less known ones."};
    char why[160] = "Nothing is left to recommend: every item of this model has been rated.";
    enum tv_removal by = strictest(recs);
    if (by != TV_KEPT)
        snprintf(why, sizeof why, "The filters leave nothing: most items were left out %s.", filter_names[by]);
    const struct tv_slot slots[] = {{"why", why, NULL}, {"how", hints[by] ? hints[by] : "", NULL}, {NULL, NULL, NULL}};
    tv_page_fill(out, "recs_none.html", slots);
}
