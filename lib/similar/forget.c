/* forget: an index of similar items without a user or an item. A user leaves like anybody whose ratings are gone: through the
 * queue; an index that is older than what is loaded has no such queue, and is ended. An item's row is for ever, since rows are numbers
 * that readers remember, so an index with such a row is ended, too.
 */
#include "trivet/similar/forget.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/similar/inside.h"
#include "trivet/base/wait.h"
#include "trivet/similar/build.h"
#include "trivet/similar/feed.h"
#include "trivet/similar/settle.h"
#include "trivet/store/pg_rows.h"
#include "trivet/store/redis_keys.h"

/* For how long a server that follows changes may take over what it does now. */
enum { BATCH = 1000, STATEMENT_SECONDS = 600, WAIT_SECONDS = 120 };

/* --- what an index knows ---------------------------------------------------------------------------------- */

/* Eight bytes a row, as they are written for a new one (change.c). */
static enum tv_status has_row(struct tv_redis *redis, int64_t version, int64_t item, int *has, struct tv_error *err)
{
    char key[TV_SIMILAR_KEY], wanted[8];
    struct tv_buffer ids = TV_BUFFER_INIT(TV_SIMILAR_MAX_BYTES);
    tv_similar_put_number(wanted, (uint64_t)item, sizeof wanted);
    enum tv_status status = tv_redis_get(redis, tv_similar_key(key, version, ":ids"), &ids, err);
    *has = 0;
    for (size_t at = 0; status == TV_OK && !*has && at + sizeof wanted <= ids.size; at += sizeof wanted)
        *has = memcmp(tv_buffer_string(&ids) + at, wanted, sizeof wanted) == 0;
    tv_buffer_free(&ids);
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

static enum tv_status waiting(const struct tv_similar_forgotten *f, int64_t *n, struct tv_error *err)
{
    char id[24];
    const char *const values[] = {f->is_item ? "item" : "user", id};
    snprintf(id, sizeof id, "%" PRId64, f->id);
    return tv_pg_int(f->pg, "SELECT trivet.forget_waits($1, $2)", 2, values, n, err);
}

/* 1 in *behind if rows have gone since the index was begun of which no change tells it: a load, a TRUNCATE. What those who are forgotten
 * had there cannot be found any more. Sources of one's own are asked for their rows of a user when an event comes, whatever happened. */
static enum tv_status is_behind(const struct tv_similar_forgotten *f, int64_t version, int64_t *behind, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    snprintf(number, sizeof number, "%" PRId64, version);
    return tv_pg_int(f->pg,
                     "SELECT count(*) FROM trivet.similar_index i, trivet.similar_state(i.source, i.own_source) s WHERE i.id = $1::bigint "
                     "AND (trivet.similar_data(i.id) IS NOT NULL OR NOT i.own_source AND i.fingerprint IS DISTINCT FROM s.state)",
                     1, &value, behind, err);
}

/* --- what becomes of it ----------------------------------------------------------------------------------- */

/* The description goes, without which Redis holds no index: tv_similar_settle does the rest, or the next repair. */
static enum tv_status end(const struct tv_similar_forgotten *f, int64_t version, int64_t live, struct tv_error *err)
{
    char key[TV_SIMILAR_KEY];
    enum tv_status status = version == live ? tv_redis_delete(f->redis, TV_SIMILAR_LIVE, err) : TV_OK;
    return status == TV_OK ? tv_redis_delete(f->redis, tv_similar_key(key, version, ""), err) : status;
}

/* Works off the queue until nothing of the id waits; while a server does that, it is waited for. */
static enum tv_status hear(const struct tv_similar_forgotten *f, struct tv_error *err)
{
    struct tv_similar_feed *feed = NULL;
    int64_t applied = 0, left = 0;
    int elsewhere = 0;
    struct tv_wait wait = tv_wait_for(NULL, NULL, WAIT_SECONDS);
    enum tv_status status =
        tv_similar_feed_open(&feed, f->postgres_uri, f->reader_uri, f->redis_uri, STATEMENT_SECONDS, err);
    for (int again = 1; status == TV_OK && again;) {
        status = tv_similar_feed_step(feed, BATCH, &applied, &elsewhere, err);
        if (status == TV_OK)
            status = waiting(f, &left, err);
        again = left > 0 && (applied > 0 || tv_wait_more(&wait));
    }
    tv_similar_feed_close(feed);
    if (status == TV_OK && left > 0) {
        tv_fail(err, TV_ERR_BUSY, "%" PRId64 " changes have still to reach the index of similar items", left);
        return tv_hint(err, "run this again");
    }
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* One index of the current data set. */
static enum tv_status leave(const struct tv_similar_forgotten *f, int64_t version, int64_t live, int64_t *ended,
                            struct tv_error *err)
{
    int64_t left = 0, behind = 0;
    int has = 0;
    enum tv_status status = f->is_item ? has_row(f->redis, version, f->id, &has, err) : is_behind(f, version, &behind, err);
    if (status == TV_OK && !has)
        status = waiting(f, &left, err);
    if (status != TV_OK || (!has && !behind && left == 0))
        return status;
    if (!has && !behind && version == live)
        return hear(f, err);
    ++*ended;
    return end(f, version, live, err);
}

static enum tv_status list(const struct tv_similar_forgotten *f, struct tv_pg_rows **rows, struct tv_error *err)
{
    return tv_pg_query(f->pg,
                       "SELECT id FROM trivet.similar_index WHERE dataset = trivet.current_dataset() "
                       "AND state NOT IN ('building', 'dropped', 'failed') ORDER BY id",
                       0, NULL, rows, err);
}

static enum tv_status leave_all(const struct tv_similar_forgotten *f, int64_t *ended, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    int64_t live = 0;
    enum tv_status status = tv_similar_live(f->redis, &live, err);
    if (status == TV_OK)
        status = list(f, &rows, err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++)
        status = leave(f, strtoll(tv_pg_cell(rows, i, 0), NULL, 10), live, ended, err);
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_similar_finds(const struct tv_similar_forgotten *f, int *found, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = list(f, &rows, err);
    *found = 0;
    for (int i = 0; f->is_item && status == TV_OK && !*found && i < tv_pg_rows_count(rows); i++)
        status = has_row(f->redis, strtoll(tv_pg_cell(rows, i, 0), NULL, 10), f->id, found, err);
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_similar_forget(const struct tv_similar_forgotten *f, int64_t *ended, struct tv_error *err)
{
    char id[24];
    const char *const values[] = {f->is_item ? "item" : "user", id};
    int64_t live = 0;
    *ended = 0;
    snprintf(id, sizeof id, "%" PRId64, f->id);
    enum tv_status status = leave_all(f, ended, err);
    if (status == TV_OK && *ended > 0)
        status = tv_similar_settle(f->pg, f->redis, NULL, &live, NULL, err);
    return status == TV_OK ? tv_pg_exec(f->pg, "SELECT trivet.forget_events($1, $2)", 2, values, err) : status;
}
