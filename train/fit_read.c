/* fit_read: all ratings that meet the conditions on rows, user after user, in one snapshot: what everybody is folded
 * in from, and what the matrix to learn from is chosen from. */
#include "train/fit.h"
#include "trivet/progress.h"

struct reading {
    struct tv_evidence *evidence;
    struct tv_progress progress;
};

static enum tv_status take_row(void *context, const struct tv_pg_triple *row, struct tv_error *err)
{
    struct reading *r = context;
    if ((r->evidence->n_pairs & 1023) == 0)
        tv_progress_update(&r->progress, (double)r->evidence->n_pairs);
    return tv_evidence_add(r->evidence, row->a, row->b, row->c, err);
}

enum tv_status fit_read(struct fit *f, struct tv_error *err)
{
    struct reading r = {.evidence = &f->evidence};
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    enum tv_status status = tv_buffer_format(&sql, err, "%s ORDER BY 1, 2", tv_buffer_string(&f->evidence_rows));
    tv_progress_start(&r.progress, "reading ratings", "pairs", 0);
    if (status == TV_OK)
        status = fit_copy_rows(f, tv_buffer_string(&sql), take_row, &r, err);
    tv_progress_end(&r.progress);
    tv_buffer_free(&sql);
    return status;
}
