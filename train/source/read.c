/* read: all ratings that meet the conditions on rows, user after user, in one snapshot: what everybody is folded
 * in from, and what the matrix to learn from is chosen from. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/fit/fit.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/progress.h"

struct reading {
    struct fit *fit;
    size_t n_times, capacity;
    struct tv_progress progress;
};

/* A pair whose rows came at several times has the latest of them. */
static enum tv_status take_time(struct reading *r, double time, struct tv_error *err)
{
    struct fit *f = r->fit;
    size_t n = f->evidence.n_pairs;
    if (n == r->n_times) {
        f->times[n - 1] = isnan(time) ? time : fmax(f->times[n - 1], time);
        return TV_OK;
    }
    if (n > r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 16384;
        double *times = realloc(f->times, capacity * sizeof *times);
        if (times == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the times of %zu ratings", capacity);
        f->times = times;
        r->capacity = capacity;
    }
    f->times[n - 1] = time;
    r->n_times = n;
    return TV_OK;
}

static enum tv_status take_row(void *context, const struct tv_pg_triple *row, struct tv_error *err)
{
    struct reading *r = context;
    struct tv_evidence *e = &r->fit->evidence;
    if ((e->n_pairs & 1023) == 0)
        tv_progress_update(&r->progress, (double)e->n_pairs);
    enum tv_status status = tv_evidence_add(e, row->a, row->b, row->c, err);
    return status == TV_OK && r->fit->with_times ? take_time(r, row->d, err) : status;
}

enum tv_status fit_read(struct fit *f, struct tv_error *err)
{
    struct reading r = {.fit = f};
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    enum tv_status status = tv_buffer_format(&sql, err, "%s ORDER BY 1, 2", tv_buffer_string(&f->evidence_rows));
    tv_progress_start(&r.progress, "reading ratings", "pairs", 0);
    if (status == TV_OK)
        status = fit_copy_rows(f, tv_buffer_string(&sql), 0, take_row, &r, err);
    tv_progress_end(&r.progress);
    tv_buffer_free(&sql);
    return status;
}

/* "genres and min_rating": the conditions on rows that the evidence had to meet, or "". */
static void name_conditions(const struct tv_filter *filter, char *out, size_t size)
{
    static const char *const conditions[] = {"rated_since", "genres", "min_rating"};
    out[0] = '\0';
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (!tv_filter_is_default(filter, conditions[i]))
            snprintf(out + strlen(out), size - strlen(out), "%s%s", out[0] ? " and " : "", conditions[i]);
}

enum tv_status fit_tell_left_out(struct fit *f, struct tv_error *err)
{
    char names[64], left_out[32], all[32];
    int64_t users;
    name_conditions(f->filter, names, sizeof names);
    if (f->own_source || names[0] == '\0')
        return TV_OK;
    enum tv_status status =
        tv_pg_int(f->snapshot, "SELECT count(*) FROM (SELECT FROM trivet.rating GROUP BY user_id) u", 0, NULL, &users, err);
    const int64_t served = (int64_t)f->evidence.n_users;
    if (status == TV_OK && users > served)
        tv_log_info("%s of %s users have no rating that meets %s: no list of their own, they get what most people rate",
                    tv_text_number(left_out, users - served), tv_text_number(all, users), names);
    return status;
}
