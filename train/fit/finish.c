/* finish: the last steps of a training: the model's description, both stores, the comparison of what they give back,
 * and the switch. Until the switch nobody sees anything of the model.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "train/command/publish.h"
#include "train/fit/fit.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/model/journal.h"
#include "trivet/model/life/catalogue.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/life/stored.h"
#include "trivet/model/model_redis.h"
#include "trivet/model/user_parts.h"
#include "trivet/store/mongo_collections.h"

/* --- the description -------------------------------------------------------------------------------------- */

/* A JSON text as a value; an empty object for one that is missing or cannot be read. */
static json_t *load_json(const char *text)
{
    json_t *value = text ? json_loads(text, 0, NULL) : NULL;
    return value ? value : json_object();
}

/* The counts that both the model's description and the journal have. */
static json_t *describe_counts(const struct tv_fit *f)
{
    const struct tv_fit_counts *c = &f->counts;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rows", (json_int_t)c->rows, "users", (json_int_t)c->users,
                     "items", (json_int_t)c->items, "users_served", (json_int_t)c->documents, "users_folded_in",
                     (json_int_t)c->folded_in, "users_without_model_items",
                     (json_int_t)(c->documents - c->reached), "users_without_factors", (json_int_t)f->model.no_factors.n);
}

/* The lowest and the highest rating that users are folded in from. Predicted ratings are shown within it. The step is
 * for pages that let people rate; it is left out where there is none. */
static json_t *describe_scale(const struct tv_fit *f)
{
    float low, high;
    char text[TV_TEXT_FLOAT];
    double step = tv_evidence_step(&f->reading.evidence);
    tv_evidence_scale(&f->reading.evidence, &low, &high);
    json_t *scale = json_pack("{s:f, s:f}", "low", strtod(tv_text_float(text, low), NULL), "high",
                              strtod(tv_text_float(text, high), NULL));
    if (scale && step > 0)
        json_object_set_new(scale, "step", json_real(step));
    return scale;
}

/* The description travels with the model into both stores, and servers read from it what they show
 * (docs/formats.md). */
enum tv_status tv_fit_describe(struct tv_fit *f, struct tv_error *err)
{
    char text[512], created[32];
    time_t now = (time_t)f->model.item_side->created_at;
    struct tm utc;
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    tv_reading_describe(&f->reading, text, sizeof text);
    json_t *examples = json_loads(f->catalogue.examples, 0, NULL);
    json_t *codes = json_pack("{s:b, s:b}", "users", f->model.user_codes.n > 0, "items",
                              tv_code_list_needed(f->model.item_side->item_ids, (size_t)f->model.item_side->n_items));
    json_t *all = json_pack(
        "{s:s, s:i, s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:s, s:o}", "algorithm", f->model.item_side->algorithm, "factors",
        f->learning.settings.factors, "filter", load_json(tv_buffer_string(&f->reading.values)), "filter_text", text, "source",
        tv_buffer_string(&f->reading.source), "counts", describe_counts(f), "data", load_json(f->reading.data), "codes", codes, "score",
        f->model.item_side->score_kind, "scale", describe_scale(f), "created_at", created, "examples", examples);
    f->model.item_side->description = all ? json_dumps(all, JSON_REAL_PRECISION(15)) : NULL; /* 1.22 stays 1.22 */
    json_decref(all);
    return f->model.item_side->description ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the model's description");
}

/* --- both stores ------------------------------------------------------------------------------------------ */

enum tv_status tv_fit_store(struct tv_fit *f, struct tv_error *err)
{
    return tv_model_store(&f->stores, f->model.item_side, err);
}

/* Asks both stores how many bytes the model takes, once all of it was read back: for the log and the journal. */
static enum tv_status measure(struct tv_fit *f, struct tv_error *err)
{
    char name[TV_MODEL_NAME], redis[32], mongo[32];
    double users = 0, parts = 0;
    enum tv_status status = tv_model_redis_bytes(f->stores.redis, f->run_number, &f->counts.redis_bytes, err);
    if (status == TV_OK)
        status = tv_user_bytes(f->stores.mongo, f->run_number, &users, err);
    if (status == TV_OK)
        status = tv_mongo_bytes(f->stores.mongo, tv_model_parts(name, f->run_number), &parts, err);
    f->counts.mongo_bytes = users + parts;
    if (status == TV_OK)
        tv_log_info("stored %s in Redis and %s in MongoDB", tv_text_bytes(redis, f->counts.redis_bytes),
                    tv_text_bytes(mongo, f->counts.mongo_bytes));
    return status;
}

/* Adds how the learning went: Lanczos steps and the residual of an SVD, iterations and objectives of ALS. */
static void describe_learning(const struct tv_fit *f, json_t *counts)
{
    if (f->model.report.objective == NULL) {
        json_object_set_new(counts, "svd_steps", json_integer(f->model.report.steps));
        json_object_set_new(counts, "svd_residual", json_real(f->model.report.residual));
        return;
    }
    json_t *objectives = json_array();
    for (int i = 0; i < f->model.report.steps; i++)
        json_array_append_new(objectives, json_real(f->model.report.objective[i]));
    json_object_set_new(counts, "iterations", json_integer(f->model.report.steps));
    json_object_set_new(counts, "objective", objectives);
}

/* The counts that the journal keeps about the run, with its timings; NULL without memory. */
static char *journal_counts(const struct tv_fit *f)
{
    json_t *counts = describe_counts(f);
    json_object_set_new(counts, "factors", json_integer(tv_model_rank(f->model.item_side))); /* a small matrix has fewer than are asked for */
    json_object_set_new(counts, "items_listed", json_integer(f->catalogue.listed));
    describe_learning(f, counts);
    json_object_set_new(counts, "redis_bytes", json_real(f->counts.redis_bytes));
    json_object_set_new(counts, "mongo_bytes", json_real(f->counts.mongo_bytes));
    json_object_set_new(counts, "seconds", json_incref(f->timings));
    char *text = json_dumps(counts, JSON_REAL_PRECISION(6));
    json_decref(counts);
    return text;
}

/* Reads everything back from both stores and compares it with what was written, while nothing of it is shown yet. */
enum tv_status tv_fit_check(struct tv_fit *f, struct tv_error *err)
{
    enum tv_status status = tv_model_check_stored(&f->stores, f->model.item_side, f->model.users_hash, err);
    return status == TV_OK ? measure(f, err) : status;
}

/* The journal calls the run kept first. From then on the model counts as whole, a failure no longer deletes it
 * (tv_publish_undo), and a model that the guard refuses stays like this. What it knows of items is the newest either
 * way. */
enum tv_status tv_fit_activate(struct tv_fit *f, struct tv_error *err)
{
    char *counts = journal_counts(f);
    enum tv_status status = counts ? tv_lock_check(f->stores.lock, err) : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory");
    if (status == TV_OK)
        status = tv_run_complete(tv_lock_connection(f->stores.lock), f->run_number, counts, err);
    free(counts);
    const struct tv_catalogue_news news = {.dataset = f->reading.dataset, .run_number = f->run_number};
    if (status == TV_OK)
        status = tv_catalogue_publish(&f->stores, &news, err);
    return status == TV_OK && !f->guard.worse ? tv_publish_activate(&f->stores, f->model.item_side, err) : status;
}
