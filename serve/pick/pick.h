/* pick: the model and the user that a request is about, found together because one can outdate the other. */
#ifndef TRIVET_SERVE_PICK_PICK_H
#define TRIVET_SERVE_PICK_PICK_H

#include <stdint.h>

#include "serve/follow/similar_keeper.h"
#include "serve/model/ids.h"
#include "serve/stores/models.h"
#include "serve/web/handler.h"
#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "serve/web/response.h"

/* TV_PICK_LATER is answered only where the caller may not wait: the handler passes it on (tv_pick_finish), and is
 * called again on a worker. */
enum TV_MUST_USE tv_pick { TV_PICKED, TV_PICK_LATER, TV_PICK_PROBLEM };

enum { TV_LIVE_MODEL = 0 }; /* run numbers start at 1 */

/* All that a handler holds of the stores. The references keep both alive, whatever becomes of shelf and cache
 * meanwhile. */
struct tv_picked {
    struct tv_resident *resident;
    struct tv_cached_user *user; /* NULL: unknown to that model */
    struct tv_need need;         /* with TV_PICK_LATER: the document to fetch, if it is one */
};

/* Reads the parameter "model" (a run number, or "live", which is also what its absence means). */
TV_MUST_USE int tv_pick_model(const struct tv_request *request, int64_t *model, struct tv_problem *problem);

/* Looks `user` up, a number or a code, and sets its number. TV_PICKED: *picked holds references that tv_picked_release
 * gives back. Otherwise it holds none, and for TV_PICK_PROBLEM *problem is filled. */
enum tv_pick tv_pick(struct tv_models *models, int64_t model, struct tv_id *user, int may_wait,
                     struct tv_picked *picked, struct tv_problem *problem);
/* The model alone, with a reference in *out. A model that is not resident is loaded, which waits. */
enum tv_pick tv_pick_resident(struct tv_models *models, int64_t model, int may_wait, struct tv_resident **out,
                              struct tv_problem *problem);
/* What is known of items, for answers that need no model: with TV_LIVE_MODEL the live model, or while none is, the catalogue
 * of the index of similar items, whose run number is 0. Otherwise as tv_pick_resident. */
enum tv_pick tv_pick_catalogue(struct tv_models *models, struct tv_similar_keeper *keeper, int64_t model, int may_wait,
                               struct tv_resident **out, struct tv_problem *problem);
/* That of the index of similar items, whatever model is live; where there is no index, as tv_pick_resident. Waits. */
enum tv_pick tv_pick_indexed(struct tv_models *models, struct tv_similar_keeper *keeper, struct tv_resident **out,
                             struct tv_problem *problem);
void tv_picked_release(struct tv_picked *picked);

/* The parameter "dataset", the number of the data set that a page is of: 0 and a 409 where what was picked is of another one, whose
 * ids are other users and other items. 1 too where the request does not say, or the model does not know. */
TV_MUST_USE int tv_pick_is_meant(const struct tv_request *request, const struct tv_resident *s, struct tv_problem *problem);

/* Looks an item up: 1 and id->number, or 0 and a 404, if neither the catalogue nor the model has it. */
TV_MUST_USE int tv_pick_item(struct tv_id *id, const struct tv_resident *s, struct tv_problem *problem);

/* Ends a handler that has picked: gives back what was picked, asks to be called again, or answers with the problem,
 * if there is one (problem->status). */
enum tv_outcome tv_pick_finish(struct tv_models *models, const struct tv_request *request, struct tv_response *response,
                               enum tv_pick pick, struct tv_picked *picked, const struct tv_problem *problem);

#endif
