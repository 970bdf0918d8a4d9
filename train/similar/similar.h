/* similar: the command that builds the index of similar items from who rated what; lib/similar is the index itself.
 */
#ifndef TRIVET_TRAIN_SIMILAR_SIMILAR_H
#define TRIVET_TRAIN_SIMILAR_SIMILAR_H

#include <stdint.h>

#include "trivet/cli/options.h"
#include "trivet/core/sets/minhash_sets.h"
#include "trivet/store/pg.h"

extern const struct tv_option tv_similar_options[];

enum tv_status tv_similar_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

/* read.c: the signatures of all items of a row source, in one snapshot of Postgres. With `own`, it is SQL of an
 * analyst's own and only a reader runs it. `sets` is to be freed also after an error. */
enum tv_status tv_similar_read_sets(struct tv_minhash_sets *sets, const struct tv_settings *settings,
                                    const char *source, int own, int size, struct tv_error *err);

/* dataset.c: the data set that is loaded, and its index that Redis holds, live or kept (0: none). The journal is settled. */
enum tv_status tv_similar_loaded(int64_t *dataset, int64_t *stored, struct tv_pg *journal, struct tv_error *err);
/* Fails where the live index (0: none) is of another data set than the loaded one, or where none is live and those that are
 * kept are of others: then it can be neither checked nor updated. */
enum tv_status tv_similar_refuse_other(struct tv_pg *journal, int64_t live, struct tv_error *err);
/* Says which tables change without a note, so that an index is never called unchanged. */
enum tv_status tv_similar_tell_unwatched(struct tv_pg *journal, struct tv_error *err);
/* Says so where the live model is of another one. */
enum tv_status tv_similar_tell_other(struct tv_pg *journal, struct tv_error *err);

/* check.c: the live index against one built anew from its row source, which is not written. */
enum tv_status tv_similar_check(const struct tv_settings *settings, struct tv_pg *journal, struct tv_error *err);

#endif
