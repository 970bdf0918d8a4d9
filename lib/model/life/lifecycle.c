/* lifecycle: activate, prune and discard. The header has the order of an activation; lib/repair brings the stores
 * to agree after a kill.
 */
#include "trivet/model/life/lifecycle.h"

#include <inttypes.h>
#include <stdio.h>

#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/model/journal.h"
#include "trivet/model/life/catalogue.h"
#include "trivet/model/life/catch_up.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/model_mongo.h"
#include "trivet/model/model_redis.h"
#include "trivet/schema/patient.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_write.h"
#include "trivet/store/pg_rows.h"

/* All that it takes to fold users into a model; `anew` is NULL for a model whose users' ratings the journal does
 * not know, or that is of another data set than the one that is loaded. */
struct late_ratings {
    struct tv_fold_in fold_in;
    struct tv_fold_in_anew *anew;
    struct tv_fold_in_stores stores;
};

/* How long a statement of an analyst's row source may take, while a command waits for it. */
enum { READING_SECONDS = 60 };

/* 1 in *is if trivet.rating shows the data set that the journal has with the run. */
static enum tv_status is_loaded(const struct tv_stores *s, int64_t run_number, int64_t *is, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    snprintf(number, sizeof number, "%" PRId64, run_number);
    return tv_pg_int(tv_lock_connection(s->lock),
                     "SELECT count(*) FROM trivet.run WHERE id = $1 AND dataset IS NOT DISTINCT FROM trivet.current_dataset()",
                     1, &value, is, err);
}

/* Without `anew` a model is activated and nobody is folded in: those who wait have ratings of other data. close_late
 * is due after a failure, too. */
static enum tv_status open_late(const struct tv_stores *s, struct late_ratings *late, const struct tv_model *m,
                                struct tv_error *err)
{
    int64_t loaded = 0;
    late->stores = (struct tv_fold_in_stores){
        .mongo = s->mongo, .pg = tv_lock_connection(s->lock), .uri = s->reader_uri, .seconds = READING_SECONDS};
    enum tv_status status = tv_model_fold_in(&late->fold_in, m, err);
    if (status == TV_OK)
        status = is_loaded(s, m->run_number, &loaded, err);
    if (status == TV_OK && loaded)
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
static enum tv_status finish(const struct tv_stores *s, const struct tv_model *m, struct late_ratings *late,
                             struct tv_error *err)
{
    char users[TV_MODEL_NAME];
    enum tv_status status = tv_catalogue_show(s->mongo, m->dataset, err);
    if (status == TV_OK)
        status = tv_mongo_point_view(s->mongo, "user", tv_model_users(users, m->run_number), err);
    if (status == TV_OK)
        status = forget_refused(s, err);
    if (status == TV_OK)
        status = catch_up(late, 1, err);
    return status == TV_OK ? tv_run_go_live(tv_lock_connection(s->lock), m->run_number, err) : status;
}

/* The journal says `activating` first: with trivet:live it tells whether a kill came before or after the switch.
 * The lock is asked for once more ahead of the step that cannot be undone. */
static enum tv_status switch_to(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err)
{
    enum tv_status status = tv_run_set_state(tv_lock_connection(s->lock), m->run_number, TV_RUN_ACTIVATING, err);
    if (status == TV_OK)
        status = tv_catalogue_say_score(s->mongo, m, err);
    if (status == TV_OK)
        status = tv_lock_check(s->lock, err);
    return status == TV_OK ? tv_model_switch(s->redis, m, err) : status;
}

/* Users are caught up with twice. A rating that is committed before the second time is found by it; one that comes
 * later is folded in by its server, which by then reads that this model is live. */
static enum tv_status show(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err)
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
        status = finish(s, m, &late, err);
    close_late(&late);
    return status;
}

/* A data set that is to be loaded, on the journal's connection. */
struct use {
    struct tv_pg *pg;
    const char *dataset;
};

/* One attempt of tv_patiently. */
static enum tv_status use_dataset(void *context, struct tv_error *err)
{
    struct use *use = context;
    return tv_pg_exec(use->pg, "SELECT trivet.use_dataset($1::bigint)", 1, &use->dataset, err);
}

static enum tv_status ratings_gone(const char *model, const char *name, struct tv_error *err)
{
    tv_fail(err, TV_ERR_INPUT, "model %s was learned from data set %s, whose ratings were replaced by an older trivet",
            model, name);
    struct tv_buffer quoted = TV_BUFFER_INIT(4096);
    tv_ignore(tv_buffer_shell(&quoted, name, NULL), "a hint without the name is a hint");
    tv_hint(err, "load them again: trivet-etl load DIR --name %s", tv_buffer_string(&quoted));
    tv_buffer_free(&quoted);
    return TV_ERR_INPUT;
}

/* The rows of the model's data set come back before anybody is folded in from them. Killed after it, that data set is
 * loaded and a model of another one is live, as after a load: a state that every command knows. */
static enum tv_status load_dataset(const struct tv_stores *s, int64_t run_number, struct tv_error *err)
{
    struct tv_pg *pg = tv_lock_connection(s->lock);
    struct tv_pg_rows *rows = NULL;
    char number[24];
    const char *value = number;
    snprintf(number, sizeof number, "%" PRId64, run_number);
    enum tv_status status = tv_pg_query(pg,
                                        "SELECT dataset, name, gone::int FROM trivet.dataset_of_run($1) "
                                        "WHERE dataset IS DISTINCT FROM trivet.current_dataset()",
                                        1, &value, &rows, err);
    const char *dataset = status == TV_OK && tv_pg_rows_count(rows) > 0 ? tv_pg_cell(rows, 0, 0) : NULL;
    struct use use = {.pg = pg, .dataset = dataset};
    const struct tv_patience patience = {.what = "waiting for queries on trivet.rating to end, to bring back the model's data set",
                                         .readers = 1,
                                         .seconds = s->lock_wait};
    if (dataset) {
        const char *name = tv_pg_cell(rows, 0, 1);
        if (name == NULL)
            status = tv_fail(err, TV_ERR_NOT_FOUND, "the data set that model %s was learned from is gone", number);
        else if (*tv_pg_cell(rows, 0, 2) == '1')
            status = ratings_gone(number, name, err);
        if (status == TV_OK)
            status = tv_patiently(pg, &patience, use_dataset, &use, err);
        if (status == TV_OK)
            tv_log_info("data set %s takes the place of what was loaded: model %s was learned from it", name, number);
    }
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_lifecycle_activate(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err)
{
    enum tv_status status = tv_lock_check(s->lock, err);
    if (status == TV_OK)
        status = load_dataset(s, m->run_number, err);
    return status == TV_OK ? show(s, m, err) : status;
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

/* What the journal calls live is shown whatever is loaded: a load of other data does not change what is served. */
enum tv_status tv_lifecycle_show_again(const struct tv_stores *s, int64_t run_number, struct tv_error *err)
{
    struct tv_model *m = NULL;
    enum tv_status status = bring_back(s, run_number, &m, err);
    if (status == TV_OK)
        status = show(s, m, err);
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
        status = finish(s, m, &late, err);
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
    int64_t loaded = 0;
    enum tv_status status = is_loaded(s, live, &loaded, err);
    if (status == TV_OK && loaded) /* otherwise those who wait have ratings of other data than the model's */
        status = tv_catch_up_waiting(&waiting, pg, ALL, 1, err);
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
                     "WHERE l.dataset = r.dataset AND l.state IN ('complete', 'replaced') AND l.finished_at > r.started_at))::int "
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

/* Rows of the journal's that go with a model: what a notebook or a shop reads there would outlive it. */
static enum tv_status discard_rows(const struct tv_stores *s, int64_t run_number, int64_t *dataset, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    struct tv_pg *pg = tv_lock_connection(s->lock);
    snprintf(number, sizeof number, "%" PRId64, run_number);
    enum tv_status status = tv_pg_exec(pg, "DELETE FROM trivet.recommendation WHERE run_id = $1", 1, &value, err);
    return status == TV_OK ? tv_pg_int(pg, "SELECT coalesce(max(dataset), 0) FROM trivet.run WHERE id = $1", 1, &value, dataset, err)
                           : status;
}

/* model_<N> goes first: without it nobody takes the rest for a whole model. */
enum tv_status tv_lifecycle_discard(const struct tv_stores *s, int64_t run_number, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    int64_t dataset = 0;
    enum tv_status status = tv_mongo_drop(s->mongo, tv_model_parts(name, run_number), err);
    if (status == TV_OK)
        status = tv_mongo_drop(s->mongo, tv_model_users(name, run_number), err);
    if (status == TV_OK)
        status = tv_mongo_drop(s->mongo, tv_model_user_parts(name, run_number), err);
    if (status == TV_OK)
        status = discard_rows(s, run_number, &dataset, err);
    if (status == TV_OK)
        status = tv_catalogue_discard(s->mongo, dataset, run_number, err);
    return status == TV_OK ? tv_model_drop_redis(s->redis, run_number, err) : status;
}

/* How many models of the data set of runs[i] are newer. */
static size_t newer(const struct tv_run *runs, size_t n, size_t i)
{
    size_t found = 0;
    for (size_t j = i + 1; j < n; j++)
        found += runs[j].dataset == runs[i].dataset;
    return found;
}

/* The stores come before the journal: a kill in between leaves a model that is kept in the journal alone, which repair
 * finds. */
static enum tv_status prune(const struct tv_stores *s, int64_t run_number, struct tv_error *err)
{
    enum tv_status status = tv_lifecycle_discard(s, run_number, err);
    if (status == TV_OK)
        status = tv_run_set_state(tv_lock_connection(s->lock), run_number, TV_RUN_PRUNED, err);
    if (status == TV_OK)
        tv_log_info("pruned model %" PRId64, run_number);
    return status;
}

/* Runs ascend, so the first ones of a data set are its oldest. */
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
    for (size_t i = 0; status == TV_OK && i < n; i++)
        if (runs[i].state != TV_RUN_LIVE && runs[i].id != previous && newer(runs, n, i) >= (size_t)keep)
            status = prune(s, runs[i].id, err);
    tv_run_list_free(runs, n);
    return status;
}
