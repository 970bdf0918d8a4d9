/* catalogue: item documents take the place of those before, and say what a score is. */
#include "trivet/model/life/catalogue.h"

#include <inttypes.h>
#include <stdio.h>

#include "trivet/model/life/lock.h"
#include "trivet/model/life/needed.h"
#include "trivet/model/model_redis.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_write.h"
#include "trivet/store/pg_rows.h"

/* The documents are those that servers read, so a model that is kept beside a live one of the same data changes titles
 * and counts, and not what a score is said to be: that is the live model's, or of the first model the run's own. Where
 * Redis has lost them, whoever brings the live model back says it. */
static enum tv_status keep_score(const struct tv_stores *s, const char *name, const struct tv_catalogue_news *news,
                                 struct tv_error *err)
{
    int64_t live = 0;
    struct tv_model_brief of = {.dataset = -1};
    enum tv_status status = tv_model_live(s->redis, &live, err);
    if (status == TV_OK)
        status = tv_model_read_brief(&of, s->redis, live, err);
    if (status == TV_ERR_NOT_FOUND || status == TV_ERR_CORRUPT || (status == TV_OK && of.dataset != news->dataset))
        status = tv_model_read_brief(&of, s->redis, news->run_number, err);
    if (status == TV_OK)
        return tv_mongo_set_text(s->mongo, name, "score_kind", of.score_kind, err);
    return status == TV_ERR_NOT_FOUND || status == TV_ERR_CORRUPT ? TV_OK : status;
}

/* 1 in *here if the data set's documents come from its own rows: it was loaded or trained here. */
static enum tv_status stands_here(struct tv_pg *pg, int64_t dataset, int64_t *here, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    snprintf(number, sizeof number, "%" PRId64, dataset);
    return tv_pg_int(pg,
                     "SELECT (EXISTS (SELECT FROM trivet.load WHERE dataset = $1::bigint AND state <> 'failed') OR EXISTS "
                     "(SELECT FROM trivet.run WHERE dataset = $1::bigint AND kind = 'fit' AND state <> 'failed'))::int",
                     1, &value, here, err);
}

/* An import knows other items than the catalogue that is there, and each has models that need them; of data that are elsewhere, Postgres
 * knows what was rated here alone. `keep`: what is there stays, where both know an item. */
static enum tv_status merge(const struct tv_stores *s, const char *from, const char *to, int keep, struct tv_error *err)
{
    enum tv_status status = tv_mongo_merge(s->mongo, from, to, keep, err);
    if (status == TV_OK) /* an import's model is newer than the marks, and may have what they are on: the next catalogue sets them anew */
        status = tv_mongo_unset(s->mongo, to, TV_NEEDED_GONE, err);
    return status == TV_OK ? tv_mongo_drop(s->mongo, from, err) : status;
}

static enum tv_status replace(const struct tv_stores *s, const char *from, const char *to, int64_t dataset, struct tv_error *err)
{
    enum tv_status status = tv_needed_keep(s, to, from, dataset, err);
    return status == TV_OK ? tv_mongo_rename(s->mongo, from, to, err) : status;
}

enum tv_status tv_catalogue_publish(const struct tv_stores *s, const struct tv_catalogue_news *news, struct tv_error *err)
{
    char from[TV_MODEL_NAME], to[TV_MODEL_NAME];
    int written = 0, before = 0;
    int64_t here = 0;
    tv_model_new_catalogue(from, news->dataset, news->run_number);
    tv_model_catalogue(to, news->dataset);
    enum tv_status status = tv_mongo_exists(s->mongo, from, &written, err);
    if (status != TV_OK || !written)
        return status;
    status = keep_score(s, from, news, err);
    if (status == TV_OK)
        status = tv_mongo_exists(s->mongo, to, &before, err);
    if (status == TV_OK)
        status = stands_here(tv_lock_connection(s->lock), news->dataset, &here, err);
    if (status == TV_OK && before && (news->from_elsewhere || !here))
        return merge(s, from, to, !news->from_elsewhere || here, err);
    if (status == TV_OK)
        status = before ? replace(s, from, to, news->dataset, err) : tv_mongo_rename(s->mongo, from, to, err);
    return status;
}

enum tv_status tv_catalogue_discard(struct tv_mongo *mongo, int64_t dataset, int64_t run_number, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    return tv_mongo_drop(mongo, tv_model_new_catalogue(name, dataset, run_number), err);
}

enum tv_status tv_catalogue_say_score(struct tv_mongo *mongo, const struct tv_model *m, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    return tv_mongo_set_text(mongo, tv_model_catalogue(name, m->dataset), "score_kind", m->score_kind, err);
}

enum tv_status tv_catalogue_show(struct tv_mongo *mongo, int64_t dataset, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    return tv_mongo_point_view(mongo, "item", tv_model_catalogue(name, dataset), err);
}
