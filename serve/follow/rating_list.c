/* rating_list: the body of a request that rates, or that adds plays. Strict where a mistake would be written into the
 * database, so that no member is passed over; lenient where JSON libraries differ: numbers may come as text.
 */
#include "serve/follow/rating_list.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/web/parameters.h"
#include "trivet/base/text.h"

static const char of_ratings[] = "[{\"item_id\": 260, \"rating\": 4.5}, ...]",
                  of_plays[] = "[{\"item_id\": 260, \"count\": 2}, ...]; without a count it is one play";

/* Any JSON value is read here; whether it is a list or one rating is the caller's question. A name that comes twice
 * in an object is refused, because programs differ about which of the two counts (RFC 8259, 4). jansson itself
 * limits how deep JSON may be, and refuses NUL in texts. */
static json_t *load(const char *body, size_t size, const char *example, struct tv_problem *problem)
{
    json_error_t e;
    json_t *root = size ? json_loadb(body, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e) : NULL;
    if (root)
        return root;
    if (size == 0)
        tv_problem(problem, 400, "the request has no body");
    else
        tv_problem(problem, 400, "the body is not JSON: line %d, column %d: %s", e.line, e.column,
                   tv_text_is_utf8(e.text, strlen(e.text)) ? e.text : "it is not UTF-8");
    tv_problem_hint(problem, "%s", example);
    return NULL;
}

/* Entries are counted from 1, in the message and in problem->entry. */
static int wrong_entry(struct tv_problem *problem, size_t entry, const char *what)
{
    tv_problem(problem, 400, "entry %zu of the list %s", entry + 1, what);
    problem->entry = (int)entry + 1;
    return 0;
}

/* A number, or text that is one: 1 and *value. It is to be a float, and a double beyond a float's range would
 * become infinite. */
static int read_number(const json_t *json, double *value)
{
    const char *text = json_string_value(json);
    if (json_is_number(json))
        *value = json_number_value(json);
    else if (text == NULL || !tv_text_double(text, strlen(text), value))
        return 0;
    return isfinite((float)*value);
}

/* A whole number from 1 on, or text that is one. */
static int read_count(const json_t *json, double *value)
{
    const char *text = json_string_value(json);
    if (json_is_integer(json))
        *value = (double)json_integer_value(json);
    else if (text == NULL || !tv_text_double(text, strlen(text), value))
        return 0;
    return *value >= 1 && isfinite(*value) && floor(*value) == *value;
}

/* The id that a member of an entry has: 1, or 0 where it is none. A JSON number is taken as its plain form, so that
 * 260 and "260" are the same id; it is an integer of 64 bits all the way, as a double would round it. */
static int read_id(const json_t *json, const char *name, struct tv_id *id)
{
    char number[24];
    const char *text = json_string_value(json);
    if (json_is_integer(json)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        text = number;
    }
    if (text)
        tv_id_set(id, name, text);
    return text != NULL;
}

/* The first member of an object that has no meaning here, or NULL. A misspelt one, passed over, would leave a value to its
 * default: one play instead of thirty. */
static const char *unknown_member(const json_t *json, const char *const *known)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)json, name, value) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], name) != 0)
            i++;
        if (known[i] == NULL)
            return name;
    }
    return NULL;
}

/* 1 if all members of an object are known; otherwise 0 and a problem, that of an entry of the list (from 0; -1: of no list). */
static int knows_members(const json_t *json, const char *const *known, int entry, struct tv_problem *problem)
{
    char what[256];
    const char *name = unknown_member(json, known);
    if (name == NULL)
        return 1;
    snprintf(what, sizeof what, "has a member \"%.*s\", which means nothing here", tv_shown(name), name);
    if (entry >= 0)
        wrong_entry(problem, (size_t)entry, what);
    else
        tv_problem(problem, 400, "the body %s", what);
    const char *nearest = tv_text_nearest(name, known);
    if (nearest)
        tv_problem_hint(problem, "did you mean %s?", nearest);
    else
        tv_list_names(problem->hint, sizeof problem->hint, "the members are ", known);
    return 0;
}

/* item_id, or movie_id as older clients say: 1, or 0 and the entry's problem. Where both stand they are to agree. */
static int read_item(const json_t *json, size_t entry, struct tv_id *id, struct tv_problem *problem)
{
    const json_t *item = json_object_get(json, "item_id"), *movie = json_object_get(json, "movie_id");
    struct tv_id other;
    if (item && movie && read_id(item, "item_id", id) && read_id(movie, "movie_id", &other) &&
        strcmp(id->text, other.text) != 0)
        return wrong_entry(problem, entry, "has an item_id and a movie_id that differ, but are names of one thing");
    if ((item || movie) && (!item || read_id(item, "item_id", id)) && (!movie || read_id(movie, "movie_id", id)))
        return 1;
    return wrong_entry(problem, entry, "has no item_id (also called movie_id) that is an id");
}

/* An id that is no number is looked up in the resident catalogue. A problem with it becomes the entry's; an unknown
 * item is 422, as 404 would be about the address. */
static int find_item(struct tv_id *id, const struct tv_resident *s, size_t entry, struct tv_problem *problem)
{
    char why[sizeof problem->detail];
    int found = s ? tv_id_item(id, s, problem) : tv_id_number(id, problem);
    if (found || problem->status == 503)
        return found; /* 503 is about the server and not about the entry */
    int status = problem->status;
    snprintf(why, sizeof why, "cannot be taken: %.600s", problem->detail);
    wrong_entry(problem, entry, why);
    problem->status = status == 404 ? 422 : status;
    return 0;
}

/* What an entry has beside its item: 1 and *value, or 0 and the entry's problem. A play without a count is one. */
static int read_value(const json_t *json, int plays, size_t entry, double *value, struct tv_problem *problem)
{
    const json_t *count = json_object_get(json, "count");
    *value = 1;
    if (!plays && !read_number(json_object_get(json, "rating"), value))
        return wrong_entry(problem, entry, "has no rating that is a number");
    if (plays && count && !read_count(count, value))
        return wrong_entry(problem, entry, "has a count that is no whole number from 1 on");
    if (*value > TV_MAX_PLAYS && plays) {
        wrong_entry(problem, entry, "has a count above 16777216, the most that is counted exactly");
        problem->status = 422;
        return 0;
    }
    return 1;
}

/* Appends one entry, or leaves the list as it was. */
static int read_entry(struct tv_rating_list *list, const json_t *json, int plays, const struct tv_resident *s,
                      struct tv_problem *problem)
{
    static const char *const of_a_rating[] = {"item_id", "movie_id", "rating", NULL}, *const of_a_play[] = {"item_id", "movie_id", "count", NULL};
    struct tv_id id;
    double value = 0;
    size_t entry = list->n;
    if (!json_is_object(json))
        return wrong_entry(problem, entry, plays ? "is no object with item_id and perhaps count"
                                                 : "is no object with item_id and rating");
    if (plays && json_object_get(json, "rating"))
        return wrong_entry(problem, entry, "has a rating, but plays have a count, which is added to what stands");
    if (!knows_members(json, plays ? of_a_play : of_a_rating, (int)entry, problem))
        return 0;
    if (!read_item(json, entry, &id, problem) || !read_value(json, plays, entry, &value, problem))
        return 0;
    if (!find_item(&id, s, entry, problem))
        return 0;
    list->items[entry] = id.number;
    list->values[entry] = (float)value;
    list->n++;
    return 1;
}

/* An item with its place in the list, for finding duplicates by sorting. */
struct place {
    int64_t item;
    size_t entry;
};

static int by_item(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->item != y->item)
        return x->item < y->item ? -1 : 1;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* Two ratings of one item in one list contradict each other, or say the same twice; which of them is meant cannot
 * be told. O(n log n), as a list may have a thousand entries. */
static int has_no_duplicate(const struct tv_rating_list *list, const struct tv_resident *s, struct tv_problem *problem)
{
    struct place places[TV_MAX_RATINGS];
    char what[TV_CODE_MAX + 96], space[TV_ID_SPACE];
    for (size_t i = 0; i < list->n; i++)
        places[i] = (struct place){list->items[i], i};
    qsort(places, list->n, sizeof *places, by_item);
    for (size_t i = 1; i < list->n; i++)
        if (places[i].item == places[i - 1].item) {
            snprintf(space, sizeof space, "%" PRId64, places[i].item);
            snprintf(what, sizeof what, "rates item %s, which entry %zu rates",
                     s ? tv_id_item_text(s, places[i].item, space) : space, places[i - 1].entry + 1);
            wrong_entry(problem, places[i].entry, what);
            problem->status = 422;
            return 0;
        }
    return 1;
}

/* The list is checked whole before any of it is used. An item may be played twice in it. */
static int read_list(struct tv_rating_list *list, const json_t *root, int plays, const struct tv_resident *s,
                     struct tv_problem *problem)
{
    size_t n = json_array_size(root);
    int ok = 1;
    if (!json_is_array(root) || n == 0) {
        tv_problem(problem, 400, "the body is no list of %s", plays ? "plays" : "ratings");
        tv_problem_hint(problem, "%s", plays ? of_plays : of_ratings);
        return 0;
    }
    if (n > TV_MAX_RATINGS) {
        tv_problem(problem, 413, "the list has %zu entries, at most %d are taken", n, TV_MAX_RATINGS);
        tv_problem_hint(problem, "send it in parts");
        return 0;
    }
    for (size_t i = 0; i < n && ok; i++)
        ok = read_entry(list, json_array_get(root, i), plays, s, problem);
    return ok && (plays || has_no_duplicate(list, s, problem));
}

static int read_body(struct tv_rating_list *list, const char *body, size_t size, int plays, const struct tv_resident *s,
                     struct tv_problem *problem)
{
    json_t *root = load(body, size, plays ? of_plays : of_ratings, problem);
    list->n = 0;
    int ok = root && read_list(list, root, plays, s, problem);
    json_decref(root);
    return ok;
}

int tv_rating_list_read(struct tv_rating_list *list, const char *body, size_t size, const struct tv_resident *s,
                        struct tv_problem *problem)
{
    return read_body(list, body, size, 0, s, problem);
}

int tv_play_list_read(struct tv_rating_list *list, const char *body, size_t size, const struct tv_resident *s,
                      struct tv_problem *problem)
{
    return read_body(list, body, size, 1, s, problem);
}

/* An object may name its item, as an entry of a list does: then it is to be that of the address. */
static int is_about(const json_t *json, int64_t item, const struct tv_resident *s, struct tv_problem *problem)
{
    static const char *const known[] = {"item_id", "movie_id", "rating", NULL};
    struct tv_id id;
    if (!knows_members(json, known, -1, problem))
        return 0;
    if (!json_object_get(json, "item_id") && !json_object_get(json, "movie_id"))
        return 1;
    if (!read_item(json, 0, &id, problem) || !find_item(&id, s, 0, problem))
        return 0;
    if (id.number != item)
        tv_problem(problem, 400, "the body is about item %s, and the address about another one", id.text);
    return id.number == item;
}

int tv_rating_read(float *value, const char *body, size_t size, int64_t item, const struct tv_resident *s,
                   struct tv_problem *problem)
{
    json_t *root = load(body, size, "a number, or {\"rating\": 4.5}", problem);
    double read = 0;
    if (root == NULL)
        return 0;
    int ok = !json_is_object(root) || is_about(root, item, s, problem);
    if (ok && !read_number(json_is_object(root) ? json_object_get(root, "rating") : root, &read)) {
        tv_problem(problem, 400, "the body is no rating: a number, or {\"rating\": number}");
        ok = 0;
    }
    if (ok)
        *value = (float)read;
    json_decref(root);
    return ok;
}
