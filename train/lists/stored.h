/* stored: are the lists in users' documents what the model gives? */
#ifndef TRIVET_TRAIN_LISTS_STORED_H
#define TRIVET_TRAIN_LISTS_STORED_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/model/life/lifecycle.h"

/* Makes the list of every user of a model who has one stored, of at most `longest` items, and takes those away that are
 * others: a server makes them then. It takes as long as storing them did. */
enum tv_status stored_check(const struct tv_stores *stores, int64_t number, size_t longest, int64_t *n_read,
                            int64_t *n_wrong, struct tv_error *err);

#endif
