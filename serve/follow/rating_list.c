/* rating_list: the body of a request that rates. Strict where a mistake would be written into the database, lenient
 * where JSON libraries differ: numbers may come as text.
 */
#include "serve/follow/rating_list.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/text.h"

/* Any JSON value is read here; whether it is a list or one rating is the caller's question. A name that comes twice
 * in an object is refused, because programs differ about which of the two counts (RFC 8259, 4). jansson itself
 * limits how deep JSON may be, and refuses NUL in texts. */
static json_t *load(const char *body, size_t size, struct tv_problem *problem)
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
    tv_problem_hint(problem, "[{\"movie_id\": 260, \"rating\": 4.5}, ...]");
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

/* A JSON number is taken as its plain form, so that 260 and "260" are the same id. */
static int read_item(const json_t *json, struct tv_id *id)
{
    char number[24];
    const char *text = json_string_value(json);
    if (json_is_integer(json)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        text = number;
    }
    if (text)
        tv_id_set(id, "movie_id", text);
    return text != NULL;
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

/* Appends one entry, or leaves the list as it was. */
static int read_entry(struct tv_rating_list *list, const json_t *json, const struct tv_resident *s,
                      struct tv_problem *problem)
{
    struct tv_id id;
    double value = 0;
    size_t entry = list->n;
    if (!json_is_object(json))
        return wrong_entry(problem, entry, "is no object with movie_id and rating");
    if (!read_item(json_object_get(json, "movie_id"), &id))
        return wrong_entry(problem, entry, "has no movie_id that is an id");
    if (!read_number(json_object_get(json, "rating"), &value))
        return wrong_entry(problem, entry, "has no rating that is a number");
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
            snprintf(what, sizeof what, "rates movie %s, which entry %zu rates",
                     s ? tv_id_item_text(s, places[i].item, space) : space, places[i - 1].entry + 1);
            wrong_entry(problem, places[i].entry, what);
            problem->status = 422;
            return 0;
        }
    return 1;
}

/* The list is checked whole before any of it is used. */
int tv_rating_list_read(struct tv_rating_list *list, const char *body, size_t size, const struct tv_resident *s,
                        struct tv_problem *problem)
{
    json_t *root = load(body, size, problem);
    size_t n = json_array_size(root);
    int ok = 0;
    list->n = 0;
    if (root == NULL)
        return 0;
    if (!json_is_array(root) || n == 0) {
        tv_problem(problem, 400, "the body is no list of ratings");
        tv_problem_hint(problem, "[{\"movie_id\": 260, \"rating\": 4.5}, ...]");
    } else if (n > TV_MAX_RATINGS) {
        tv_problem(problem, 413, "the list has %zu entries, at most %d are taken", n, TV_MAX_RATINGS);
        tv_problem_hint(problem, "send it in parts");
    } else {
        ok = 1;
        for (size_t i = 0; i < n && ok; i++)
            ok = read_entry(list, json_array_get(root, i), s, problem);
        ok = ok && has_no_duplicate(list, s, problem);
    }
    json_decref(root);
    return ok;
}

/* An entry of a list will do as well as the bare number; which item it is about stands in the address. */
int tv_rating_read(float *value, const char *body, size_t size, struct tv_problem *problem)
{
    json_t *root = load(body, size, problem);
    double read = 0;
    if (root == NULL)
        return 0;
    int ok = read_number(json_is_object(root) ? json_object_get(root, "rating") : root, &read);
    if (ok)
        *value = (float)read;
    else
        tv_problem(problem, 400, "the body is no rating: a number, or {\"rating\": number}");
    json_decref(root);
    return ok;
}
