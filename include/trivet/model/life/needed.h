/* needed: items that the data have no more, and that a kept model still has, or its users rated: their documents stay in the catalogue, or the model could
 * neither name them nor take their codes. The caller holds the lock (lock.h). */
#ifndef TRIVET_MODEL_LIFE_NEEDED_H
#define TRIVET_MODEL_LIFE_NEEDED_H

#include <stdint.h>

#include "trivet/model/life/lifecycle.h"

#define TV_NEEDED_GONE "gone" /* the field of such a document: the newest run when the data had the item no more */

/* Puts the documents of the collection `before` into `next` whose items the latter has not, as long as a live or kept model of the data set
 * may have them. Done twice, it changes nothing more. */
enum tv_status tv_needed_keep(const struct tv_stores *s, const char *before, const char *next, int64_t dataset, struct tv_error *err);

#endif
