/* lifecycle: activate, prune and discard. The header has the order of an activation; lib/repair brings the stores
 * to agree after a kill.
 */
#include "trivet/model/life/lifecycle.h"

#include <inttypes.h>
#include <stdio.h>

#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/model/journal.h"
#include "trivet/model/life/catch_up.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/model_mongo.h"
#include "trivet/model/model_redis.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_write.h"
#include "trivet/store/pg_rows.h"

/* The item documents of a model that is not live yet wait in a collection of their own. */
static char *items_name(char *out, int64_t run_number)
{
    snprintf(out, TV_MODEL_NAME, "item_%" PRId64, run_number);
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
    enum tv_status status = tv_mongo_exists(mongo, items_name(name, m->run_number), &exists, err);
    if (status == TV_OK)
        status = say_score(mongo, exists ? name : "item", m, err);
    return status == TV_OK && exists ? tv_mongo_rename(mongo, name, "item", err) : status;
}

/* All that it takes to fold users into a model; `anew` is NULL for a model whose users' ratings the journal does
 * not know. */
struct late_ratings {
    struct tv_fold_in fold_in;
    struct tv_fold_in_anew *anew;
    struct tv_fold_in_stores stores;
};

/* How long a statement of an analyst's row source may take, while a command waits for it. */
enum { READING_SECONDS = 60 };

/* A model whose users' ratings the journal does not know is activated without anybody folded in. close_late is due
 * after a failure, too. */
static enum tv_status open_late(const struct tv_stores *s, struct late_ratings *late, const struct tv_model *m,
                                struct tv_error *err)
{
    late->stores = (struct tv_fold_in_stores){
        .mongo = s->mongo, .pg = tv_lock_connection(s->lock), .uri = s->reader_uri, .seconds = READING_SECONDS};
    enum tv_status status = tv_model_fold_in(&late->fold_in, m, err);
    if (status == TV_OK)
        status = tv_fold_in_anew_create(&late->anew, m->run_number, &late->fold_in, m->item_ids,
                                        tv_lock_connection(s->lock), err);
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

static void close_late(struct late_ratings *late)
{
    tv_fold_in_end_reading(&late->stores);
    tv_fold_in_anew_free(late->anew);
    tv_fold_in_free(&late->fold_in);
}

/* Folds in users whose ratings came after the training read them. Users with whom that fails are told of after the
 * switch, when it matters. */
static enum tv_status catch_up(struct late_ratings *late, int live, struct tv_error *err)
{
    char users[32];
    struct tv_catch_up_work work = {0};
    if (late->anew == NULL)
        return TV_OK;
    enum tv_status status = tv_catch_up(&work, late->anew, &late->stores, live, err);
    if (status == TV_OK && live)
        tv_catch_up_report(&work, late->anew->model);
    if (status == TV_OK && work.users > 0)
        tv_log_info("%s users rated since the ratings were read: folded in%s", tv_text_number(users, work.users),
                    live ? " after the switch" : "");
    return status;
}

/* A user whose ratings could not be read for the model before may be read for this one, which may have another row
 * source. */
static enum tv_status forget_refused(const struct tv_stores *s, struct tv_error *err)
{
    return tv_pg_exec(tv_lock_connection(s->lock),
                      "UPDATE trivet.user_change SET refused_rev = 0 WHERE refused_rev > 0", 0, NULL, err);
}

/* Everything after the switch. The journal says `live` last, so a kill in between leaves `activating`, and repair
 * does all of this again. */
static enum tv_status finish(const struct tv_stores *s, int64_t run_number, struct late_ratings *late,
                             struct tv_error *err)
{
    char users[TV_MODEL_NAME];
    enum tv_status status = tv_mongo_point_view(s->mongo, "user", tv_model_users(users, run_number), err);
    if (status == TV_OK)
        status = forget_refused(s, err);
    if (status == TV_OK)
        status = catch_up(late, 1, err);
    return status == TV_OK ? tv_run_go_live(tv_lock_connection(s->lock), run_number, err) : status;
}

/* The journal says `activating` first: with trivet:live it tells whether a kill came before or after the switch.
 * The lock is asked for once more ahead of the step that cannot be undone. */
static enum tv_status switch_to(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err)
{
    enum tv_status status = tv_run_set_state(tv_lock_connection(s->lock), m->run_number, TV_RUN_ACTIVATING, err);
    if (status == TV_OK)
        status = publish_items(s->mongo, m, err);
    if (status == TV_OK)
        status = tv_lock_check(s->lock, err);
    return status == TV_OK ? tv_model_switch(s->redis, m, err) : status;
}

/* Users are caught up with twice. A rating that is committed before the second time is found by it; one that comes
 * later is folded in by its server, which by then reads that this model is live. */
enum tv_status tv_lifecycle_activate(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err)
{
    struct late_ratings late = {.anew = NULL};
    enum tv_status status = tv_lock_check(s->lock, err);
    if (status == TV_OK)
        status = open_late(s, &late, m, err);
    if (status == TV_OK)
        status = catch_up(&late, 0, err); /* most of it, so that nobody's list is old for long */
    if (status == TV_OK)
        status = switch_to(s, m, err);
    if (status == TV_OK)
        status = finish(s, m->run_number, &late, err);
    close_late(&late);
    return status;
}

/* Reads the model from Redis; where Redis has lost it, from MongoDB, and fills Redis again. */
static enum tv_status bring_back(const struct tv_stores *s, int64_t run_number, struct tv_model **m,
                                 struct tv_error *err)
{
    enum tv_status status = tv_model_read_redis(m, s->redis, run_number, err);
    if (status != TV_ERR_NOT_FOUND && status != TV_ERR_CORRUPT)
        return status;
    status = tv_model_read_mongo(m, s->mongo, run_number, err);
    if (status == TV_OK)
        status = tv_model_write_redis(s->redis, *m, err);
    if (status == TV_OK)
        tv_log_info("refilled Redis with model %" PRId64 " from MongoDB", run_number);
    return status;
}

enum tv_status tv_lifecycle_activate_run(const struct tv_stores *s, int64_t run_number, struct tv_error *err)
{
    struct tv_model *m = NULL;
    enum tv_status status = bring_back(s, run_number, &m, err);
    if (status == TV_OK)
        status = tv_lifecycle_activate(s, m, err);
    tv_model_free(m);
    return status;
}

/* The model is given by its run number, because the process that had it in memory is gone. */
enum tv_status tv_lifecycle_finish(const struct tv_stores *s, int64_t run_number, struct tv_error *err)
{
    struct tv_model *m = NULL;
    struct late_ratings late = {.anew = NULL};
    enum tv_status status = bring_back(s, run_number, &m, err);
    if (status == TV_OK)
        status = open_late(s, &late, m, err);
    if (status == TV_OK)
        status = finish(s, run_number, &late, err);
    close_late(&late);
    tv_model_free(m);
    return status;
}

/* Reads the live model anew, which is the costly step; called only where somebody waits. */
static enum tv_status fold_waiting(const struct tv_stores *s, int64_t live, const struct tv_changes *waiting,
                                   struct tv_catch_up_work *work, struct tv_error *err)
{
    struct tv_model *m = NULL;
    struct late_ratings late = {.anew = NULL};
    enum tv_status status = bring_back(s, live, &m, err);
    if (status == TV_OK)
        status = open_late(s, &late, m, err);
    if (status == TV_OK && late.anew)
        status = tv_catch_up_fold_in(work, waiting, late.anew, &late.stores, err);
    if (status == TV_OK)
        tv_catch_up_report(work, live);
    close_late(&late);
    tv_model_free(m);
    return status;
}

/* Folds in without a limit, and also users who were refused before, whom servers leave to the commands. */
enum tv_status tv_lifecycle_fold_in_waiting(const struct tv_stores *s, int64_t live, int64_t *users, int64_t *unwritten,
                                            struct tv_error *err)
{
    enum { ALL = 1 << 30 };
    struct tv_catch_up_work work = {0};
    struct tv_changes waiting = {0};
    struct tv_pg *pg = tv_lock_connection(s->lock);
    enum tv_status status = tv_catch_up_waiting(&waiting, pg, ALL, 1, err);
    if (status == TV_OK && waiting.n > 0)
        status = fold_waiting(s, live, &waiting, &work, err);
    if (status == TV_OK)
        status = tv_catch_up_count(&work, pg, s->mongo, ALL, err);
    tv_changes_free(&waiting);
    *users = work.users;
    *unwritten = work.told.unwritten.n;
    return status;
}

/* 1 if documents are what the ratings that stand here make of them. Of an import these stand elsewhere, and rows
 * that a load brought after the training, or took away, are in no document until the next one. */
static enum tv_status can_compare(const struct tv_stores *s, int64_t run_number, int64_t *can, struct tv_error *err)
{
    char text[24];
    const char *value = text;
    snprintf(text, sizeof text, "%" PRId64, run_number);
    return tv_pg_int(tv_lock_connection(s->lock),
                     "SELECT (r.kind = 'fit' AND r.snapshot IS NOT NULL AND NOT EXISTS (SELECT FROM trivet.load l "
                     "WHERE l.state IN ('complete', 'replaced') AND l.finished_at > r.started_at))::int "
                     "FROM trivet.run r WHERE r.id = $1",
                     1, &value, can, err);
}

enum tv_status tv_lifecycle_compare_users(const struct tv_stores *s, int64_t live, const int64_t *user_ids, size_t n,
                                          char *differs, int *compared, struct tv_error *err)
{
    struct tv_model *m = NULL;
    struct late_ratings late = {.anew = NULL};
    int64_t can = 0;
    *compared = 0;
    enum tv_status status = can_compare(s, live, &can, err);
    if (status != TV_OK || !can)
        return status;
    status = bring_back(s, live, &m, err);
    if (status == TV_OK)
        status = open_late(s, &late, m, err);
    if (status == TV_OK && late.anew && !late.anew->own_source) {
        *compared = 1;
        status = tv_fold_in_compare(late.anew, late.stores.pg, s->mongo, user_ids, n, differs, err);
    }
    close_late(&late);
    tv_model_free(m);
    return status;
}

/* model_<N> goes first: without it nobody takes the rest for a whole model. */
enum tv_status tv_lifecycle_discard(const struct tv_stores *s, int64_t run_number, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    enum tv_status status = tv_mongo_drop(s->mongo, tv_model_parts(name, run_number), err);
    if (status == TV_OK)
        status = tv_mongo_drop(s->mongo, tv_model_users(name, run_number), err);
    if (status == TV_OK)
        status = tv_mongo_drop(s->mongo, tv_model_user_parts(name, run_number), err);
    if (status == TV_OK)
        status = tv_mongo_drop(s->mongo, items_name(name, run_number), err);
    return status == TV_OK ? tv_model_drop_redis(s->redis, run_number, err) : status;
}

/* Runs ascend, so the first ones are the oldest. The stores come before the journal: a kill in between leaves a
 * model that is kept in the journal alone, which repair finds. */
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
