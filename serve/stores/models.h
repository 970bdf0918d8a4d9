/* models: the models that a server answers from, and the two stores they come from.
 *
 * The server owns one of these; handlers' helpers and the threads that follow the stores are lent it, and see nothing
 * else of the server: no socket, no permission, no other thread.
 */
#ifndef TRIVET_SERVE_STORES_MODELS_H
#define TRIVET_SERVE_STORES_MODELS_H

#include "serve/model/shelf.h"
#include "serve/stores/breaker.h"
#include "serve/stores/model_list.h"
#include "serve/stores/users.h"
#include "trivet/store/mongo.h"

struct tv_data_board;

/* Its parts guard themselves, so that any thread may use them. */
struct tv_models {
    struct tv_shelf *shelf;           /* the resident ones */
    struct tv_model_list *model_list; /* the list of all that MongoDB keeps */
    struct tv_users users;            /* the documents of users in them */
    struct tv_mongo *mongo;           /* a pool: any thread may ask */
    struct tv_breaker *mongo_breaker, *redis_breaker;
    struct tv_data_board *data; /* of which data the live model is (serve/follow/model_data.h); NULL in tests without one */
};

/* 1: both stores answer, as far as is known. Never waits. */
int tv_models_reachable(const struct tv_models *models);

#endif
