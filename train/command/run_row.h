/* run_row: a run that makes no model (an evaluation, a search) in the journal: a row of its own, held while it lasts,
 * so that one whose process is gone can be told from one that is under way. */
#ifndef TRIVET_TRAIN_COMMAND_RUN_ROW_H
#define TRIVET_TRAIN_COMMAND_RUN_ROW_H

#include <stdint.h>

#include "trivet/cli/options.h"
#include "trivet/model/journal.h"

/* The row of one run that is under way. */
struct tv_run_row {
    struct tv_pg *pg; /* NULL: nothing is written down */
    int64_t run;
};

/* Opens a connection for the row, and writes it; before that, rows of such runs whose process is gone are marked as
 * failed. On failure nothing stays open. */
enum tv_status tv_run_row_begin(struct tv_run_row *r, const struct tv_settings *settings,
                                const struct tv_run_plan *plan, struct tv_error *err);

/* The end, either way: done with counts and metrics (JSON), or failed with the reason. Both close the connection; of
 * a row that was never begun they do nothing. */
enum tv_status tv_run_row_done(struct tv_run_row *r, const char *counts, const char *metrics, struct tv_error *err);
void tv_run_row_failed(struct tv_run_row *r, const struct tv_error *why);

#endif
