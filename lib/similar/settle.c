/* settle: makes journal, queue and Redis agree on which index of similar items there is. */
#include "trivet/similar/settle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/similar/inside.h"
#include "trivet/base/log.h"
#include "trivet/similar/build.h"
#include "trivet/store/pg_rows.h"
#include "trivet/store/redis_keys.h"

/* An id out of an array as Postgres writes it, "{1,2}", and what stands behind it; 0 at its end. */
static int64_t next_id(const char **at)
{
    char *end;
    *at += strcspn(*at, "0123456789");
    int64_t id = strtoll(*at, &end, 10);
    *at = end;
    return id;
}

/* Those of the indices `stored` that Redis does not hold, as an array: the description is written last, and goes with the
 * rest. */
static enum tv_status find_gone(struct tv_redis *redis, const char *stored, struct tv_buffer *gone, struct tv_error *err)
{
    enum tv_status status = tv_buffer_text(gone, "{", err);
    for (int64_t id; status == TV_OK && (id = next_id(&stored)) > 0;) {
        char key[TV_SIMILAR_KEY];
        struct tv_buffer there = TV_BUFFER_INIT(64);
        const struct tv_redis_command c = tv_redis_words("EXISTS", tv_similar_key(key, id, ""), NULL);
        status = tv_redis_run(redis, &c, &there, err);
        if (status == TV_OK && strcmp(tv_buffer_string(&there), "0") == 0)
            status = tv_buffer_format(gone, err, "%s%" PRId64, gone->size > 1 ? "," : "", id);
        tv_buffer_free(&there);
    }
    return status == TV_OK ? tv_buffer_text(gone, "}", err) : status;
}

/* The same of all that the journal believes in. */
static enum tv_status read_gone(struct tv_pg *pg, struct tv_redis *redis, struct tv_buffer *gone, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(pg, "SELECT trivet.similar_stored()", 0, NULL, &rows, err);
    if (status == TV_OK)
        status = find_gone(redis, tv_pg_cell(rows, 0, 0), gone, err);
    tv_pg_rows_free(rows);
    return status;
}

/* Redis shows the index that should serve. It does so before the journal says so: killed in between, the next one finds
 * that it serves already. */
static enum tv_status show_wanted(struct tv_pg *pg, struct tv_redis *redis, const char *gone, int64_t *live,
                                  struct tv_error *err)
{
    char number[24];
    int64_t wanted = 0;
    const char *const values[] = {number, gone};
    snprintf(number, sizeof number, "%" PRId64, *live);
    enum tv_status status = tv_pg_int(pg, "SELECT trivet.similar_wanted($1, $2)", 2, values, &wanted, err);
    if (status != TV_OK || wanted == *live)
        return status;
    status = tv_similar_switch(redis, wanted, err);
    if (status == TV_OK && wanted > 0)
        tv_log_info("index %" PRId64 " of similar items, of the data set that serves, is live", wanted);
    else if (status == TV_OK)
        tv_log_info("no index of similar items is of the data set that serves; trivet-train similar builds one");
    *live = wanted;
    return status;
}

/* Names the data set to the indices that Redis keeps: an older trivet has not. Then the keys of all others go. */
static enum tv_status clean(struct tv_pg *pg, struct tv_redis *redis, int64_t live, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status =
        tv_pg_query(pg, "SELECT id, dataset FROM trivet.similar_index WHERE state IN ('live', 'kept')", 0, NULL, &rows, err);
    int n = status == TV_OK ? tv_pg_rows_count(rows) : 0;
    int64_t *keep = status == TV_OK ? tv_alloc((size_t)n + 1, sizeof *keep, "indices to keep", err) : NULL;
    for (int r = 0; keep && status == TV_OK && r < n; r++) {
        char key[TV_SIMILAR_KEY];
        keep[r] = strtoll(tv_pg_cell(rows, r, 0), NULL, 10);
        const struct tv_redis_command c =
            tv_redis_words("HSETNX", tv_similar_key(key, keep[r], ""), "dataset", tv_pg_cell(rows, r, 1), NULL);
        status = tv_redis_run(redis, &c, NULL, err);
    }
    if (keep)
        keep[n] = live; /* also one that this journal does not know */
    if (status == TV_OK)
        status = keep ? tv_similar_drop_others(redis, keep, (size_t)n + 1, err) : TV_ERR_NO_MEMORY;
    free(keep);
    tv_pg_rows_free(rows);
    return status;
}

/* Redis is the word on which index serves; the journal is corrected in one statement, and then the keys of all indices
 * that are over go. */
enum tv_status tv_similar_settle(struct tv_pg *pg, struct tv_redis *redis, const char *why, int64_t *live,
                                 int64_t *changed, struct tv_error *err)
{
    char number[24];
    int64_t n = 0;
    struct tv_buffer gone = TV_BUFFER_INIT(1 << 20);
    enum tv_status status = tv_similar_live(redis, live, err);
    if (status == TV_OK)
        status = read_gone(pg, redis, &gone, err);
    if (status == TV_OK)
        status = show_wanted(pg, redis, tv_buffer_string(&gone), live, err);
    const char *const values[] = {number, tv_buffer_string(&gone), why};
    snprintf(number, sizeof number, "%" PRId64, *live);
    if (status == TV_OK)
        status = tv_pg_int(pg, "SELECT trivet.similar_settle($1, $2, $3)", 3, values, &n, err);
    tv_buffer_free(&gone);
    if (changed)
        *changed = n;
    return status == TV_OK ? clean(pg, redis, *live, err) : status;
}

/* Ends the unheld indices `among` ("{1,2}"), except the live one, and those of other data sets that Redis holds. */
static enum tv_status end(struct tv_pg *pg, struct tv_similar *index, const char *among, int64_t live, struct tv_error *err)
{
    char number[24];
    int64_t n = 0;
    struct tv_buffer gone = TV_BUFFER_INIT(1 << 20);
    enum tv_status status = read_gone(pg, index->redis, &gone, err);
    const char *const values[] = {among, number, tv_buffer_string(&gone)};
    snprintf(number, sizeof number, "%" PRId64, live);
    if (status == TV_OK)
        status = tv_pg_int(pg, "SELECT trivet.similar_end($1, $2, $3)", 3, values, &n, err);
    if (status == TV_OK && n > 0)
        tv_log_info("of the indices of similar items %s only %" PRId64 " serves: the others are over, or kept", among, live);
    tv_buffer_free(&gone);
    return status;
}

/* The list of indices without a process is read before Redis is asked: a process that is gone by then has switched to
 * its index already, or never will. */
enum tv_status tv_similar_end_gone(struct tv_pg *pg, struct tv_similar *index, int64_t followed, struct tv_error *err)
{
    char number[24];
    struct tv_pg_rows *rows = NULL;
    int64_t live = 0;
    const char *const values[] = {number};
    snprintf(number, sizeof number, "%" PRId64, followed);
    enum tv_status status = tv_pg_query(pg, "SELECT trivet.similar_unheld($1)", 1, values, &rows, err);
    if (status == TV_OK && strcmp(tv_pg_cell(rows, 0, 0), "{}") != 0) {
        status = tv_similar_look(index, &live, NULL, err);
        if (status == TV_ERR_NOT_FOUND) {
            live = 0;
            status = TV_OK;
        }
        if (status == TV_OK)
            status = end(pg, index, tv_pg_cell(rows, 0, 0), live, err);
    }
    tv_pg_rows_free(rows);
    return status;
}
