/* run: a training, an evaluation or a search as a row of trivet.run has it, and which of them there are. */
#ifndef TRIVET_MODEL_RUN_H
#define TRIVET_MODEL_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/store/pg.h"

/* Evaluations and searches end as done, models as kept. */
enum tv_run_state {
    TV_RUN_BUILDING,
    TV_RUN_KEPT,
    TV_RUN_ACTIVATING,
    TV_RUN_LIVE,
    TV_RUN_PRUNED,
    TV_RUN_FAILED,
    TV_RUN_DONE
};
enum tv_run_kind { TV_RUN_FIT, TV_RUN_IMPORT, TV_RUN_EVALUATE, TV_RUN_SEARCH };
int tv_run_makes_model(enum tv_run_kind kind); /* a fit and an import do */
const char *tv_run_kind_name(enum tv_run_kind kind);
const char *tv_run_state_name(enum tv_run_state state);

/* A row of the journal. */
struct tv_run {
    int64_t id;
    int64_t dataset; /* that it read, or was imported into; 0: none */
    enum tv_run_kind kind;
    enum tv_run_state state;
    char started_at[32], live_at[32]; /* ISO 8601, "" if null */
    char algorithm[32];
    char *parameters, *filter, *counts, *metrics, *source, *message; /* JSON and text, owned; never NULL */
    char *dataset_name; /* the same; "" where it has none, or was dropped */
};

/* The runs in the given states (bits 1 << state), ascending by id. */
enum tv_status tv_run_list(struct tv_pg *pg, unsigned states, struct tv_run **runs, size_t *n, struct tv_error *err);
void tv_run_list_free(struct tv_run *runs, size_t n);

/* The model in state live, or 0; the model that was live before it and is still kept, or 0. */
enum tv_status tv_run_live(struct tv_pg *pg, int64_t *live, struct tv_error *err);
enum tv_status tv_run_previous(struct tv_pg *pg, int64_t *previous, struct tv_error *err);

#endif
