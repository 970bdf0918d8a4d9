/* repair: brings journal, MongoDB and Redis to agree, whatever was killed, restarted or lost.
 *
 * The caller holds the lock, so nobody else works on models: a model that is still `building` or `activating`
 * has lost its process. The journal is the word on what should be live; Redis is the word on whether a switch happened.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/repair/inside.h"
#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/model/journal.h"
#include "trivet/model/last_run.h"
#include "trivet/model/life/catalogue.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/model_redis.h"
#include "trivet/similar/settle.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/pg_rows.h"
#include "trivet/store/redis_keys.h"

/* The line of most findings here: a model's run number and what became of it. */
static void did(struct tv_repair *r, const char *what, int64_t run_number)
{
    tv_repair_did(r, "model %" PRId64 " %s", run_number, what);
}

/* --- runs whose process is gone --------------------------------------------------------------------------- */

/* Corrects what servers tell of the last training (last_run.h), if this is the one: they would tell of it as under
 * way for ever. */
static enum tv_status note(struct tv_repair *r, int64_t run_number, enum tv_run_state state, struct tv_error *err)
{
    struct tv_last_run last;
    enum tv_status status = tv_last_run_read(&last, r->stores->redis, err);
    if (status == TV_ERR_NOT_FOUND || status == TV_ERR_CORRUPT || (status == TV_OK && last.run != run_number))
        return TV_OK;
    return status == TV_OK ? tv_last_run_note(r->stores->redis, run_number, state, err) : status;
}

/* A run that is building holds the lock that repair holds now, so its process is gone. Nothing of it was shown to
 * anybody: it is deleted before the run is called failed, so that a kill in between leaves it to the next repair. */
static enum tv_status end_building(struct tv_repair *r, int64_t run_number, struct tv_error *err)
{
    enum tv_status status = tv_lifecycle_discard(r->stores, run_number, err);
    if (status == TV_OK)
        status = tv_run_fail(r->journal, run_number, "its process ended before the model was complete", err);
    if (status == TV_OK)
        status = note(r, run_number, TV_RUN_FAILED, err);
    if (status == TV_OK)
        did(r, "was never finished: deleted", run_number);
    return status;
}

/* An activation gives the item documents their `score_kind` before Redis switches, so after a kill in between they
 * may speak of a model that was not switched to. The live model's is put back. A live model that Redis does not hold
 * whole is no failure here, because show_live mends that. */
static enum tv_status say_score_again(struct tv_repair *r, int64_t live, struct tv_error *err)
{
    struct tv_model *m = NULL;
    enum tv_status status = live ? tv_model_read_redis(&m, r->stores->redis, live, err) : TV_OK;
    if (status == TV_OK && m)
        status = tv_catalogue_say_score(r->stores->mongo, m, err);
    tv_model_free(m);
    return status == TV_ERR_NOT_FOUND || status == TV_ERR_CORRUPT ? TV_OK : status;
}

/* A model that was being activated: if Redis does not show it, the switch never came, and it is a kept model like any
 * other. If Redis does, requests see it already, and the rest of the activation is done now. */
static enum tv_status end_activating(struct tv_repair *r, int64_t run_number, struct tv_error *err)
{
    int64_t live = 0;
    enum tv_status status = tv_model_live(r->stores->redis, &live, err);
    if (status != TV_OK && status != TV_ERR_NOT_FOUND)
        return status;
    if (live != run_number) {
        status = say_score_again(r, live, err);
        if (status == TV_OK)
            status = tv_run_set_state(r->journal, run_number, TV_RUN_KEPT, err);
        if (status == TV_OK)
            status = note(r, run_number, TV_RUN_KEPT, err);
        if (status == TV_OK)
            did(r, "was not switched to: kept", run_number);
        return status;
    }
    status = tv_lifecycle_finish(r->stores, run_number, err);
    if (status == TV_OK)
        did(r, "was switched to, but not written down: live", run_number);
    return status;
}

/* Pruning deletes model_<N> first and calls the run pruned last. A kept model without that collection was killed in
 * between, and the rest of it goes now. */
static enum tv_status end_pruning(struct tv_repair *r, int64_t run_number, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    int exists = 0;
    enum tv_status status = tv_mongo_exists(r->stores->mongo, tv_model_parts(name, run_number), &exists, err);
    if (status != TV_OK || exists)
        return status;
    status = tv_lifecycle_discard(r->stores, run_number, err);
    if (status == TV_OK)
        status = tv_run_set_state(r->journal, run_number, TV_RUN_PRUNED, err);
    if (status == TV_OK)
        did(r, "was pruned halfway: deleted", run_number);
    return status;
}

/* Evaluations and searches take no lock and go on beside a training or a repair, so that one is building says
 * nothing. Their connection holds a lock of its own, and a run whose lock nobody holds has failed. */
static enum tv_status end_beside(struct tv_repair *r, struct tv_error *err)
{
    int64_t n = 0;
    enum tv_status status = tv_run_fail_abandoned(r->journal, &n, err);
    if (n > 0)
        tv_repair_did(r, "%" PRId64 " evaluations or searches were never finished: failed", n);
    return status;
}

/* We hold the lock, so no load is under way. What one that was killed had copied, no query reads, but it is somebody's: forget may
 * leave nothing of them anywhere. */
static enum tv_status end_loads(struct tv_repair *r, struct tv_error *err)
{
    int64_t n = 0;
    enum tv_status status = tv_pg_int(r->journal, "SELECT trivet.load_clean()", 0, NULL, &n, err);
    if (n > 0)
        tv_repair_did(r, "%" PRId64 " killed load%s left rows: deleted", n, n == 1 ? "" : "s");
    return status;
}

/* Ends every run that makes a model and whose process is gone. Afterwards none is `building` or `activating`, and
 * every later step can take the journal at its word. */
static enum tv_status end_runs(struct tv_repair *r, struct tv_error *err)
{
    struct tv_run *runs = NULL;
    size_t n = 0;
    unsigned states = 1u << TV_RUN_BUILDING | 1u << TV_RUN_ACTIVATING | 1u << TV_RUN_KEPT;
    enum tv_status status = tv_run_list(r->journal, states, &runs, &n, err);
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        if (!tv_run_makes_model(runs[i].kind))
            continue;
        if (runs[i].state == TV_RUN_BUILDING)
            status = end_building(r, runs[i].id, err);
        else if (runs[i].state == TV_RUN_ACTIVATING)
            status = end_activating(r, runs[i].id, err);
        else
            status = end_pruning(r, runs[i].id, err);
    }
    tv_run_list_free(runs, n);
    return status;
}

/* --- the live model --------------------------------------------------------------------------------------- */

/* 1 in *ok if Redis shows `run_number`, whole, with its alias for notebooks (item_factors) where one is due. A key that
 * is missing or damaged is an answer and no failure. */
static enum tv_status redis_shows(struct tv_repair *r, int64_t run_number, int *ok, struct tv_error *err)
{
    int64_t shown = 0;
    struct tv_model *m = NULL;
    *ok = 0;
    enum tv_status status = tv_model_live(r->stores->redis, &shown, err);
    if (status == TV_OK && shown == run_number) {
        status = tv_model_read_redis(&m, r->stores->redis, run_number, err);
        if (status == TV_OK)
            status = tv_model_alias_agrees(r->stores->redis, m, ok, err);
    }
    tv_model_free(m);
    return status == TV_ERR_NOT_FOUND || status == TV_ERR_CORRUPT ? TV_OK : status;
}

static enum tv_status view_is_on(struct tv_repair *r, const char *view, const char *collection, int *ok, struct tv_error *err)
{
    char *on = NULL;
    enum tv_status status = tv_mongo_view_target(r->stores->mongo, view, &on, err);
    *ok = on && strcmp(on, collection) == 0;
    free(on);
    return status;
}

/* 1 in *ok if the views `user` and `item`, through which notebooks read, are on the live model's collections. */
static enum tv_status views_show(struct tv_repair *r, int *ok, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    enum tv_status status = view_is_on(r, "user", tv_model_users(name, r->live), ok, err);
    return status == TV_OK && *ok ? view_is_on(r, "item", tv_model_catalogue(name, r->live_dataset), ok, err) : status;
}

/* 1 in *ok if MongoDB has both collections of a model. Whether they are whole is tv_repair_models's question. */
static enum tv_status mongo_has(struct tv_repair *r, int64_t run_number, int *ok, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    int parts = 0, users = 0;
    enum tv_status status = tv_mongo_exists(r->stores->mongo, tv_model_parts(name, run_number), &parts, err);
    if (status == TV_OK)
        status = tv_mongo_exists(r->stores->mongo, tv_model_users(name, run_number), &users, err);
    *ok = parts && users;
    return status;
}

/* MongoDB is where a model is kept: what it has lost, nothing brings back. Were that an error, no command could go on,
 * and so no fit could make another model. */
static enum tv_status give_up_live(struct tv_repair *r, int64_t run_number, struct tv_error *err)
{
    enum tv_status status = tv_repair_give_up(r, run_number, err);
    if (status == TV_OK)
        status = tv_redis_delete(r->stores->redis, TV_LIVE_KEY, err);
    if (status == TV_OK)
        status = tv_redis_delete(r->stores->redis, "item_factors", err);
    if (status == TV_OK)
        tv_log_error("repair: model %" PRId64
                     " was live, but MongoDB has lost it, so none is live now; trivet-train fit "
                     "makes one, trivet-train models lists what is kept",
                     run_number);
    return status;
}

/* The journal is the word on what should be live: if Redis or the view shows anything else, the model is activated
 * once more. That needs it whole in Redis or MongoDB, and a model that is whole nowhere is given up. */
static enum tv_status show_live(struct tv_repair *r, struct tv_error *err)
{
    int64_t live = r->live;
    int mongo_ok = 0, redis_ok = 0, view_ok = 0;
    if (live == 0)
        return TV_OK;
    enum tv_status status = mongo_has(r, live, &mongo_ok, err);
    if (status == TV_OK && !mongo_ok)
        return give_up_live(r, live, err);
    if (status == TV_OK)
        status = redis_shows(r, live, &redis_ok, err);
    if (status == TV_OK)
        status = views_show(r, &view_ok, err);
    if (status != TV_OK || (redis_ok && view_ok))
        return status;
    status = tv_lifecycle_show_again(r->stores, live, err);
    if (status == TV_OK)
        did(r, redis_ok ? "was not the one notebooks saw: views moved" : "was not what Redis showed: switched to", live);
    else if (status == TV_ERR_NOT_FOUND || status == TV_ERR_CORRUPT)
        return give_up_live(r, live, err);
    return status;
}

/* *kept becomes 1 if the journal has the model as kept; otherwise it stays as the caller set it. */
static enum tv_status is_kept(struct tv_repair *r, int64_t run_number, int *kept, struct tv_error *err)
{
    struct tv_run *runs = NULL;
    size_t n = 0;
    enum tv_status status = tv_run_list(r->journal, 1u << TV_RUN_KEPT, &runs, &n, err);
    for (size_t i = 0; i < n; i++)
        *kept |= runs[i].id == run_number;
    tv_run_list_free(runs, n);
    return status;
}

/* The journal says that no model is live, as after a restore of an older backup of Postgres, and Redis shows one to
 * everybody. If the journal keeps that model, it becomes live there, too. */
static enum tv_status ask_redis(struct tv_repair *r, struct tv_error *err)
{
    int64_t shown = 0;
    int kept = 0;
    enum tv_status status = tv_model_live(r->stores->redis, &shown, err);
    if (status == TV_ERR_NOT_FOUND)
        return TV_OK;
    if (status == TV_OK)
        status = is_kept(r, shown, &kept, err);
    if (status == TV_OK && kept)
        status = tv_lifecycle_finish(r->stores, shown, err);
    if (status == TV_OK && kept) {
        did(r, "was shown by Redis, while the journal had none that is live: live", shown);
    } else if (status == TV_OK || status == TV_ERR_NOT_FOUND || status == TV_ERR_CORRUPT) {
        tv_repair_problem(
            r, "Redis shows model %" PRId64 ", which this journal does not keep; trivet-train fit makes another",
            shown);
        status = TV_OK;
    }
    return status;
}

/* The live model is shown to everybody. It may have to be given up: then none is live. */
static enum tv_status mend_live(struct tv_repair *r, struct tv_error *err)
{
    int before = r->changes;
    enum tv_status status = tv_repair_read_live(r, err);
    if (status == TV_OK && r->live == 0)
        status = ask_redis(r, err);
    if (status == TV_OK)
        status = tv_repair_read_live(r, err);
    if (status == TV_OK)
        status = show_live(r, err);
    if (status == TV_OK)
        status = tv_repair_read_live(r, err);
    if (status == TV_OK && r->live > 0)
        tv_repair_say(r, "live model: %" PRId64 " by the journal; trivet:live, item_factors and the views user and item %s",
                      r->live, r->changes > before ? "were not its: set" : "are its");
    else if (status == TV_OK)
        tv_repair_say(r, "live model: none");
    return status;
}

/* Folds in users whose single ratings nobody folded in, because a server was killed or MongoDB was away. A model that
 * was given up has no users. */
static enum tv_status fold_waiting(struct tv_repair *r, struct tv_error *err)
{
    int64_t users = 0, unwritten = 0;
    enum tv_status status = TV_OK;
    if (r->live > 0)
        status = tv_lifecycle_fold_in_waiting(r->stores, r->live, &users, &unwritten, err);
    if (unwritten > 0)
        tv_repair_problem(r,
                          "MongoDB refuses the documents of %" PRId64 " users of model %" PRId64
                          "; when it takes them, trivet-train repair writes them",
                          unwritten, r->live);
    if (status == TV_OK && users > 0)
        tv_repair_did(r, "folded in %" PRId64 " users whose ratings had not reached MongoDB", users);
    return status;
}

/* Ends indices of similar items that nobody builds any more: builds hold the lock that repair holds, so an index that
 * is building now has lost its process. */
static enum tv_status end_similar(struct tv_repair *r, struct tv_error *err)
{
    int64_t there = 0, live = 0, changed = 0;
    enum tv_status status =
        tv_pg_int(r->journal, "SELECT (to_regproc('trivet.similar_wanted') IS NOT NULL)::int", 0, NULL, &there, err);
    if (status == TV_OK && there) /* otherwise the schema is older */
        status = tv_similar_settle(r->journal, r->stores->redis, NULL, &live, &changed, err);
    if (changed > 0 && live > 0)
        tv_log_info("repair: the journal was wrong about %" PRId64 " indices of similar items: %" PRId64 " is live",
                    changed, live);
    else if (changed > 0)
        tv_log_info("repair: %" PRId64 " indices of similar items are over; trivet-train similar builds one", changed);
    r->changes += (int)changed;
    return status;
}

/* --- what belongs to no run ------------------------------------------------------------------------------- */

/* A walk over the names of all models in both stores. */
struct sweep {
    struct tv_repair *repair;
    struct tv_run *runs; /* all of the journal */
    size_t n_runs;
    int64_t largest; /* number found, known to the journal or not */
};

/* user_12, parts_12, model_12 and trivet:model:{12}... -> 12; 0 for other names. */
static int64_t number_in(const char *name)
{
    const char *digits = strpbrk(name, "_{");
    int64_t run_number = 0;
    size_t n = digits ? strspn(digits + 1, "0123456789") : 0;
    if (n == 0 || (digits[0] == '_' && digits[1 + n] != '\0') || !tv_text_int64(digits + 1, n, &run_number))
        return 0;
    return run_number;
}

/* Deletes the rest of a run that the journal calls pruned or failed. A model of a number that the journal never
 * gave is somebody else's: it is left alone. */
static enum tv_status sweep_name(void *context, const char *name, struct tv_error *err)
{
    struct sweep *s = context;
    int64_t run_number = number_in(name);
    if (run_number > s->largest)
        s->largest = run_number;
    for (size_t i = 0; i < s->n_runs; i++) {
        if (s->runs[i].id != run_number)
            continue;
        if (s->runs[i].state != TV_RUN_PRUNED && s->runs[i].state != TV_RUN_FAILED)
            return TV_OK;
        enum tv_status status = tv_lifecycle_discard(s->repair->stores, run_number, err);
        if (status == TV_OK)
            did(s->repair, "left something behind: deleted", run_number);
        return status;
    }
    if (run_number > 0)
        tv_log_debug("repair: %s belongs to no run of this journal and is left alone", name);
    return TV_OK;
}

/* Moves the journal's next run number beyond every number found in the stores. A store that another journal wrote to,
 * or a restored older backup of Postgres, has models of numbers that this journal would give again, and a training
 * would write over them. */
static enum tv_status skip_foreign_numbers(struct sweep *s, struct tv_error *err)
{
    int64_t newest = s->n_runs > 0 ? s->runs[s->n_runs - 1].id : 0;
    if (s->largest <= newest)
        return TV_OK;
    char text[24];
    const char *value = text;
    snprintf(text, sizeof text, "%" PRId64, s->largest);
    tv_log_info("repair: the stores hold models up to %s that this journal does not know; it goes on after them", text);
    return tv_pg_exec(s->repair->journal,
                      "SELECT setval(pg_get_serial_sequence('trivet.run', 'id'), "
                      "greatest($1::bigint, (SELECT last_value FROM trivet.run_id_seq)))",
                      1, &value, err);
}

/* Lists that somebody put into Postgres while the model was being deleted. The runs that have any are found by the table's
 * key. */
static enum tv_status sweep_lists(struct tv_repair *r, struct tv_error *err)
{
    enum tv_status status =
        tv_pg_exec(r->journal,
                   "DELETE FROM trivet.recommendation WHERE run_id = ANY (ARRAY(SELECT x.id FROM trivet.run x WHERE x.state IN "
                   "('pruned', 'failed') AND EXISTS (SELECT FROM trivet.recommendation c WHERE c.run_id = x.id)))",
                   0, NULL, err);
    if (status == TV_OK && tv_pg_affected(r->journal) > 0)
        tv_repair_did(r, "trivet.recommendation had lists of models that are gone: deleted");
    return status;
}

/* Goes through everything in MongoDB and Redis whose name has a run number. */
static enum tv_status sweep_leftovers(struct tv_repair *r, struct tv_error *err)
{
    struct sweep s = {.repair = r};
    enum tv_status status = tv_run_list(r->journal, ~0u, &s.runs, &s.n_runs, err);
    const char *const prefixes[] = {"model_", "user_", "parts_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && status == TV_OK; i++)
        status = tv_mongo_names(r->stores->mongo, prefixes[i], sweep_name, &s, err);
    if (status == TV_OK)
        status = tv_redis_keys(r->stores->redis, "trivet:model:{*", sweep_name, &s, err);
    if (status == TV_OK)
        status = sweep_lists(r, err);
    if (status == TV_OK)
        status = skip_foreign_numbers(&s, err);
    tv_run_list_free(s.runs, s.n_runs);
    return status;
}

/* The order matters: first what is read gets the right type; then every load and run gets an end, item documents their data set,
 * models are made whole, and the live one is shown; then users, items and the index, which hang on the live model, are compared; and what
 * belongs to no run goes last, when the journal is true. */
enum tv_status tv_lifecycle_repair(const struct tv_stores *s, const struct tv_repair_report *report,
                                   struct tv_repair_counts *counts, struct tv_error *err)
{
    enum tv_status (*const steps[])(struct tv_repair *, struct tv_error *) = {
        tv_repair_kinds, end_loads,    end_runs,        end_beside,      tv_repair_catalogues, tv_repair_models,
        mend_live,       fold_waiting, tv_repair_users, tv_repair_items, end_similar,          tv_repair_similar,
        sweep_leftovers};
    struct tv_repair r = {.stores = s, .journal = tv_lock_connection(s->lock), .report = report};
    enum tv_status status = tv_lock_check(s->lock, err);
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == TV_OK; i++)
        status = steps[i](&r, err);
    if (counts)
        *counts = (struct tv_repair_counts){.changes = r.changes, .problems = r.problems, .live = r.live,
                                            .longest_list = r.longest_list};
    return status;
}
