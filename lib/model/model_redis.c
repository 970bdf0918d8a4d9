/* model_redis: a model's item side in Redis, and the switch.
 *
 * Keys of model N: the hash trivet:model:{N}, and behind that name :item_factors:<p>, :item_ids:<p> and
 * :singular_values. The braces are literal: a cluster keeps them together.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/model_parts.h"
#include "trivet/base/log.h"
#include "trivet/core/formats/codec.h"
#include "trivet/model/model_mongo.h"
#include "trivet/model/model_redis.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/redis_keys.h"

/* Bytes of a key's name; a part holds at most so many items, and so many bytes of factors. */
enum { KEY = 96, PART_ITEMS = 65536, PART_BYTES = 64 << 20 };
#define MAX_VALUE ((size_t)512 << 20) /* a Redis string ends there */
#define MAX_NUMBER 1e15 /* no field of the hash is so large, and every whole number below fits an int64 */

static char *key(char *out, int64_t run_number, const char *suffix)
{
    snprintf(out, KEY, "trivet:model:{%" PRId64 "}%s", run_number, suffix);
    return out;
}

static char *part_key(char *out, int64_t run_number, const char *what, int part)
{
    snprintf(out, KEY, "trivet:model:{%" PRId64 "}:%s:%d", run_number, what, part);
    return out;
}

/* Items of a part, a number that depends on the factors alone. */
static int32_t part_items(int factors)
{
    int32_t by_bytes = PART_BYTES / (2 * factors);
    return by_bytes < PART_ITEMS ? by_bytes : PART_ITEMS;
}

enum tv_status tv_model_live(struct tv_redis *redis, int64_t *run_number, struct tv_error *err)
{
    return tv_redis_get_int(redis, TV_LIVE_KEY, run_number, err);
}

/* --- writing ---------------------------------------------------------------------------------------------- */

static enum tv_status write_part(struct tv_redis *redis, const struct tv_model *m, int part, int32_t first, int32_t n,
                                 struct tv_error *err)
{
    char name[KEY];
    struct tv_buffer factors = TV_BUFFER_INIT(MAX_VALUE), ids = TV_BUFFER_INIT(MAX_VALUE);
    enum tv_status status = tv_part_encode(m, first, n, &factors, &ids, err);
    if (status == TV_OK)
        status =
            tv_redis_set(redis, part_key(name, m->run_number, "item_factors", part), factors.data, factors.size, err);
    if (status == TV_OK)
        status = tv_redis_set(redis, part_key(name, m->run_number, "item_ids", part), ids.data, ids.size, err);
    tv_buffer_free(&factors);
    tv_buffer_free(&ids);
    return status;
}

/* Not every model has them, so they have a key of their own. */
static enum tv_status write_sigma(struct tv_redis *redis, const struct tv_model *m, struct tv_error *err)
{
    char name[KEY];
    struct tv_buffer blob = TV_BUFFER_INIT(MAX_VALUE);
    enum tv_status status = tv_sigma_encode(m, &blob, err);
    if (status == TV_OK)
        status = tv_redis_set(redis, key(name, m->run_number, ":singular_values"), blob.data, blob.size, err);
    tv_buffer_free(&blob);
    return status;
}

/* One command a field: a model has sixteen, and it is written once. */
static enum tv_status write_field(struct tv_redis *redis, int64_t run_number, const char *field, const char *value,
                                  struct tv_error *err)
{
    char name[KEY];
    const struct tv_redis_command c = tv_redis_words("HSET", key(name, run_number, ""), field, value, NULL);
    return tv_redis_run(redis, &c, NULL, err);
}

/* The hash comes last: a model without it is not there. */
static enum tv_status write_hash(struct tv_redis *redis, const struct tv_model *m, int parts, struct tv_error *err)
{
    char factors[24], users[24], learned[24], items[24], n_parts[24], created[40], power[40], checksum[24];
    char lambda[40], alpha[40], dataset[24];
    snprintf(dataset, sizeof dataset, "%" PRId64, m->dataset);
    snprintf(factors, sizeof factors, "%d", m->factors);
    snprintf(users, sizeof users, "%" PRId64, m->n_users);
    snprintf(learned, sizeof learned, "%" PRId64, m->n_learned);
    snprintf(items, sizeof items, "%d", (int)m->n_items);
    snprintf(n_parts, sizeof n_parts, "%d", parts);
    snprintf(created, sizeof created, "%.3f", m->created_at);
    snprintf(power, sizeof power, "%.17g", m->sigma_power);
    snprintf(lambda, sizeof lambda, "%.17g", m->lambda);
    snprintf(alpha, sizeof alpha, "%.17g", m->alpha);
    snprintf(checksum, sizeof checksum, "%016" PRIx64, m->checksum);
    const char *const pairs[][2] = {
        {"algorithm", m->algorithm}, {"score", m->score_kind},  {"factors", factors},   {"users", users},
        {"learned", learned},        {"items", items},          {"dtype", "<f2"},       {"created_at", created},
        {"sigma_power", power},      {"lambda", lambda},        {"alpha", alpha},       {"biases", m->biases ? "1" : "0"},
        {"checksum", checksum},      {"description", m->description}, {"dataset", dataset},     {"parts", n_parts},
    };
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && status == TV_OK; i++)
        status = write_field(redis, m->run_number, pairs[i][0], pairs[i][1], err);
    return status;
}

/* Until the hash is there, no reader looks at the other keys. */
enum tv_status tv_model_write_redis(struct tv_redis *redis, const struct tv_model *m, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    int parts = 0;
    for (int32_t first = 0, step = part_items(m->factors); first < m->n_items && status == TV_OK; first += step) {
        int32_t n = m->n_items - first < step ? m->n_items - first : step;
        status = write_part(redis, m, parts++, first, n, err);
    }
    if (status == TV_OK && m->sigma)
        status = write_sigma(redis, m, err);
    return status == TV_OK ? write_hash(redis, m, parts, err) : status;
}

/* 1 if the model fits one part, so that the switch also writes item_factors, the whole (k, n) array for notebooks. */
static int has_alias(const struct tv_model *m)
{
    return m->n_items <= part_items(m->factors);
}

/* The notebooks' alias: all item factors as one (k, n) array. */
static enum tv_status encode_alias(const struct tv_model *m, struct tv_buffer *blob, struct tv_error *err)
{
    size_t n = (size_t)m->n_items, k = (size_t)m->factors;
    uint16_t *turned = tv_alloc(n * k, sizeof *turned, "item factors for notebooks", err);
    if (turned == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < k; f++)
            turned[f * n + i] = m->item_factors[i * k + f];
    const struct tv_array a = tv_array_2d(TV_F2, turned, k, n);
    enum tv_status status = tv_blob_encode(blob, &a, err);
    free(turned);
    return status;
}

/* Compared byte by byte with what this program would write. */
enum tv_status tv_model_alias_agrees(struct tv_redis *redis, const struct tv_model *m, int *agrees,
                                     struct tv_error *err)
{
    struct tv_buffer due = TV_BUFFER_INIT(MAX_VALUE), there = TV_BUFFER_INIT(MAX_VALUE);
    *agrees = !has_alias(m);
    if (*agrees)
        return TV_OK;
    enum tv_status status = encode_alias(m, &due, err);
    if (status == TV_OK)
        status = tv_redis_get(redis, "item_factors", &there, err);
    *agrees = status == TV_OK && due.size == there.size && memcmp(due.data, there.data, due.size) == 0;
    tv_buffer_free(&due);
    tv_buffer_free(&there);
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* One transaction, so that a server which hears the message finds the number and the alias. */
enum tv_status tv_model_switch(struct tv_redis *redis, const struct tv_model *m, struct tv_error *err)
{
    char number[24];
    struct tv_buffer blob = TV_BUFFER_INIT(MAX_VALUE);
    enum tv_status status = TV_OK;
    int whole = has_alias(m);
    if (whole)
        status = encode_alias(m, &blob, err);
    else
        tv_log_info("the model has more than one part, so there is no item_factors for notebooks");
    snprintf(number, sizeof number, "%" PRId64, m->run_number);
    struct tv_redis_command commands[] = {
        tv_redis_words("SET", TV_LIVE_KEY, number, NULL),
        whole ? tv_redis_words("SET", "item_factors", "", NULL) : tv_redis_words("UNLINK", "item_factors", NULL),
        tv_redis_words("PUBLISH", TV_LIVE_KEY, number, NULL),
    };
    if (whole) {
        commands[1].words[2] = blob.data;
        commands[1].sizes[2] = blob.size;
    }
    if (status == TV_OK)
        status = tv_redis_transaction(redis, commands, sizeof commands / sizeof *commands, err);
    tv_buffer_free(&blob);
    return status;
}

/* --- reading ---------------------------------------------------------------------------------------------- */

/* A field that is missing counts as a model that is not there; tv_model_read_head knows the fields that older models lack. */
static enum tv_status read_text(struct tv_redis *redis, int64_t run_number, const char *field, char *out, size_t size,
                                struct tv_error *err)
{
    char name[KEY];
    struct tv_buffer b = TV_BUFFER_INIT(4096);
    enum tv_status status = tv_redis_hget(redis, key(name, run_number, ""), field, &b, err);
    if (status == TV_OK)
        snprintf(out, size, "%s", tv_buffer_string(&b));
    if (status == TV_ERR_NOT_FOUND)
        status = tv_fail(err, TV_ERR_NOT_FOUND, "Redis has no field %s of model %lld", field, (long long)run_number);
    tv_buffer_free(&b);
    return status;
}

/* Read as a double, which holds every whole number of the hash exactly (MAX_NUMBER). */
static enum tv_status read_number(struct tv_redis *redis, int64_t run_number, const char *field, double *out,
                                  struct tv_error *err)
{
    char text[64], *end;
    enum tv_status status = read_text(redis, run_number, field, text, sizeof text, err);
    if (status != TV_OK)
        return status;
    *out = strtod(text, &end);
    return *text && !*end && isfinite(*out) && fabs(*out) < MAX_NUMBER
               ? TV_OK
               : tv_fail(err, TV_ERR_CORRUPT, "field %s of model %lld in Redis is \"%s\"", field, (long long)run_number,
                         text);
}

/* A model of an older trivet has no data set. */
enum tv_status tv_model_read_brief(struct tv_model_brief *out, struct tv_redis *redis, int64_t run_number,
                                   struct tv_error *err)
{
    double dataset = 0;
    *out = (struct tv_model_brief){0};
    enum tv_status status = read_text(redis, run_number, "score", out->score_kind, sizeof out->score_kind, err);
    if (status == TV_OK)
        status = read_number(redis, run_number, "dataset", &dataset, err);
    out->dataset = (int64_t)dataset;
    return status == TV_ERR_NOT_FOUND && out->score_kind[0] ? TV_OK : status;
}

enum tv_status tv_model_say_dataset_redis(struct tv_redis *redis, int64_t run_number, int64_t dataset,
                                          struct tv_error *err)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, dataset);
    return write_field(redis, run_number, "dataset", text, err);
}

/* Read apart from the short fields, because it may be of any length. */
static enum tv_status read_description(struct tv_redis *redis, struct tv_model *m, struct tv_error *err)
{
    char name[KEY];
    struct tv_buffer b = TV_BUFFER_INIT(MAX_VALUE);
    enum tv_status status = tv_redis_hget(redis, key(name, m->run_number, ""), "description", &b, err);
    if (status == TV_OK && (m->description = strdup(tv_buffer_string(&b))) == NULL)
        status = tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a description");
    if (status == TV_ERR_NOT_FOUND)
        status = tv_fail(err, TV_ERR_CORRUPT, "model %lld in Redis has no description", (long long)m->run_number);
    tv_buffer_free(&b);
    return status;
}

/* The hash: enough to make the model's arrays. `parts` is written last, so it is read first. */
enum tv_status tv_model_read_head(struct tv_model **out, struct tv_redis *redis, int64_t run_number, struct tv_error *err)
{
    char checksum[64];
    double n_parts = 0, factors = 0, items = 0, users = 0, learned = 0, created = 0, power = 0;
    double lambda = 0, alpha = 0, biases = 0, dataset = 0;
    struct tv_model *m = NULL;
    enum tv_status status = read_number(redis, run_number, "parts", &n_parts, err);
    const struct {
        const char *field;
        double *value;
    } numbers[] = {{"factors", &factors}, {"items", &items},           {"users", &users},
                   {"learned", &learned}, {"created_at", &created},    {"sigma_power", &power}},
      later[] = {{"lambda", &lambda}, {"alpha", &alpha}, {"biases", &biases}, {"dataset", &dataset}}; /* older models lack them */
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == TV_OK; i++)
        status = read_number(redis, run_number, numbers[i].field, numbers[i].value, err);
    for (size_t i = 0; i < sizeof later / sizeof *later && status == TV_OK; i++) {
        status = read_number(redis, run_number, later[i].field, later[i].value, err);
        status = status == TV_ERR_NOT_FOUND ? TV_OK : status;
    }
    if (status == TV_OK)
        status = read_text(redis, run_number, "checksum", checksum, sizeof checksum, err);
    if (status == TV_OK)
        status = tv_model_create(&m, run_number, (int)factors, (int64_t)items, err);
    if (status == TV_OK)
        status = read_text(redis, run_number, "algorithm", m->algorithm, sizeof m->algorithm, err);
    if (status == TV_OK)
        status = read_text(redis, run_number, "score", m->score_kind, sizeof m->score_kind, err);
    if (status == TV_OK)
        status = read_description(redis, m, err);
    if (status != TV_OK) {
        tv_model_free(m);
        return status;
    }
    m->dataset = (int64_t)dataset;
    m->n_users = (int64_t)users;
    m->n_learned = (int64_t)learned;
    m->created_at = created;
    m->sigma_power = power;
    m->lambda = lambda;
    m->alpha = alpha;
    m->biases = biases != 0;
    m->checksum = strtoull(checksum, NULL, 16);
    *out = m;
    return TV_OK;
}

/* A key that is missing makes the model incomplete, and that is damage, not absence: the hash was there. */
static enum tv_status read_part(struct tv_redis *redis, struct tv_model *m, int part, int32_t *first,
                                struct tv_error *err)
{
    char name[KEY];
    int32_t n = 0;
    struct tv_buffer factors = TV_BUFFER_INIT(MAX_VALUE), ids = TV_BUFFER_INIT(MAX_VALUE);
    enum tv_status status = tv_redis_get(redis, part_key(name, m->run_number, "item_factors", part), &factors, err);
    if (status == TV_OK)
        status = tv_redis_get(redis, part_key(name, m->run_number, "item_ids", part), &ids, err);
    if (status == TV_ERR_NOT_FOUND)
        status = tv_fail(err, TV_ERR_CORRUPT, "Redis has no key %s", name);
    const struct tv_part_blobs blobs = {
        .factors = factors.data, .n_factors = factors.size, .ids = ids.data, .n_ids = ids.size};
    if (status == TV_OK)
        status = tv_part_decode(m, *first, &blobs, &n, err);
    *first += n;
    tv_buffer_free(&factors);
    tv_buffer_free(&ids);
    return status;
}

static enum tv_status read_sigma(struct tv_redis *redis, struct tv_model *m, struct tv_error *err)
{
    char name[KEY];
    struct tv_buffer blob = TV_BUFFER_INIT(MAX_VALUE);
    enum tv_status status = tv_redis_get(redis, key(name, m->run_number, ":singular_values"), &blob, err);
    if (status == TV_OK)
        status = tv_sigma_decode(m, blob.data, blob.size, err);
    else if (status == TV_ERR_NOT_FOUND) /* the checksum tells whether some should be there */
        status = TV_OK;
    tv_buffer_free(&blob);
    return status;
}

/* Keys are read one after the other, without a transaction: a number always stands for the same bytes, so they
 * belong together. */
enum tv_status tv_model_read_arrays(struct tv_model *m, struct tv_redis *redis, struct tv_error *err)
{
    double parts = 0;
    int32_t first = 0;
    enum tv_status status = read_number(redis, m->run_number, "parts", &parts, err);
    for (int part = 0; part < (int)parts && status == TV_OK; part++)
        status = read_part(redis, m, part, &first, err);
    if (status == TV_OK && first != m->n_items)
        status = tv_fail(err, TV_ERR_CORRUPT, "model %lld has %d items, but its %d parts hold %d",
                         (long long)m->run_number, (int)m->n_items, (int)parts, (int)first);
    if (status == TV_OK)
        status = read_sigma(redis, m, err);
    return status == TV_OK ? tv_model_check(m, err) : status;
}

enum tv_status tv_model_read_redis(struct tv_model **out, struct tv_redis *redis, int64_t run_number,
                                   struct tv_error *err)
{
    struct tv_model *m = NULL;
    enum tv_status status = tv_model_read_head(&m, redis, run_number, err);
    if (status == TV_OK)
        status = tv_model_read_arrays(m, redis, err);
    if (status != TV_OK) {
        tv_model_free(m);
        return status;
    }
    *out = m;
    return TV_OK;
}

/* Counts the keys of a model that are there. */
static enum tv_status count_keys(struct tv_redis *redis, int64_t run_number, int parts, int with_sigma, int64_t *there,
                                 struct tv_error *err)
{
    char name[KEY];
    enum tv_status status = TV_OK;
    struct tv_buffer n = TV_BUFFER_INIT(64);
    *there = 0;
    for (int i = 0; i < 2 * parts + with_sigma && status == TV_OK; i++) {
        const char *which = i < 2 * parts ? part_key(name, run_number, i % 2 ? "item_ids" : "item_factors", i / 2)
                                          : key(name, run_number, ":singular_values");
        const struct tv_redis_command c = tv_redis_words("EXISTS", which, NULL);
        tv_buffer_clear(&n);
        status = tv_redis_run(redis, &c, &n, err);
        *there += status == TV_OK && strcmp(tv_buffer_string(&n), "1") == 0;
    }
    tv_buffer_free(&n);
    return status;
}

/* Meant for models that are kept and not live: a question a key, and no array is read. */
enum tv_status tv_model_redis_looks_whole(struct tv_redis *redis, struct tv_mongo *mongo, int64_t run_number,
                                          int *whole, struct tv_error *err)
{
    char parts_name[TV_MODEL_NAME], checksum[64] = "";
    const char *kept = "", *algorithm = "";
    struct tv_mongo_doc *doc = NULL;
    double parts = 0;
    int64_t there = 0;
    *whole = 0;
    enum tv_status status =
        tv_mongo_find_text(mongo, tv_model_parts(parts_name, run_number), "_id", "description", &doc, err);
    if (status == TV_OK) {
        tv_mongo_doc_text(doc, "checksum", &kept);
        tv_mongo_doc_text(doc, "algorithm", &algorithm);
        status = read_number(redis, run_number, "parts", &parts, err);
    }
    if (status == TV_OK)
        status = read_text(redis, run_number, "checksum", checksum, sizeof checksum, err);
    int with_sigma = strcmp(algorithm, "svd") == 0, n = (int)parts; /* no other has any */
    if (status == TV_OK && strcmp(checksum, kept) == 0)
        status = count_keys(redis, run_number, n, with_sigma, &there, err);
    *whole = status == TV_OK && n > 0 && there == 2 * (int64_t)n + with_sigma;
    tv_mongo_doc_free(doc);
    return status == TV_ERR_NOT_FOUND || status == TV_ERR_CORRUPT ? TV_OK : status;
}

enum tv_status tv_model_is_there(struct tv_redis *redis, int64_t run_number, int *there, struct tv_error *err)
{
    char name[KEY];
    struct tv_buffer n = TV_BUFFER_INIT(64);
    const struct tv_redis_command c = tv_redis_words("EXISTS", key(name, run_number, ""), NULL);
    enum tv_status status = tv_redis_run(redis, &c, &n, err);
    *there = status == TV_OK && strcmp(tv_buffer_string(&n), "1") == 0;
    tv_buffer_free(&n);
    return status;
}

/* --- keys of a model as a whole --------------------------------------------------------------------------- */

static enum tv_status delete_key(void *context, const char *name, struct tv_error *err)
{
    return tv_redis_delete(context, name, err);
}

/* The hash goes first: without it there is no model. In a glob pattern braces stand for themselves. */
enum tv_status tv_model_drop_redis(struct tv_redis *redis, int64_t run_number, struct tv_error *err)
{
    char name[KEY];
    enum tv_status status = tv_redis_delete(redis, key(name, run_number, ""), err);
    return status == TV_OK ? tv_redis_keys(redis, key(name, run_number, ":*"), delete_key, redis, err) : status;
}

/* A sum over keys while they are found. */
struct byte_count {
    struct tv_redis *redis;
    double bytes;
};

/* A key that is gone by now takes nothing. */
static enum tv_status add_bytes(void *context, const char *name, struct tv_error *err)
{
    struct byte_count *count = context;
    struct tv_buffer b = TV_BUFFER_INIT(64);
    const struct tv_redis_command c = tv_redis_words("MEMORY", "USAGE", name, NULL);
    enum tv_status status = tv_redis_run(count->redis, &c, &b, err);
    if (status == TV_OK)
        count->bytes += strtod(tv_buffer_string(&b), NULL);
    tv_buffer_free(&b);
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* The pattern finds the hash, too, whose name is the beginning of the others. */
enum tv_status tv_model_redis_bytes(struct tv_redis *redis, int64_t run_number, double *bytes, struct tv_error *err)
{
    char name[KEY];
    struct byte_count count = {redis, 0};
    enum tv_status status = tv_redis_keys(redis, key(name, run_number, "*"), add_bytes, &count, err);
    *bytes = count.bytes;
    return status;
}
