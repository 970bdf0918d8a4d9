/* catalogue: item documents in MongoDB. Those of a data set D stand in catalogue_<D>, and all models of D share them.
 *
 * A run N writes its documents as catalogue_<D>_<N>. When its model is whole they become catalogue_<D>, in one step,
 * whether the model goes live or not: they are the newest that is known of D. `item`, which notebooks read, is a view on
 * the catalogue of the live model's data set. The caller holds the lock (lock.h).
 */
#ifndef TRIVET_MODEL_LIFE_CATALOGUE_H
#define TRIVET_MODEL_LIFE_CATALOGUE_H

#include "trivet/base/status.h"
#include "trivet/model/life/lifecycle.h"

/* Documents on their way: of run N, for the models of data set D. */
struct tv_catalogue_news {
    int64_t dataset, run_number;
    int from_elsewhere; /* an import's: where the data stand here, what is known of an item here stays */
};

/* catalogue_<D>_<N> becomes catalogue_<D>, with the documents of items that only kept models have (needed.h); nothing where it is not there
 * (any more). Can be killed and done again. */
enum tv_status tv_catalogue_publish(const struct tv_stores *s, const struct tv_catalogue_news *news, struct tv_error *err);
/* What a run that did not become a model has written. */
enum tv_status tv_catalogue_discard(struct tv_mongo *mongo, int64_t dataset, int64_t run_number, struct tv_error *err);

/* Item documents say what a score of the live model is (`score_kind`): makes those of its data set say it of `m`. */
enum tv_status tv_catalogue_say_score(struct tv_mongo *mongo, const struct tv_model *m, struct tv_error *err);
/* Moves the view `item` to a data set's catalogue. */
enum tv_status tv_catalogue_show(struct tv_mongo *mongo, int64_t dataset, struct tv_error *err);

#endif
