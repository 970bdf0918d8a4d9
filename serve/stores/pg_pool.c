/* pg_pool: a few connections to PostgreSQL, for statements that are soon done. The rater has two pools: one with
 * the server's own login, one with the reader's.
 */
#include "serve/stores/pg_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/schema/version.h"

static const double try_every = 1.0; /* seconds between attempts to connect while PostgreSQL is away */

/* Idle connections are the pool's; one that is out is its taker's alone. */
struct tv_pg_pool {
    pthread_mutex_t mutex; /* guards all below */
    tv_pg_pool_open open;
    char *uri; /* or NULL */
    struct tv_pg *idle[TV_PG_POOL];
    int n_idle, n_out;
    double looked; /* at the schema, by tv_schema_look_again */
    double down_since; /* the last attempt to connect that failed; 0: none since it last worked */
};

enum tv_status tv_pg_pool_create(struct tv_pg_pool **out, tv_pg_pool_open open, const char *uri, struct tv_error *err)
{
    struct tv_pg_pool *pool = tv_alloc(1, sizeof *pool, "connections", err);
    if (pool == NULL || (uri && (pool->uri = strdup(uri)) == NULL)) {
        free(pool);
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for connections");
    }
    pool->open = open;
    pthread_mutex_init(&pool->mutex, NULL);
    *out = pool;
    return TV_OK;
}

void tv_pg_pool_free(struct tv_pg_pool *pool)
{
    if (pool == NULL)
        return;
    while (pool->n_idle > 0)
        tv_pg_close(pool->idle[--pool->n_idle]);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->uri);
    free(pool);
}

static enum tv_status away(struct tv_error *err)
{
    tv_fail(err, TV_ERR_UNAVAILABLE, "PostgreSQL, where ratings are kept, does not answer");
    return tv_from(err, TV_FROM_POSTGRES);
}

/* Takes a place among those that are out, and an idle connection if there is one. 0: no place is free, or
 * PostgreSQL was away a moment ago. While it is away one thread a second tries, and the others fail at once instead
 * of waiting with it. */
static int take_place(struct tv_pg_pool *pool, struct tv_pg **idle)
{
    pthread_mutex_lock(&pool->mutex);
    double now = tv_clock();
    int ok = pool->n_out < TV_PG_POOL && (pool->down_since == 0 || now - pool->down_since >= try_every);
    if (ok && pool->down_since != 0)
        pool->down_since = now; /* this thread makes the attempt of this second */
    *idle = ok && pool->n_idle > 0 ? pool->idle[--pool->n_idle] : NULL;
    pool->n_out += ok;
    pthread_mutex_unlock(&pool->mutex);
    return ok;
}

/* After an attempt to connect, or a connection that broke: whether PostgreSQL is there. */
static void note_state(struct tv_pg_pool *pool, int up)
{
    pthread_mutex_lock(&pool->mutex);
    pool->down_since = up ? 0 : tv_clock();
    pthread_mutex_unlock(&pool->mutex);
}

/* Whether a newer program has changed the schema under an idle connection. */
static enum tv_status look_again(struct tv_pg_pool *pool, struct tv_pg *pg, struct tv_error *err)
{
    pthread_mutex_lock(&pool->mutex);
    double looked = pool->looked;
    pthread_mutex_unlock(&pool->mutex);
    enum tv_status status = tv_schema_look_again(pg, &looked, err);
    pthread_mutex_lock(&pool->mutex);
    pool->looked = looked;
    pthread_mutex_unlock(&pool->mutex);
    return status;
}

/* An idle connection is tried before it is handed out: PostgreSQL may have been restarted since, and a statement
 * that fails on it could not be told from one that failed half done. Connecting and trying are outside the mutex,
 * as they wait. */
enum tv_status tv_pg_pool_take(struct tv_pg_pool *pool, struct tv_pg **out, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    enum tv_status status = TV_OK;
    if (!take_place(pool, &pg))
        return away(err);
    if (pg && !tv_pg_alive(pg)) {
        tv_pg_close(pg);
        pg = NULL;
    }
    if (pg && (status = look_again(pool, pg, err)) != TV_OK) {
        tv_pg_close(pg);
        pg = NULL;
    }
    if (status == TV_OK && pg == NULL) {
        status = pool->open(&pg, pool->uri, err);
        note_state(pool, status != TV_ERR_UNAVAILABLE);
    }
    if (status == TV_OK) {
        tv_pg_set_patience(pg, TV_PG_PATIENCE);
        *out = pg;
    } else {
        tv_pg_pool_give(pool, NULL, status);
    }
    return status;
}

/* Also gives back the place of a connection that could not be made, NULL. */
void tv_pg_pool_give(struct tv_pg_pool *pool, struct tv_pg *pg, enum tv_status status)
{
    if (status == TV_ERR_UNAVAILABLE) {
        tv_pg_close(pg);
        pg = NULL;
        note_state(pool, 0);
    }
    pthread_mutex_lock(&pool->mutex);
    if (pg) {
        tv_pg_set_patience(pg, TV_PG_ANSWERS); /* for the next to find out whether it answers */
        pool->idle[pool->n_idle++] = pg;
    }
    pool->n_out--;
    pthread_mutex_unlock(&pool->mutex);
}
