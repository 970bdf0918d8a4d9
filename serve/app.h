/* app: the parts that the server is made of. Handlers get it beside the request; it knows no socket. */
#ifndef TRIVET_SERVE_APP_H
#define TRIVET_SERVE_APP_H

#include "serve/follow/counters.h"
#include "serve/stores/models.h"
#include "serve/stores/questions.h"
#include "serve/web/admission.h"
#include "serve/web/permission.h"
#include "trivet/cli/options.h"

struct tv_similar_keeper;
struct tv_watcher;
struct tv_rater;
struct tv_follower;

/* The server. It owns all its parts; they are made in tv_app_create and stay until tv_app_free, so handlers read
 * the pointers without a lock. */
struct tv_app {
    struct tv_models models; /* lent to all who answer from them or follow them */
    struct tv_redis *redis;  /* the breaker's own connection */
    struct tv_counters *counters;
    struct tv_watcher *watcher;
    struct tv_questions *questions; /* to PostgreSQL */
    struct tv_permission permission;
    struct tv_hosts hosts;
    struct tv_rater *rater;                   /* ratings into PostgreSQL; NULL in tests without one */
    struct tv_follower *follower;             /* does the work that ratings leave */
    struct tv_similar_keeper *similar_keeper; /* the index of similar items */
    _Atomic int draining;                     /* a signal asked to stop */
};

/* The settings, as main.c read them; texts are lent, and outlive the app. */
struct tv_app_options {
    const char *mongo_uri, *redis_uri;
    const char *reader_uri;   /* PostgreSQL for the pages /lab and /models, and for SQL that analysts wrote */
    const char *postgres_uri; /* PostgreSQL for ratings; nothing else needs it */
    struct tv_permission permission; /* its token lives as long as the app, */
    struct tv_hosts hosts;           /* as do these names */
    int workers;            /* threads that wait for MongoDB */
    int wait_seconds;       /* at the start, for the stores */
    size_t cached_users, cached_bytes;
    const char *const *routes; /* (n_routes) their names, for counting (serve/route/route.h) */
    size_t n_routes;
};

/* Makes everything and loads the live model if the stores answer; that they do not is no failure. */
enum tv_status tv_app_create(struct tv_app **out, const struct tv_app_options *options, struct tv_error *err);
void tv_app_free(struct tv_app *app); /* NULL is fine */

#endif
