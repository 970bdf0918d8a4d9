/* model_list: the model list: which models MongoDB keeps, with their descriptions. Read when a request asks and the
 * last list is older than a second; shared by reference count, as resident models are.
 */
#ifndef TRIVET_SERVE_STORES_MODEL_LIST_H
#define TRIVET_SERVE_STORES_MODEL_LIST_H

#include <stddef.h>

#include "serve/model/model_info.h"
#include "serve/stores/breaker.h"
#include "trivet/base/status.h"
#include "trivet/store/mongo.h"

struct tv_listed_model {
    struct tv_model_info info;
    char *description; /* JSON */
};

/* Never changes once it is made; tv_model_list_release gives a reference back. */
struct tv_listed_models {
    _Atomic int references;
    double read_at; /* tv_clock() */
    size_t n;
    struct tv_listed_model models[]; /* ascending by run number */
};

struct tv_model_list;
enum tv_status tv_model_list_create(struct tv_model_list **out, struct tv_error *err);
void tv_model_list_free(struct tv_model_list *model_list);

/* The last list read, with a reference for the caller, however old; NULL before the first. Never waits. */
struct tv_listed_models *tv_model_list_known(struct tv_model_list *model_list);
/* A list at most a second old, with a reference for the caller. Waits for MongoDB. */
enum tv_status tv_model_list_read(struct tv_model_list *model_list, struct tv_mongo *mongo,
                                  struct tv_listed_models **out, struct tv_error *err);
/* For pages, which show the models there are: makes sure that the known list is at most a second old, unless
 * MongoDB is away. Waits. */
void tv_model_list_refresh(struct tv_model_list *model_list, struct tv_mongo *mongo, struct tv_breaker *breaker);
void tv_model_list_release(struct tv_listed_models *list); /* NULL is fine */

#endif
