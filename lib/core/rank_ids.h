/* rank_ids: raw ids of many rows become dense indices. Private to lib/core. */
#ifndef TRIVET_CORE_RANK_IDS_H
#define TRIVET_CORE_RANK_IDS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

/* *sorted (n_sorted) gets the distinct ids, ascending, and *dense (n) each row's rank among them; both are malloc'ed.
 * More than 2^31-1 distinct ids are TV_ERR_INPUT; `what` names them in messages. */
enum tv_status tv_rank_ids(int64_t **sorted, int32_t *n_sorted, int32_t **dense, const int64_t *ids, size_t n,
                           const char *what, struct tv_error *err);

#endif
