/* settle: makes journal, queue and Redis agree on which index of similar items there is. */
#include "trivet/similar/settle.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/log.h"
#include "trivet/similar/build.h"
#include "trivet/store/pg_rows.h"

/* Redis is the word on which index serves; the journal is corrected in one statement, and then the keys of all other
 * indices go. */
enum tv_status tv_similar_settle(struct tv_pg *pg, struct tv_redis *redis, const char *why, int64_t *live,
                                 int64_t *changed, struct tv_error *err)
{
    char number[24];
    int64_t n = 0;
    const char *const values[] = {number, why};
    enum tv_status status = tv_similar_live(redis, live, err);
    snprintf(number, sizeof number, "%" PRId64, *live);
    if (status == TV_OK)
        status = tv_pg_int(pg, "SELECT trivet.similar_settle($1, $2)", 2, values, &n, err);
    if (changed)
        *changed = n;
    return status == TV_OK ? tv_similar_drop_others(redis, *live, err) : status;
}

/* Ends the unheld indices `among` ("{1,2}"), except the live one. */
static enum tv_status end(struct tv_pg *pg, const char *among, int64_t live, struct tv_error *err)
{
    char number[24];
    int64_t n = 0;
    const char *const values[] = {among, number};
    snprintf(number, sizeof number, "%" PRId64, live);
    enum tv_status status = tv_pg_int(pg, "SELECT trivet.similar_end($1, $2)", 2, values, &n, err);
    if (status == TV_OK && n > 0)
        tv_log_info("of the indices of similar items %s only %" PRId64 " is there: the others are over", among, live);
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
            status = end(pg, tv_pg_cell(rows, 0, 0), live, err);
    }
    tv_pg_rows_free(rows);
    return status;
}
