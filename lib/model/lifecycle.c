/* lifecycle: activate, prune and discard. repair.c brings the stores to agree after a kill. */
#include "trivet/lifecycle.h"

#include <inttypes.h>
#include <stdio.h>

#include "trivet/log.h"

static char *items_name(char *out, int64_t number)
{
    snprintf(out, TV_MODEL_NAME, "item_%" PRId64, number);
    return out;
}

static enum tv_status say_score(struct tv_mongo *mongo, const char *items, const struct tv_model *m, struct tv_error *err)
{
    return tv_mongo_set_text(mongo, items, "score_kind", m->score_kind, err);
}

enum tv_status tv_lifecycle_say_score(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err)
{
    return say_score(s->mongo, "item", m, err);
}

/* A fresh model brings its item documents as item_<N>; an older one that is activated again has none. */
static enum tv_status publish_items(struct tv_mongo *mongo, const struct tv_model *m, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    int exists = 0;
    enum tv_status status = tv_mongo_exists(mongo, items_name(name, m->number), &exists, err);
    if (status == TV_OK)
        status = say_score(mongo, exists ? name : "item", m, err);
    return status == TV_OK && exists ? tv_mongo_rename(mongo, name, "item", err) : status;
}

enum tv_status tv_lifecycle_activate(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err)
{
    char users[TV_MODEL_NAME];
    struct tv_pg *journal = tv_lock_connection(s->lock);
    enum tv_status status = tv_lock_check(s->lock, err);
    if (status == TV_OK)
        status = tv_run_set_state(journal, m->number, TV_RUN_ACTIVATING, err);
    if (status == TV_OK)
        status = publish_items(s->mongo, m, err);
    if (status == TV_OK)
        status = tv_lock_check(s->lock, err);
    if (status == TV_OK)
        status = tv_model_switch(s->redis, m, err);
    if (status == TV_OK)
        status = tv_mongo_point_view(s->mongo, "user", tv_model_users(users, m->number), err);
    return status == TV_OK ? tv_run_go_live(journal, m->number, err) : status;
}

/* The model from Redis, or from MongoDB with Redis refilled. */
static enum tv_status bring_back(const struct tv_stores *s, int64_t number, struct tv_model **m, struct tv_error *err)
{
    enum tv_status status = tv_model_read_redis(m, s->redis, number, err);
    if (status != TV_ERR_NOT_FOUND && status != TV_ERR_CORRUPT)
        return status;
    status = tv_model_read_mongo(m, s->mongo, number, err);
    if (status == TV_OK)
        status = tv_model_write_redis(s->redis, *m, err);
    if (status == TV_OK)
        tv_log_info("refilled Redis with model %" PRId64 " from MongoDB", number);
    return status;
}

enum tv_status tv_lifecycle_activate_number(const struct tv_stores *s, int64_t number, struct tv_error *err)
{
    struct tv_model *m = NULL;
    enum tv_status status = bring_back(s, number, &m, err);
    if (status == TV_OK)
        status = tv_lifecycle_activate(s, m, err);
    tv_model_free(m);
    return status;
}

/* model_<N> goes first: without it nobody takes the rest for a whole model. */
enum tv_status tv_lifecycle_discard(const struct tv_stores *s, int64_t number, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    enum tv_status status = tv_mongo_drop(s->mongo, tv_model_parts(name, number), err);
    if (status == TV_OK)
        status = tv_mongo_drop(s->mongo, tv_model_users(name, number), err);
    if (status == TV_OK)
        status = tv_mongo_drop(s->mongo, items_name(name, number), err);
    return status == TV_OK ? tv_model_drop_redis(s->redis, number, err) : status;
}

enum tv_status tv_lifecycle_prune(const struct tv_stores *s, int keep, struct tv_error *err)
{
    struct tv_pg *journal = tv_lock_connection(s->lock);
    struct tv_run *runs = NULL;
    size_t n = 0;
    int64_t previous = 0;
    enum tv_status status = tv_lock_check(s->lock, err);
    if (status == TV_OK)
        status = tv_run_list(journal, 1u << TV_RUN_KEPT | 1u << TV_RUN_LIVE, &runs, &n, err);
    if (status == TV_OK)
        status = tv_run_previous(journal, &previous, err);
    for (size_t i = 0; status == TV_OK && i + (size_t)keep < n; i++) {
        if (runs[i].state == TV_RUN_LIVE || runs[i].id == previous)
            continue;
        status = tv_lifecycle_discard(s, runs[i].id, err);
        if (status == TV_OK)
            status = tv_run_set_state(journal, runs[i].id, TV_RUN_PRUNED, err);
        if (status == TV_OK)
            tv_log_info("pruned model %" PRId64, runs[i].id);
    }
    tv_run_list_free(runs, n);
    return status;
}
