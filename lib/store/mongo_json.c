/* mongo_json: JSON as the document that is stored of it, and whether two documents say the same. */
#include "lib/store/mongo_client.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/hash.h"
#include "trivet/store/mongo_document.h"

/* How long the whole number is that begins there, if it lies beyond 64 bits; else 0. */
static size_t too_large(const char *text)
{
    char *end;
    errno = 0;
    strtoll(text, &end, 10);
    return errno == ERANGE && *end != '.' && *end != 'e' && *end != 'E' ? (size_t)(end - text) : 0;
}

/* libbson takes a whole number modulo 2^64, and says nothing. So one beyond an int64 gets a decimal point, with
 * which it is read as a double. Texts in quotes are passed over; nothing is appended to `out` where all numbers are
 * fine. */
static enum tv_status mend_numbers(struct tv_buffer *out, const char *json, size_t n, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    size_t done = 0;
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        if (json[i] == '"') {
            for (i++; i < n && json[i] != '"'; i++)
                i += json[i] == '\\';
        } else if (isdigit((unsigned char)json[i])) {
            size_t digits = strspn(json + i, "0123456789.eE+-"), large = digits > 18 ? too_large(json + i) : 0;
            if (large > 0) {
                status = tv_buffer_append(out, json + done, i + large - done, err);
                done = i + large;
                if (status == TV_OK)
                    status = tv_buffer_text(out, ".0", err);
            }
            i += digits - 1;
        }
    }
    return status == TV_OK && done > 0 ? tv_buffer_append(out, json + done, n - done, err) : status;
}

enum tv_status tv_mongo_too_large(const bson_t *doc, struct tv_error *err)
{
    return tv_fail(err, TV_ERR_INPUT, "a document of %u bytes is larger than the %d that MongoDB takes", doc->len,
                   (int)TV_MONGO_LARGEST);
}

/* A mended text is longer by two bytes for each number that is, and such a number has 19 digits at least, so twice
 * the length is room enough. */
enum tv_status tv_mongo_read_json(bson_t **out, const char *json, size_t n, struct tv_error *err)
{
    bson_error_t e;
    struct tv_buffer mended = TV_BUFFER_INIT(2 * n + 64);
    enum tv_status status = mend_numbers(&mended, json, n, err);
    if (status != TV_OK)
        return status;
    const char *text = mended.size > 0 ? mended.data : json;
    *out = bson_new_from_json((const uint8_t *)text, (ssize_t)(mended.size > 0 ? mended.size : n), &e);
    tv_buffer_free(&mended);
    return *out ? TV_OK : tv_fail(err, TV_ERR_INPUT, "a document is no JSON: %s: %.80s", e.message, json);
}

static int is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return 0;
}

/* A sum of the fields' hashes, so that it does not matter in which order they stand: a change of one puts it last. */
static uint64_t hash_fields(const bson_t *doc, const char *const *but, size_t n)
{
    bson_iter_t it;
    uint64_t sum = 0;
    if (!bson_iter_init(&it, doc))
        return 0;
    while (bson_iter_next(&it)) /* from its type on, over its name, to the end of its value */
        if (!is_one_of(bson_iter_key(&it), but, n))
            sum += tv_hash_words(TV_HASH_START, it.raw + it.off, it.next_off - it.off);
    return sum;
}

uint64_t tv_mongo_doc_hash(const struct tv_mongo_doc *doc, const char *const *but, size_t n)
{
    return hash_fields(&doc->bson, but, n);
}

/* The size is judged as if the document were to be stored, so that a text that cannot be one has no hash. */
enum tv_status tv_mongo_json_hash(uint64_t *hash, const char *json, const char *const *but, size_t n,
                                  struct tv_error *err)
{
    bson_t *doc = NULL;
    enum tv_status status = tv_mongo_read_json(&doc, json, strlen(json), err);
    if (status != TV_OK)
        return status;
    if (doc->len > TV_MONGO_LARGEST)
        status = tv_mongo_too_large(doc, err);
    else
        *hash = hash_fields(doc, but, n);
    bson_destroy(doc);
    return status;
}
