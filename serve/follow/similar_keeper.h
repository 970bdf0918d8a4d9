/* similar_keeper: the index of similar items, asked by requests, and kept up to date by a thread.
 *
 * Requests take one of a few connections to Redis, so they run where one may wait. The thread applies what Postgres has
 * written down since (trivet/similar/feed.h): at once when a rating of this server tells it to, and every few seconds
 * besides, as others may rate, too. While a store is away it waits; nothing is lost meanwhile.
 */
#ifndef TRIVET_SERVE_FOLLOW_SIMILAR_KEEPER_H
#define TRIVET_SERVE_FOLLOW_SIMILAR_KEEPER_H

#include <stddef.h>
#include <stdint.h>

#include "serve/stores/breaker.h"
#include "trivet/base/status.h"
#include "trivet/similar/feed.h"
#include "trivet/similar/similar.h"

struct tv_similar_keeper;

/* `redis` is looked at before Redis is touched, and told when it fails. Connects to nothing yet. */
enum tv_status tv_similar_keeper_start(struct tv_similar_keeper **out, const char *redis_uri, const char *postgres_uri,
                                       const char *reader_uri, struct tv_breaker *redis, struct tv_error *err);
void tv_similar_keeper_stop(struct tv_similar_keeper *a); /* NULL is fine */

/* Which index is live, and of which data set (0: not known, an older trivet's); while Redis is away, which was live last.
 * TV_ERR_NOT_FOUND: none is. Waits. */
enum tv_status tv_similar_keeper_index(struct tv_similar_keeper *a, int64_t *version, int64_t *dataset, struct tv_error *err);
/* The index that was live when this server looked last, within two seconds; 0: none. Never waits; NULL is fine. */
int64_t tv_similar_keeper_seen(struct tv_similar_keeper *a);
/* As tv_similar_ask; TV_ERR_UNAVAILABLE while Redis is away. Waits. */
enum tv_status tv_similar_keeper_ask(struct tv_similar_keeper *a, int64_t item, size_t top,
                                     struct tv_similar_answer *out, int *known, struct tv_error *err);
/* The reason why the index does not follow ratings though all stores answer: names no address; "": it does, as far
 * as is known. NULL is fine. */
void tv_similar_keeper_look(struct tv_similar_keeper *a, char *out, size_t size);
/* What is to be said of the data of the index that is live, as a sentence; "": nothing, as far as is known. NULL is fine. */
void tv_similar_keeper_data(struct tv_similar_keeper *a, char *out, size_t size);
/* What an index is made of: all empty where PostgreSQL has not said, as for the first two seconds of one that has just gone live. NULL
 * is fine. */
void tv_similar_keeper_made(struct tv_similar_keeper *a, int64_t version, struct tv_similar_made *out);
/* A rating was committed. NULL is fine. */
void tv_similar_keeper_wake(struct tv_similar_keeper *a);

#endif
