/* item_filter: which items may be in a user's list. Handlers of lists (/recs, the older API's top) read the filter
 * from the request, resolve it for the resident model that the request is answered from, and hand it to
 * tv_recommend or tv_predict_top, which calls tv_item_filter_mark.
 */
#include "serve/model/item_filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "serve/model/ids.h"
#include "serve/web/parameters.h"
#include "trivet/base/text.h"

/* seen=include lets items in that the user has rated; without it, and with seen=exclude, they are left out. */
static int read_seen(struct tv_item_filter *f, const char *text, struct tv_problem *problem)
{
    f->include_seen = text && strcmp(text, "include") == 0;
    if (text == NULL || f->include_seen || strcmp(text, "exclude") == 0)
        return 1;
    return tv_problem_at(problem, 400, "seen", "seen is \"%.*s\", but must be include or exclude", tv_shown(text),
                         text);
}

/* The arrays have room for as many names as a request has parameters, so nothing is counted here. */
static void read_genres(struct tv_item_filter *f, const struct tv_request *request)
{
    for (size_t i = 0; i < request->n_parameters; i++) {
        const struct tv_parameter *p = &request->parameters[i];
        if (strcmp(p->name, "genre") == 0)
            f->genres[f->n_genres++] = p->value;
        else if (strcmp(p->name, "not_genre") == 0 || strcmp(p->name, "genre!") == 0)
            f->unwanted[f->n_unwanted++] = p->value;
    }
}

/* An empty field counts as absent: browsers send every field of a form, filled in or not. */
static int read_number(const struct tv_request *request, const struct tv_integer *rule, int64_t *value,
                       struct tv_problem *problem)
{
    const char *text = tv_parameter(request, rule->name);
    return text == NULL || *text == '\0' || tv_read_integer(text, rule, value, problem);
}

/* INT64_MIN and INT64_MAX stand for "no bound". Genres and ids are only kept here; they are looked up when the
 * model is known (tv_item_filter_resolve). */
int tv_item_filter_read(const struct tv_request *request, struct tv_item_filter *f,
                        struct tv_problem *problem)
{
    static const struct tv_integer from = {"year_from", 1, 9999}, to = {"year_to", 1, 9999},
                                   count = {"min_count", 0, INT64_MAX};
    f->year_from = INT64_MIN;
    f->year_to = INT64_MAX;
    f->min_count = 0;
    f->n_genres = f->n_unwanted = f->n_excluded = 0;
    f->excluded_ids = tv_parameter(request, "exclude");
    if (f->excluded_ids && *f->excluded_ids == '\0')
        f->excluded_ids = NULL;
    read_genres(f, request);
    if (!read_number(request, &from, &f->year_from, problem) ||
        !read_number(request, &to, &f->year_to, problem) ||
        !read_number(request, &count, &f->min_count, problem) ||
        !read_seen(f, tv_parameter(request, "seen"), problem))
        return 0;
    if (f->year_from > f->year_to) {
        return tv_problem_at(problem, 400, "year_from",
                             "year_from is %" PRId64 " and year_to is %" PRId64 ": no year lies between them",
                             f->year_from, f->year_to);
    }
    f->asked = f->n_genres || f->n_unwanted || f->excluded_ids || f->include_seen || f->min_count > 0 ||
               f->year_from != INT64_MIN || f->year_to != INT64_MAX;
    return 1;
}

/* A genre that no item has is refused, not passed over: a misspelt one would empty the list, or filter nothing,
 * without a word. */
static int find_genres(int32_t *places, const struct tv_genres *genres, const char *const *names, size_t n,
                       const char *parameter, struct tv_problem *problem)
{
    for (size_t i = 0; i < n; i++) {
        if ((places[i] = tv_genres_find(genres, names[i])) >= 0)
            continue;
        const char *nearest = tv_text_nearest(names[i], genres->names);
        tv_problem_at(problem, 400, parameter, "no item has the genre \"%.*s\"", tv_shown(names[i]), names[i]);
        if (nearest)
            tv_problem_hint(problem, "did you mean %s?", nearest);
        else if (genres->n == 0)
            tv_problem_hint(problem, "this catalogue tells no genres");
        else
            tv_list_names(problem->hint, sizeof problem->hint, "the genres are ", genres->names);
        return 0;
    }
    return 1;
}

/* Unlike an unknown genre, an unknown id is no mistake: one that no item has, or that the model does not hold,
 * is in none of its lists anyway. */
static int find_excluded(struct tv_item_filter *f, const struct tv_resident *s, struct tv_problem *problem)
{
    struct tv_id_list list = {.rest = f->excluded_ids, .most = TV_MAX_EXCLUDED};
    struct tv_id id;
    f->n_excluded = 0;
    while (tv_id_next(&list, "exclude", &id, problem)) {
        struct tv_problem found = {0};
        int known = tv_id_item(&id, s, &found);
        if (!known && found.status != 404) {
            *problem = found;
            return 0;
        }
        int32_t item = known ? tv_resident_dense(s, id.number) : -1;
        if (item >= 0)
            f->excluded[f->n_excluded++] = item;
    }
    return problem->status == 0;
}

int tv_item_filter_resolve(struct tv_item_filter *f, const struct tv_resident *s, struct tv_problem *problem)
{
    return find_genres(f->genre_places, &s->catalogue->genres, f->genres, f->n_genres, "genre", problem) &&
           find_genres(f->unwanted_places, &s->catalogue->genres, f->unwanted, f->n_unwanted, "not_genre", problem) &&
           find_excluded(f, s, problem);
}

/* An item that the catalogue does not have has no genres. */
static int has_one_of(const struct tv_genres *genres, int32_t place, const int32_t *wanted, size_t n)
{
    if (place < 0)
        return 0;
    for (size_t g = genres->at[place]; g < genres->at[place + 1]; g++)
        for (size_t i = 0; i < n; i++)
            if (genres->of[g] == wanted[i])
                return 1;
    return 0;
}

/* Whoever asks, and whatever is excluded: the first of the other filters, in the order of item_filter.h, that leaves it
 * out. An item whose year is not known passes no filter by year. */
static enum tv_removal judge(const struct tv_item_filter *f, const struct tv_resident *s, int32_t item)
{
    const struct tv_item *shown = tv_resident_item(s, item);
    int year = shown ? shown->year : 0;
    if (f->n_genres && !has_one_of(&s->catalogue->genres, s->place[item], f->genre_places, f->n_genres))
        return TV_REMOVED_GENRE;
    if (f->n_unwanted && has_one_of(&s->catalogue->genres, s->place[item], f->unwanted_places, f->n_unwanted))
        return TV_REMOVED_NOT_GENRE;
    if ((f->year_from != INT64_MIN || f->year_to != INT64_MAX) &&
        (year == 0 || year < f->year_from || year > f->year_to))
        return TV_REMOVED_YEAR;
    return (shown ? shown->n_ratings : 0) < f->min_count ? TV_REMOVED_MIN_COUNT : TV_KEPT;
}

/* 1 if `judged` is what this filter says of this model. */
static int is_judged(const struct tv_judged *j, const struct tv_item_filter *f, const struct tv_resident *s)
{
    return j->serial == s->serial && j->year_from == f->year_from && j->year_to == f->year_to && j->min_count == f->min_count &&
           j->n_genres == f->n_genres && j->n_unwanted == f->n_unwanted &&
           memcmp(j->genre_places, f->genre_places, f->n_genres * sizeof *f->genre_places) == 0 &&
           memcmp(j->unwanted_places, f->unwanted_places, f->n_unwanted * sizeof *f->unwanted_places) == 0;
}

static void judge_all(struct tv_judged *j, const struct tv_item_filter *f, const struct tv_resident *s)
{
    *j = (struct tv_judged){.serial = s->serial,
                            .year_from = f->year_from,
                            .year_to = f->year_to,
                            .min_count = f->min_count,
                            .n_genres = f->n_genres,
                            .n_unwanted = f->n_unwanted,
                            .marks = j->marks};
    memcpy(j->genre_places, f->genre_places, f->n_genres * sizeof *f->genre_places);
    memcpy(j->unwanted_places, f->unwanted_places, f->n_unwanted * sizeof *f->unwanted_places);
    for (int32_t i = 0; i < s->n_items; i++) {
        j->marks[i] = (uint8_t)judge(f, s, i);
        j->counts[j->marks[i]]++;
    }
}

static void change(uint8_t *marks, size_t *counts, const int32_t *items, size_t n, enum tv_removal why)
{
    for (size_t i = 0; i < n; i++) {
        counts[marks[items[i]]]--;
        marks[items[i]] = (uint8_t)why;
        counts[why]++;
    }
}

/* An item that is both seen and excluded counts as seen, so seen items are marked last. */
void tv_item_filter_mark(const struct tv_item_filter *f, const struct tv_resident *s,
                         const struct tv_user_document *user, struct tv_judged *judged, uint8_t *marks, size_t *counts)
{
    if (!is_judged(judged, f, s))
        judge_all(judged, f, s);
    memcpy(marks, judged->marks, (size_t)s->n_items);
    memcpy(counts, judged->counts, sizeof judged->counts);
    change(marks, counts, f->excluded, f->n_excluded, TV_REMOVED_EXCLUDE);
    if (user && !f->include_seen)
        change(marks, counts, user->seen, user->n_seen, TV_REMOVED_SEEN);
}

void tv_item_filter_json(struct tv_out *out, const size_t *counts)
{
    static const char *const names[TV_REMOVALS] = {
        [TV_REMOVED_SEEN] = "seen",   [TV_REMOVED_EXCLUDE] = "exclude",
        [TV_REMOVED_GENRE] = "genre", [TV_REMOVED_NOT_GENRE] = "not_genre",
        [TV_REMOVED_YEAR] = "year",   [TV_REMOVED_MIN_COUNT] = "min_count",
    };
    tv_out_key(out, "eligible");
    tv_out_int(out, (int64_t)counts[TV_KEPT]);
    tv_out_key(out, "removed");
    tv_out_text(out, "{");
    for (int i = TV_KEPT + 1; i < TV_REMOVALS; i++) {
        tv_out_key(out, names[i]);
        tv_out_int(out, (int64_t)counts[i]);
    }
    tv_out_text(out, "}");
}
