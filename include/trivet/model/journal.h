/* journal: the lock that guards every change of models and ratings, and the rows of trivet.run.
 *
 * The lock is a session-level advisory lock of PostgreSQL on a connection of its own: it ends with the process,
 * however that ends. It is checked before each step that cannot be undone.
 */
#ifndef TRIVET_MODEL_JOURNAL_H
#define TRIVET_MODEL_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/store/pg.h"

struct tv_lock;

/* The version of the schema that sql/ makes and these programs know. */
enum { TV_SCHEMA_VERSION = 1 };

/* TV_ERR_INPUT with a hint while the database has no schema trivet, TV_ERR_STORE when it has a newer one. */
enum tv_status tv_journal_check_schema(struct tv_pg *pg, struct tv_error *err);

/* Takes the lock; `who` ("trivet-train fit") is what others are told. With `wait` it waits for the present holder
 * and says whom it waits for; without, TV_ERR_BUSY names the holder. */
enum tv_status tv_lock_acquire(struct tv_lock **out, const char *postgres_uri, const char *who, int wait,
                               int connect_wait_seconds, struct tv_error *err);
/* Puts the run's number into the name others are told: "trivet-train fit (run 12)". */
enum tv_status tv_lock_name_run(struct tv_lock *lock, int64_t run, struct tv_error *err);
/* TV_ERR_BUSY when the connection, and so the lock, is lost. */
enum tv_status tv_lock_check(struct tv_lock *lock, struct tv_error *err);
/* The lock's connection, for short statements that must not be part of a snapshot: the journal itself. */
struct tv_pg *tv_lock_connection(struct tv_lock *lock);
void tv_lock_release(struct tv_lock *lock); /* NULL is fine */

/* Evaluations and searches end as done, models as kept. */
enum tv_run_state { TV_RUN_BUILDING, TV_RUN_KEPT, TV_RUN_ACTIVATING, TV_RUN_LIVE, TV_RUN_PRUNED, TV_RUN_FAILED, TV_RUN_DONE };
enum tv_run_kind { TV_RUN_FIT, TV_RUN_IMPORT, TV_RUN_EVALUATE, TV_RUN_SEARCH };
int tv_run_makes_model(enum tv_run_kind kind);
const char *tv_run_kind_name(enum tv_run_kind kind);

struct tv_run {
    int64_t id;
    enum tv_run_kind kind;
    enum tv_run_state state;
    char started_at[32], live_at[32]; /* ISO 8601, "" if null */
    char algorithm[32];
    char *parameters, *filter, *counts, *metrics, *source, *message; /* JSON and text, owned; never NULL */
};

/* What a new run is: all texts are lent; JSON where the column is jsonb. */
struct tv_run_plan {
    enum tv_run_kind kind;
    const char *command, *algorithm, *parameters, *filter, *source, *data, *fingerprint;
    const char *snapshot; /* what the training sees: pg_current_snapshot(); NULL: it read no ratings */
    const char *evidence; /* the SELECT that users are folded in from; NULL: the filter says it */
};
enum tv_status tv_run_begin(struct tv_pg *pg, const struct tv_run_plan *plan, int64_t *id, struct tv_error *err);
/* The same for a run that makes no model. It needs no lock, so that it can go on beside a training; instead `pg` holds
 * the run (trivet.hold_run) until it is closed, which tells others that its process is there. */
enum tv_status tv_run_begin_beside(struct tv_pg *pg, const struct tv_run_plan *plan, int64_t *id, struct tv_error *err);
/* Runs begun beside whose process is gone become failed; *n is how many. */
enum tv_status tv_run_fail_abandoned(struct tv_pg *pg, int64_t *n, struct tv_error *err);
/* building -> kept, with its counts (JSON). */
enum tv_status tv_run_complete(struct tv_pg *pg, int64_t id, const char *counts, struct tv_error *err);
/* building -> done, with its counts and metrics (JSON). */
enum tv_status tv_run_done(struct tv_pg *pg, int64_t id, const char *counts, const char *metrics, struct tv_error *err);
/* What was measured on a model, while it is being made. */
enum tv_status tv_run_set_metrics(struct tv_pg *pg, int64_t id, const char *metrics, struct tv_error *err);
/* Why a model that is whole does not go live. */
enum tv_status tv_run_set_message(struct tv_pg *pg, int64_t id, const char *message, struct tv_error *err);
enum tv_status tv_run_fail(struct tv_pg *pg, int64_t id, const char *message, struct tv_error *err);
enum tv_status tv_run_set_state(struct tv_pg *pg, int64_t id, enum tv_run_state state, struct tv_error *err);
/* One transaction: the live run becomes kept, `id` becomes live now. */
enum tv_status tv_run_go_live(struct tv_pg *pg, int64_t id, struct tv_error *err);

/* The runs in the given states (bits 1 << state), ascending by id. */
enum tv_status tv_run_list(struct tv_pg *pg, unsigned states, struct tv_run **runs, size_t *n, struct tv_error *err);
void tv_run_list_free(struct tv_run *runs, size_t n);

/* The model in state live, or 0; the model that was live before it and is still kept, or 0. */
enum tv_status tv_run_live(struct tv_pg *pg, int64_t *live, struct tv_error *err);
enum tv_status tv_run_previous(struct tv_pg *pg, int64_t *previous, struct tv_error *err);
const char *tv_run_state_name(enum tv_run_state state);

#endif
