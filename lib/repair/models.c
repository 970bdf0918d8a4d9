/* models: the item side of every kept model, which stands in MongoDB and in Redis, and either brings the other
 * back.
 *
 * Without a report only signs of a lost Redis are looked for: the hash with its checksum, and that the keys are
 * there. With one, both sides are read whole, and their checksums are computed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/repair/inside.h"
#include "trivet/base/log.h"
#include "trivet/model/model_mongo.h"
#include "trivet/model/model_redis.h"
#include "trivet/model/run.h"
#include "trivet/model/user_document.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"

/* One kept model as each store has it; both models are owned. */
struct sides {
    int64_t run_number;
    int is_live;
    struct tv_model *mongo, *redis; /* NULL: not whole there */
    struct tv_error mongo_error;
};

/* A model that is missing or damaged in one store is what the check looks for, so it is no failure. A store that does
 * not answer is. */
static enum tv_status not_whole(enum tv_status status)
{
    return status == TV_ERR_NOT_FOUND || status == TV_ERR_CORRUPT ? TV_OK : status;
}

/* Reads both sides whole, checksums included. The reason why MongoDB's cannot be read is kept, to be told if the
 * model is lost. */
static enum tv_status read_sides(struct tv_repair *r, struct sides *s, struct tv_error *err)
{
    enum tv_status status = tv_model_read_mongo(&s->mongo, r->stores->mongo, s->run_number, &s->mongo_error);
    if (not_whole(status) != TV_OK) {
        *err = s->mongo_error;
        return status;
    }
    return not_whole(tv_model_read_redis(&s->redis, r->stores->redis, s->run_number, err));
}

/* MongoDB is where a model is kept, so where the two differ its side wins; whatever is left in Redis is dropped
 * first, so that no blob of the other side stays. */
static enum tv_status refill_redis(struct tv_repair *r, const struct sides *s, struct tv_error *err)
{
    enum tv_status status = tv_model_drop_redis(r->stores->redis, s->run_number, err);
    if (status == TV_OK)
        status = tv_model_write_redis(r->stores->redis, s->mongo, err);
    if (status == TV_OK)
        tv_repair_did(r, "model %" PRId64 " was not whole in Redis: filled from MongoDB", s->run_number);
    return status;
}

/* The other way round, for a MongoDB whose model_<N> was lost or damaged while its users are still there. */
static enum tv_status refill_mongo(struct tv_repair *r, const struct sides *s, struct tv_error *err)
{
    enum tv_status status = tv_model_rewrite_mongo(r->stores->mongo, s->redis, err);
    if (status == TV_OK)
        tv_repair_did(r, "model %" PRId64 " was not whole in MongoDB: written from Redis (%s)", s->run_number,
                      s->mongo_error.message);
    return status;
}

/* A kept model that is whole in neither store is given up. The live one is left to show_live, which must also take it
 * from Redis. */
static enum tv_status lose(struct tv_repair *r, const struct sides *s, struct tv_error *err)
{
    if (s->is_live)
        return TV_OK;
    tv_log_error("repair: model %" PRId64 " was kept, but is whole in neither MongoDB nor Redis, so it is gone: %s",
                 s->run_number, s->mongo_error.message);
    return tv_repair_give_up(r, s->run_number, err);
}

/* Whether both stores describe the same model. The arrays are not compared: the checksum, computed when each side was
 * read, stands for them. */
static int same(const struct tv_model *a, const struct tv_model *b)
{
    return a->checksum == b->checksum && strcmp(a->algorithm, b->algorithm) == 0 &&
           strcmp(a->score_kind, b->score_kind) == 0 && a->n_users == b->n_users && a->n_learned == b->n_learned &&
           a->dataset == b->dataset && a->lambda == b->lambda && a->alpha == b->alpha && a->sigma_power == b->sigma_power && a->biases == b->biases;
}

/* A model is not brought back without the documents of its users. */
static enum tv_status has_users(struct tv_repair *r, int64_t run_number, int *exists, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    return tv_mongo_exists(r->stores->mongo, tv_model_users(name, run_number), exists, err);
}

/* Reads both sides and brings back the one that is not whole; MongoDB's is the one that is believed. */
static enum tv_status mend(struct tv_repair *r, int64_t run_number, struct tv_error *err)
{
    struct sides s = {.run_number = run_number, .is_live = run_number == r->live};
    int users = 0;
    enum tv_status status = read_sides(r, &s, err);
    if (status == TV_OK)
        status = has_users(r, run_number, &users, err);
    if (status == TV_OK && s.mongo && (s.redis == NULL || !same(s.mongo, s.redis)))
        status = refill_redis(r, &s, err);
    else if (status == TV_OK && s.mongo == NULL && s.redis && users)
        status = refill_mongo(r, &s, err);
    else if (status == TV_OK && s.mongo == NULL)
        status = lose(r, &s, err);
    tv_model_free(s.mongo);
    tv_model_free(s.redis);
    return status;
}

/* Tells of documents in model_<N> that trivet did not write. They disturb no reader, and they are not trivet's to
 * delete. */
static enum tv_status look_for_strangers(struct tv_repair *r, int64_t run_number, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    int64_t n = 0;
    enum tv_status status = tv_model_strangers(r->stores->mongo, run_number, &n, err);
    if (status == TV_OK && n > 0)
        tv_repair_problem(r,
                          "MongoDB's %s has %" PRId64
                          " documents that trivet did not write, and leaves alone; if nobody needs "
                          "them: db.%s.deleteMany({_id: {$nin: [\"description\", \"singular_values\", /^items:/]}})",
                          tv_model_parts(name, run_number), n, name);
    return status;
}

/* A pass over the documents of a kept model's users, which only counts. */
struct read_through {
    struct tv_repair *repair;
    const struct tv_model *model;
    int64_t n, n_damaged;
};

static enum tv_status take_user(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct read_through *t = context;
    const struct tv_model *m = t->model;
    struct tv_user_document *u = NULL;
    enum tv_status status =
        tv_user_document_read(&u, t->repair->stores->mongo, m->run_number, doc, m->factors, m->n_items, err);
    tv_user_document_free(u);
    t->n++;
    t->n_damaged += status == TV_ERR_CORRUPT;
    return status == TV_ERR_CORRUPT ? TV_OK : status;
}

/* The number of users in the description is that of the training; single ratings of new users only add documents. */
static void tell_users(const struct read_through *t, const char *collection)
{
    const struct tv_model *m = t->model;
    if (t->n < m->n_users)
        tv_repair_problem(t->repair,
                          "MongoDB's %s has %" PRId64 " of %" PRId64 " documents: the other users of model %" PRId64
                          " are lost until a training makes another model",
                          collection, t->n, (int64_t)m->n_users, m->run_number);
    if (t->n_damaged > 0)
        tv_repair_problem(t->repair,
                          "MongoDB's %s has %" PRId64 " documents that cannot be read; trivet-train activate %" PRId64
                          " and then repair folds these users in again",
                          collection, t->n_damaged, m->run_number);
}

/* Tells how many documents of a kept model's users are missing or cannot be read. They are not mended, because
 * ratings are folded into the live model alone; users.c does that for the live model's. */
static enum tv_status read_users(struct tv_repair *r, int64_t run_number, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    struct tv_mongo_doc *doc = NULL;
    struct tv_model *m = NULL;
    enum tv_status status =
        tv_mongo_find_text(r->stores->mongo, tv_model_parts(name, run_number), "_id", "description", &doc, err);
    if (status == TV_OK)
        status = tv_model_from_description(&m, run_number, doc, err);
    struct read_through t = {.repair = r, .model = m};
    if (status == TV_OK)
        status = tv_mongo_each(r->stores->mongo, tv_model_users(name, run_number), take_user, &t, err);
    if (status == TV_OK)
        tell_users(&t, name);
    tv_model_free(m);
    tv_mongo_doc_free(doc);
    return not_whole(status); /* mend() has told of a model without a description */
}

/* Tells both sides of a model of which data set it is, where they say another: models of an older trivet do not know.
 * What is not there has nothing to be told, and is brought back from the other side. */
static enum tv_status say_dataset(struct tv_repair *r, const struct tv_run *run, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    struct tv_model_brief of;
    struct tv_mongo_doc *doc = NULL;
    int64_t said = 0;
    int changed = 0;
    if (run->dataset == 0)
        return TV_OK;
    enum tv_status status =
        tv_mongo_find_text(r->stores->mongo, tv_model_parts(name, run->id), "_id", "description", &doc, err);
    if (status == TV_OK)
        tv_mongo_doc_int(doc, "dataset", &said);
    tv_mongo_doc_free(doc);
    if (status == TV_OK && said != run->dataset && ++changed)
        status = tv_model_say_dataset_mongo(r->stores->mongo, run->id, run->dataset, err);
    if (not_whole(status) == TV_OK)
        status = tv_model_read_brief(&of, r->stores->redis, run->id, err);
    if (status == TV_OK && of.dataset != run->dataset && ++changed)
        status = tv_model_say_dataset_redis(r->stores->redis, run->id, run->dataset, err);
    if (status == TV_OK && changed > 0)
        tv_repair_did(r, "model %" PRId64 " did not say which data set it was learned from: it does", run->id);
    return not_whole(status);
}

/* One kept or live model: quickly, by the hash in Redis and the presence of its keys, and both sides only where that
 * looks wrong; thoroughly, both sides always, and the users of the models that are not live. */
static enum tv_status look(struct tv_repair *r, const struct tv_run *run, struct tv_error *err)
{
    int whole = 0;
    enum tv_status status = say_dataset(r, run, err);
    if (status == TV_OK && r->report == NULL)
        status = tv_model_redis_looks_whole(r->stores->redis, r->stores->mongo, run->id, &whole, err);
    if (status == TV_OK && !whole)
        status = mend(r, run->id, err);
    if (status == TV_OK && r->report)
        status = look_for_strangers(r, run->id, err);
    if (status == TV_OK && r->report && (run->id != r->live || !tv_repair_live_is_loaded(r)))
        status = read_users(r, run->id, err);
    return status;
}

/* Only kept models and the live one; a number that the journal calls pruned or failed is swept away later. */
enum tv_status tv_repair_models(struct tv_repair *r, struct tv_error *err)
{
    struct tv_run *runs = NULL;
    size_t n = 0;
    int before = r->changes;
    enum tv_status status = tv_repair_read_live(r, err);
    if (status == TV_OK)
        status = tv_run_list(r->journal, 1u << TV_RUN_KEPT | 1u << TV_RUN_LIVE, &runs, &n, err);
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = look(r, &runs[i], err);
    if (status == TV_OK)
        tv_repair_say(r, "models: %zu kept, read from MongoDB and from Redis; %d were not whole", n,
                      r->changes - before);
    tv_run_list_free(runs, n);
    return status;
}
