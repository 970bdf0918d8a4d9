/* journal: what is written into trivet.run while a run goes on. */
#ifndef TRIVET_MODEL_JOURNAL_H
#define TRIVET_MODEL_JOURNAL_H

#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/model/run.h"
#include "trivet/store/pg.h"

/* A run that is to begin: all texts are lent; JSON where the column is jsonb. */
struct tv_run_plan {
    enum tv_run_kind kind;
    int64_t dataset; /* that it read; 0: none of Postgres's */
    const char *command, *algorithm, *parameters, *filter, *source, *data, *fingerprint;
    const char *snapshot; /* what the training sees: pg_current_snapshot(); NULL: it read no ratings */
    const char *evidence; /* the SELECT that users are folded in from; NULL: the filter says it */
};
enum tv_status tv_run_begin(struct tv_pg *pg, const struct tv_run_plan *plan, int64_t *run_number,
                            struct tv_error *err);
/* The same for a run that makes no model. It needs no lock, so that it can go on beside a training; instead `pg` holds
 * the run (trivet.hold_run) until it is closed, which tells others that its process is there. */
enum tv_status tv_run_begin_beside(struct tv_pg *pg, const struct tv_run_plan *plan, int64_t *run_number,
                                   struct tv_error *err);
/* Runs begun beside whose process is gone become failed; *n is how many. */
enum tv_status tv_run_fail_abandoned(struct tv_pg *pg, int64_t *n, struct tv_error *err);
/* building -> kept, with its counts (JSON). */
enum tv_status tv_run_complete(struct tv_pg *pg, int64_t run_number, const char *counts, struct tv_error *err);
/* building -> done, with its counts and metrics (JSON). */
enum tv_status tv_run_done(struct tv_pg *pg, int64_t run_number, const char *counts, const char *metrics,
                           struct tv_error *err);
/* Some counts of a run (JSON) in the place of those of the same names. */
enum tv_status tv_run_count_again(struct tv_pg *pg, int64_t run_number, const char *counts, struct tv_error *err);
/* Keeps what was measured on a model while it is being made. */
enum tv_status tv_run_set_metrics(struct tv_pg *pg, int64_t run_number, const char *metrics, struct tv_error *err);
/* Keeps why a model that is whole does not go live. */
enum tv_status tv_run_set_message(struct tv_pg *pg, int64_t run_number, const char *message, struct tv_error *err);
/* The run is over, with the reason. Its model, if it was to make one, is the caller's to delete. */
enum tv_status tv_run_fail(struct tv_pg *pg, int64_t run_number, const char *message, struct tv_error *err);
enum tv_status tv_run_set_state(struct tv_pg *pg, int64_t run_number, enum tv_run_state state, struct tv_error *err);
/* One transaction: the live run becomes kept, `run_number` becomes live now. */
enum tv_status tv_run_go_live(struct tv_pg *pg, int64_t run_number, struct tv_error *err);

#endif
