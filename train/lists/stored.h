/* stored: are the lists in users' documents what the model gives? */
#ifndef TRIVET_TRAIN_LISTS_STORED_H
#define TRIVET_TRAIN_LISTS_STORED_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/model/life/lifecycle.h"

/* Makes the list of every user that has one stored, of at most `longest` items, and takes stored lists that differ
 * out of their documents: a server then makes them itself. It takes as long as storing them did. *n_read and
 * *n_wrong: how many were compared, and taken out. */
enum tv_status tv_stored_check(const struct tv_stores *stores, int64_t run_number, size_t longest, int64_t *n_read,
                               int64_t *n_wrong, struct tv_error *err);

#endif
