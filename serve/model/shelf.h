/* shelf: the resident models: the live one, and a few others that were asked for by run number.
 *
 * There are two locks:
 *
 *   `shown` guards the pointers to the models. It is held for a few instructions: to look one up and take a
 *   reference, or to put a new one in place. Readers never wait for a load, because a load does not hold it.
 *
 *   `loading` makes loads come one after the other: it owns the Redis connection, and is held while a model is
 *   read, checked and made. Only threads that may wait take it: the watcher, the follower, workers, and the main thread
 * at the start.
 *
 * A swap puts the new pointer in place under `shown` and gives up the shelf's reference to the old model
 * afterwards. A request that took its reference before the swap goes on with the old one; the last reference that
 * is given up frees it. So there is no moment without a model, and no request sees two.
 *
 * Why a lock and not an atomic pointer: between loading a pointer and counting a reference the model could be
 * freed. Hazard pointers or epochs would close that gap; a lock held for 20 ns closes it, too.
 */
#ifndef TRIVET_SERVE_MODEL_SHELF_H
#define TRIVET_SERVE_MODEL_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "serve/model/resident.h"
#include "trivet/base/status.h"
#include "trivet/model/last_run.h"
#include "trivet/store/mongo.h"

enum { TV_SHELF_OTHERS = 3 }; /* models kept beside the live one */

struct tv_shelf;

/* `mongo` is only lent. The Redis connection is opened on first use. */
enum tv_status tv_shelf_create(struct tv_shelf **out, const char *redis_uri, struct tv_mongo *mongo,
                               struct tv_error *err);
void tv_shelf_free(struct tv_shelf *shelf);

/* With a reference for the caller; NULL while no model has been loaded. Never waits. */
struct tv_resident *tv_shelf_live(struct tv_shelf *shelf);
/* A model that is resident already, live or not, with a reference for the caller; NULL if it is not. Never waits. */
struct tv_resident *tv_shelf_held(struct tv_shelf *shelf, int64_t run_number);

/* Asks Redis for the live run number and, when it differs, loads that model and shows it. On failure the old one stays,
 * and the reason is kept for tv_shelf_notice. TV_ERR_NOT_FOUND: Redis knows no live model. Waits for the stores, as
 * do the next two. */
enum tv_status tv_shelf_refresh(struct tv_shelf *shelf, struct tv_error *err);
/* Loads the live model once more and shows that instead, because MongoDB's items have new numbers of ratings. On
 * failure the old one stays. */
enum tv_status tv_shelf_renew(struct tv_shelf *shelf, struct tv_error *err);
/* A model by run number, loaded if need be, with a reference for the caller. TV_ERR_NOT_FOUND if there is none of that
 * number. */
enum tv_status tv_shelf_load(struct tv_shelf *shelf, int64_t run_number, struct tv_resident **out,
                             struct tv_error *err);
/* The catalogue of an index of similar items, with a reference for the caller: the live model where it is of the same data
 * set, otherwise one without a model (tv_resident_load_catalogue), which is kept until another index is asked about, and read
 * again now and then, and after something was forgotten. Waits. */
struct tv_indexed {
    int64_t version, dataset; /* of the index */
    int64_t forgets;          /* how often something was taken out of that data set: after that the catalogue is read again */
};
enum tv_status tv_shelf_catalogue(struct tv_shelf *shelf, const struct tv_indexed *index, struct tv_resident **out,
                                  struct tv_error *err);
/* Forgets a model that is not live: MongoDB no longer has it. */
void tv_shelf_forget(struct tv_shelf *shelf, int64_t run_number);
/* The bytes Redis uses for a model. Waits. */
enum tv_status tv_shelf_redis_bytes(struct tv_shelf *shelf, int64_t run_number, double *bytes, struct tv_error *err);

/* The outcome of the last training (trivet/model/last_run.h). Waits. */
enum tv_status tv_shelf_last_run(struct tv_shelf *shelf, struct tv_last_run *out, struct tv_error *err);

/* The reason why the last refresh did not show the model that Redis calls live, or "". */
void tv_shelf_notice(struct tv_shelf *shelf, char *out, size_t size);
/* For tests and the shelf itself: makes `resident` the live one and takes the reference over. */
void tv_shelf_show(struct tv_shelf *shelf, struct tv_resident *resident);

#endif
