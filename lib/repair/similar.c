/* similar: tells whether the live index of similar items is the same by the journal and by Redis, whether it can
 * follow ratings, and which others are kept for their data sets. It mends nothing: only Redis has an index, so one that is lost can only be built anew (trivet-train
 * similar, whose --check compares every signature). An index whose row source cannot be read any more follows no
 * rating; servers say so in /readyz, and it is told here. Indices that are over were ended before (end_similar in
 * repair.c).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/repair/inside.h"
#include "trivet/base/buffer.h"
#include "trivet/model/reader.h"
#include "trivet/similar/similar.h"
#include "trivet/store/pg_rows.h"
#include "trivet/store/redis_keys.h"

enum { READING_SECONDS = 60, LONGEST = 1 << 18 };

/* --- can it follow? --------------------------------------------------------------------------------------- */

/* The question that feed.c puts to the row source, for the oldest 1,000 events that wait. The answer is how many wait:
 * the second count is multiplied by zero, and is there so that Postgres must read the row source for them. Without
 * events the row source is only looked up, and with it the right to read it. */
static enum tv_status describe(struct tv_buffer *sql, int64_t index, const char *source, struct tv_error *err)
{
    return tv_buffer_format(sql, err,
                            "SELECT count(*) + 0 * count(*) FILTER (WHERE EXISTS (SELECT FROM (SELECT userid, movieid FROM %s) s "
                            "WHERE s.userid = e.user_id AND s.movieid = e.item_id)) FROM (SELECT * FROM trivet.similar_event "
                            "WHERE index_id = %" PRId64 " AND applied_at IS NULL ORDER BY id LIMIT 1000) e",
                            source, index);
}

/* tv_reader_begin opens a transaction that can only read, with a statement timeout. */
static enum tv_status read_as(struct tv_pg *pg, const char *sql, int64_t *waiting, struct tv_error *err)
{
    enum tv_status status = tv_reader_begin(pg, READING_SECONDS, err);
    return status == TV_OK ? tv_pg_int(pg, sql, 0, NULL, waiting, err) : status;
}

/* Reads an analyst's SQL on a login that can only read, and trivet's own on the journal's connection, which holds
 * the lock and whose transaction is ended again. An error of the row source is the finding, in *why; only a lost
 * connection of our own is a failure. */
static enum tv_status read_source(struct tv_repair *r, const char *sql, int own, int64_t *waiting, struct tv_error *why,
                                  struct tv_error *err)
{
    struct tv_pg *reader = NULL;
    if (own) {
        if (tv_reader_open(&reader, r->stores->reader_uri, "trivet repair", 0, why) == TV_OK)
            tv_ignore(read_as(reader, sql, waiting, why), "`why` is what the caller tells");
        tv_pg_close(reader);
        return TV_OK;
    }
    tv_ignore(read_as(r->journal, sql, waiting, why), "`why` is what the caller tells");
    return tv_pg_exec(r->journal, "ROLLBACK", 0, NULL, err);
}

/* 1,000 is the limit of the question, so that many may be more. */
static void tell_whether(struct tv_repair *r, int64_t index, int64_t waiting, int own, const struct tv_error *why)
{
    if (why->status == TV_OK)
        tv_repair_say(r, "similar items: index %" PRId64 " can follow ratings; %" PRId64 "%s wait for it", index,
                      waiting, waiting == 1000 ? " or more" : "");
    else if (own && r->stores->reader_uri == NULL)
        tv_repair_say(r, "similar items: whether index %" PRId64 " can follow ratings is not known without --reader",
                      index);
    else
        tv_repair_problem(r,
                          "index %" PRId64
                          " of similar items does not follow ratings, because its source cannot be read: "
                          "%s%s%s; mend that, or trivet-train similar builds another",
                          index, why->message, why->hint[0] ? "; hint: " : "", why->hint);
}

static enum tv_status look_whether_it_follows(struct tv_repair *r, int64_t index, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    struct tv_pg_rows *rows = NULL;
    struct tv_error why = {0};
    struct tv_buffer sql = TV_BUFFER_INIT(LONGEST);
    int64_t waiting = 0;
    int own = 0;
    snprintf(number, sizeof number, "%" PRId64, index);
    enum tv_status status =
        tv_pg_query(r->journal, "SELECT source, own_source FROM trivet.similar_index WHERE id = $1", 1, &value, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) == 1) {
        own = tv_pg_cell(rows, 0, 1)[0] == 't';
        status = describe(&sql, index, tv_pg_cell(rows, 0, 0), err);
        if (status == TV_OK)
            status = read_source(r, tv_buffer_string(&sql), own, &waiting, &why, err);
        if (status == TV_OK)
            tell_whether(r, index, waiting, own, &why);
    }
    tv_buffer_free(&sql);
    tv_pg_rows_free(rows);
    return status;
}

/* --- which ones are there --------------------------------------------------------------------------------- */

/* A line for each index whose data set is not the loaded one, or which does not serve: whatever is kept of it was looked
 * for in Redis as the journal was settled. */
static enum tv_status tell_of_others(struct tv_repair *r, int64_t live, int *follows, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    *follows = 1;
    enum tv_status status = tv_pg_query(r->journal,
                                        "SELECT i.id, coalesce(d.name, 'number ' || i.dataset), i.dataset = trivet.current_dataset() "
                                        "FROM trivet.similar_index i LEFT JOIN trivet.dataset d ON d.id = i.dataset "
                                        "WHERE i.state = 'kept' OR i.state = 'live' AND i.dataset <> trivet.current_dataset() ORDER BY i.id",
                                        0, NULL, &rows, err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++) {
        const char *id = tv_pg_cell(rows, i, 0), *name = tv_pg_cell(rows, i, 1);
        if (strtoll(id, NULL, 10) != live) {
            tv_repair_say(r, "similar items: index %s is kept, of data set %s", id, name);
            continue;
        }
        *follows = 0;
        tv_repair_say(r, "similar items: index %s is of data set %s, which is not loaded: no rating changes it", id, name);
    }
    tv_pg_rows_free(rows);
    return status;
}

/* Tells which index there is, and, where journal and Redis agree on one, whether it can follow ratings. */
enum tv_status tv_repair_similar(struct tv_repair *r, struct tv_error *err)
{
    int64_t journal = 0, redis = 0;
    int follows = 0;
    if (r->report == NULL)
        return TV_OK;
    enum tv_status status =
        tv_pg_int(r->journal, "SELECT max(id) FROM trivet.similar_index WHERE state = 'live'", 0, NULL, &journal, err);
    if (status == TV_OK || status == TV_ERR_NOT_FOUND)
        status = tv_redis_get_int(r->stores->redis, TV_SIMILAR_LIVE, &redis, err);
    if (status != TV_OK && status != TV_ERR_NOT_FOUND)
        return status;
    if (journal != redis && redis == 0)
        tv_repair_problem(r, "Redis has lost index %" PRId64 " of similar items; trivet-train similar builds another",
                          journal);
    else if (journal != redis)
        tv_repair_problem(r,
                          "Redis serves index %" PRId64 " of similar items, the journal says %" PRId64
                          "; trivet-train similar settles it",
                          redis, journal);
    if (journal || redis)
        tv_repair_say(r, "similar items: index %" PRId64 " by the journal, %" PRId64 " in Redis", journal, redis);
    else
        tv_repair_say(r, "similar items: no index");
    status = tell_of_others(r, journal, &follows, err);
    return status == TV_OK && follows && journal && journal == redis ? look_whether_it_follows(r, journal, err) : status;
}
