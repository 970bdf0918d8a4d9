/* evidence: all ratings that meet the conditions on rows, user after user, in one snapshot. Everybody is folded in from
 * them, and the training matrix is chosen from them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/source/reading.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/progress.h"
#include "trivet/store/pg_copy.h"
#include "trivet/store/pg_rows.h"

/* A reading under way; n_times of the pairs have their time so far. */
struct progress {
    struct tv_reading *reading;
    size_t n_times, capacity;
    struct tv_progress shown;
};

/* A pair whose rows came at several times has the latest of them, and none where one of its rows has none: in whichever
 * order they come. fmax alone would pass over NaN. */
static enum tv_status take_time(struct progress *p, double time, struct tv_error *err)
{
    struct tv_reading *r = p->reading;
    size_t n = r->evidence.n_pairs;
    if (n == p->n_times) {
        if (!isnan(r->times[n - 1]))
            r->times[n - 1] = isnan(time) ? time : fmax(r->times[n - 1], time);
        return TV_OK;
    }
    if (n > p->capacity) {
        size_t capacity = p->capacity ? 2 * p->capacity : 16384;
        double *times = realloc(r->times, capacity * sizeof *times);
        if (times == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the times of %zu ratings", capacity);
        r->times = times;
        p->capacity = capacity;
    }
    r->times[n - 1] = time;
    p->n_times = n;
    return TV_OK;
}

/* Rows come in the order of user and item, which tv_evidence_add demands. */
static enum tv_status take_row(void *context, const struct tv_pg_triple *row, struct tv_error *err)
{
    struct progress *p = context;
    struct tv_evidence *e = &p->reading->evidence;
    if ((e->n_pairs & 1023) == 0)
        tv_progress_update(&p->shown, (double)e->n_pairs);
    enum tv_status status = tv_evidence_add(e, row->a, row->b, row->c, err);
    return status == TV_OK && p->reading->with_times ? take_time(p, row->d, err) : status;
}

/* One pass over the rows that everybody is folded in from. The order costs no sort where the index of each
 * partition is walked (snapshot.c). */
enum tv_status tv_reading_read(struct tv_reading *r, struct tv_error *err)
{
    struct progress p = {.reading = r};
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    enum tv_status status = tv_buffer_format(&sql, err, "%s ORDER BY 1, 2", tv_buffer_string(&r->evidence_rows));
    tv_progress_start(&p.shown, "reading ratings", "pairs", 0);
    if (status == TV_OK)
        status = tv_reading_rows(r, tv_buffer_string(&sql), 0, take_row, &p, err);
    tv_progress_end(&p.shown);
    tv_buffer_free(&sql);
    return status;
}

void tv_reading_drop(struct tv_reading *r)
{
    tv_evidence_free(&r->evidence);
    free(r->times);
    r->times = NULL;
}

/* The conditions on rows that the evidence had to meet: "genres and min_rating", or "". */
static void name_conditions(const struct tv_filter *filter, char *out, size_t size)
{
    int n = 0;
    out[0] = '\0';
    for (const struct tv_filter_parameter *p = tv_filter_parameters; p->name && n >= 0 && (size_t)n < size; p++)
        if ((tv_filter_parts(p) & TV_FILTER_EVIDENCE) && !tv_filter_is_default(filter, p->name))
            n += snprintf(out + n, size - (size_t)n, "%s%s", n ? " and " : "", p->name);
}

/* All users are counted in the snapshot that the ratings were read in, so that the two numbers agree. */
enum tv_status tv_reading_tell_left_out(const struct tv_reading *r, struct tv_error *err)
{
    char names[256], left_out[32], all[32];
    int64_t users;
    name_conditions(r->filter, names, sizeof names);
    if (r->own_source || names[0] == '\0')
        return TV_OK;
    enum tv_status status =
        tv_pg_int(r->snapshot, "SELECT count(*) FROM (SELECT FROM trivet.rating GROUP BY user_id) u", 0, NULL, &users, err);
    const int64_t served = (int64_t)r->evidence.n_users;
    if (status == TV_OK && users > served)
        tv_log_info("%s of %s users have no rating that meets %s: no list of their own, they get what most people rate",
                    tv_text_number(left_out, users - served), tv_text_number(all, users), names);
    return status;
}
