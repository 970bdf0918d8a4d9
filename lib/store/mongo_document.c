/* mongo_document: the fields of a document, and documents as JSON. A field of another type than the one asked for
 * counts as missing, because people and other programs write documents, too: no reader stumbles over one.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/store/mongo_client.h"
#include "trivet/base/text.h"
#include "trivet/store/mongo_document.h"

enum { DEEPEST = 100 }; /* levels of a document that are looked into, as deep as MongoDB stores them */

struct tv_mongo_doc *tv_mongo_copy_doc(const bson_t *bson, struct tv_error *err)
{
    struct tv_mongo_doc *doc = tv_mongo_alloc(sizeof *doc, "a document", err);
    if (doc)
        bson_copy_to(bson, &doc->bson);
    return doc;
}

/* For a document that travels as a file: an imported model's description is read by the same functions as a stored
 * one. */
enum tv_status tv_mongo_doc_from_json(struct tv_mongo_doc **out, const char *json, struct tv_error *err)
{
    bson_error_t e;
    bson_t *bson = bson_new_from_json((const uint8_t *)json, -1, &e);
    if (bson == NULL)
        return tv_fail(err, TV_ERR_INPUT, "a document is no JSON: %s: %.80s", e.message, json);
    *out = tv_mongo_copy_doc(bson, err);
    bson_destroy(bson);
    return *out ? TV_OK : TV_ERR_NO_MEMORY;
}

/* libbson looks from the beginning of the document on; documents here have some ten fields. */
static int find_field(const struct tv_mongo_doc *doc, const char *name, bson_iter_t *it)
{
    return doc && bson_iter_init_find(it, &doc->bson, name);
}

int tv_mongo_doc_has(const struct tv_mongo_doc *doc, const char *name)
{
    bson_iter_t it;
    return find_field(doc, name, &it);
}

/* Of either width: trivet writes both. */
int tv_mongo_doc_int(const struct tv_mongo_doc *doc, const char *name, int64_t *value)
{
    bson_iter_t it;
    if (!find_field(doc, name, &it) || !(BSON_ITER_HOLDS_INT32(&it) || BSON_ITER_HOLDS_INT64(&it)))
        return 0;
    *value = bson_iter_as_int64(&it);
    return 1;
}

int tv_mongo_doc_real(const struct tv_mongo_doc *doc, const char *name, double *value)
{
    bson_iter_t it;
    if (!find_field(doc, name, &it) || !BSON_ITER_HOLDS_NUMBER(&it))
        return 0;
    *value = bson_iter_as_double(&it);
    return 1;
}

int tv_mongo_doc_text(const struct tv_mongo_doc *doc, const char *name, const char **value)
{
    bson_iter_t it;
    if (!find_field(doc, name, &it) || !BSON_ITER_HOLDS_UTF8(&it))
        return 0;
    *value = bson_iter_utf8(&it, NULL);
    return 1;
}

int tv_mongo_doc_bytes(const struct tv_mongo_doc *doc, const char *name, const void **bytes, size_t *n)
{
    bson_iter_t it;
    bson_subtype_t subtype;
    uint32_t length;
    const uint8_t *data;
    if (!find_field(doc, name, &it) || !BSON_ITER_HOLDS_BINARY(&it))
        return 0;
    bson_iter_binary(&it, &subtype, &length, &data);
    *bytes = data;
    *n = length;
    return 1;
}

/* An array is walked from its beginning, so a long one is not the place to ask for each element in turn. */
int tv_mongo_doc_text_at(const struct tv_mongo_doc *doc, const char *name, size_t i, const char **value)
{
    bson_iter_t it, element;
    if (!find_field(doc, name, &it) || !BSON_ITER_HOLDS_ARRAY(&it) || !bson_iter_recurse(&it, &element))
        return 0;
    for (size_t at = 0; at <= i; at++)
        if (!bson_iter_next(&element))
            return 0;
    if (!BSON_ITER_HOLDS_UTF8(&element))
        return 0;
    *value = bson_iter_utf8(&element, NULL);
    return 1;
}

/* A pair is read where it stands, without a copy of it. */
static int read_pair(const bson_iter_t *element, const char *const *names, struct tv_pair *pair)
{
    struct tv_mongo_doc inner;
    uint32_t length;
    const uint8_t *data;
    if (!BSON_ITER_HOLDS_DOCUMENT(element))
        return 0;
    bson_iter_document(element, &length, &data);
    return bson_init_static(&inner.bson, data, length) && tv_mongo_doc_int(&inner, names[0], &pair->integer) &&
           tv_mongo_doc_real(&inner, names[1], &pair->real);
}

/* Elements are counted first, so that memory is asked for once. */
int tv_mongo_doc_pairs(const struct tv_mongo_doc *doc, const char *name, const char *const *pair_names,
                       struct tv_pair **pairs, size_t *n)
{
    bson_iter_t it, element;
    size_t length = 0;
    if (!find_field(doc, name, &it) || !BSON_ITER_HOLDS_ARRAY(&it) || !bson_iter_recurse(&it, &element))
        return 0;
    while (bson_iter_next(&element))
        length++;
    *pairs = length ? calloc(length, sizeof **pairs) : NULL;
    *n = 0;
    bson_iter_recurse(&it, &element);
    while (*pairs && bson_iter_next(&element) && read_pair(&element, pair_names, &(*pairs)[*n]))
        ++*n;
    if (*n == length)
        return 1;
    free(*pairs);
    *pairs = NULL;
    *n = 0;
    return 0;
}

/* Puts a question mark in place of each byte of a text that is no UTF-8. */
static void mend_text(char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((i += tv_text_utf8_prefix(text + i, n - i)) < n)
            text[i] = '?';
}

/* Does the same for all names and texts in a document, in place: its length does not change, so neither does any
 * length in it. */
static void mend(bson_iter_t *it, int depth)
{
    bson_iter_t inner;
    uint32_t n = 0;
    while (depth < DEEPEST && bson_iter_next(it)) {
        mend_text((char *)bson_iter_key(it), strlen(bson_iter_key(it)));
        if (BSON_ITER_HOLDS_UTF8(it)) {
            char *text = (char *)bson_iter_utf8(it, &n);
            mend_text(text, n);
        } else if (bson_iter_recurse(it, &inner)) {
            mend(&inner, depth + 1);
        }
    }
}

/* The text is copied, because libbson's memory takes bson_free and the caller uses free. */
static char *write_json(const bson_t *bson, int is_array)
{
    size_t n;
    char *text = is_array ? bson_array_as_json(bson, &n) : bson_as_relaxed_extended_json(bson, &n);
    char *copy = text ? strdup(text) : NULL;
    bson_free(text);
    return copy;
}

/* MongoDB stores texts that are no UTF-8, of which libbson makes no JSON. One such text must not hide the rest, so
 * it is mended in a copy. */
static char *as_json(const bson_t *bson, int is_array)
{
    bson_iter_t it;
    char *text = write_json(bson, is_array);
    bson_t *copy = text ? NULL : bson_copy(bson);
    if (copy && bson_iter_init(&it, copy)) {
        mend(&it, 0);
        text = write_json(copy, is_array);
    }
    bson_destroy(copy);
    return text;
}

/* Only objects and arrays are asked for here; a plain value counts as not there. */
char *tv_mongo_doc_json(const struct tv_mongo_doc *doc, const char *name)
{
    if (name == NULL)
        return doc ? as_json(&doc->bson, 0) : NULL;
    bson_iter_t it;
    const uint8_t *data;
    uint32_t length;
    bson_t inner;
    if (!find_field(doc, name, &it))
        return NULL;
    if (BSON_ITER_HOLDS_DOCUMENT(&it))
        bson_iter_document(&it, &length, &data);
    else if (BSON_ITER_HOLDS_ARRAY(&it))
        bson_iter_array(&it, &length, &data);
    else
        return NULL;
    return bson_init_static(&inner, data, length) ? as_json(&inner, BSON_ITER_HOLDS_ARRAY(&it)) : NULL;
}

void tv_mongo_doc_free(struct tv_mongo_doc *doc)
{
    if (doc == NULL)
        return;
    bson_destroy(&doc->bson);
    free(doc);
}
