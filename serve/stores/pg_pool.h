/* pg_pool: a few connections to PostgreSQL, for statements that are soon done.
 *
 * A connection is opened when it is first needed, and kept. No thread waits for long: a statement that gets no
 * answer within TV_PG_PATIENCE seconds fails, and while PostgreSQL does not answer, one attempt a second is
 * made to connect, and everybody else is told at once.
 */
#ifndef TRIVET_SERVE_STORES_PG_POOL_H
#define TRIVET_SERVE_STORES_PG_POOL_H

#include "trivet/base/status.h"
#include "trivet/store/pg.h"

enum { TV_PG_POOL = 4, TV_PG_PATIENCE = 5 };

struct tv_pg_pool;

/* Opens a connection whose statements end in the server well before TV_PG_PATIENCE: one that is slow is then no reason
 * to think that PostgreSQL is away. One that answers and is refused is not away, either. `uri` may be NULL where that means something to it. */
typedef enum tv_status (*tv_pg_pool_open)(struct tv_pg **out, const char *uri, struct tv_error *err);

/* Connects to nothing yet. */
enum tv_status tv_pg_pool_create(struct tv_pg_pool **out, tv_pg_pool_open open, const char *uri, struct tv_error *err);
void tv_pg_pool_free(struct tv_pg_pool *pool); /* when every connection is back; NULL is fine */

/* A connection that answers, and whose schema no newer program has changed, the caller's until it is given back. At most TV_PG_POOL are out at a time. */
enum tv_status tv_pg_pool_take(struct tv_pg_pool *pool, struct tv_pg **out, struct tv_error *err);
/* `status` is what the last statement on it ended with: after TV_ERR_UNAVAILABLE it is closed. */
void tv_pg_pool_give(struct tv_pg_pool *pool, struct tv_pg *pg, enum tv_status status);

#endif
