/* run_row: a row of the journal for a run that makes no model, on a connection of its own, which holds the row while
 * the run lasts.
 */
#include "train/command/run_row.h"

#include <inttypes.h>
#include <stdio.h>

#include "trivet/base/log.h"
#include "trivet/model/journal.h"

/* Rows of evaluations and searches whose process is gone are ended first. These runs need no lock and so no repair,
 * which would do it otherwise. */
static enum tv_status begin(struct tv_run_row *r, const struct tv_run_plan *plan, struct tv_error *err)
{
    int64_t abandoned = 0;
    enum tv_status status = tv_run_fail_abandoned(r->pg, &abandoned, err);
    if (status == TV_OK)
        status = tv_run_begin_beside(r->pg, plan, &r->run, err);
    if (status == TV_ERR_STORE)
        tv_hint(err, "it is written down in trivet.run, which takes a login in trivet_writer; --no-journal leaves that out");
    if (status == TV_OK)
        tv_log_info("run %" PRId64, r->run);
    return status;
}

/* The connection shows in Postgres under the command's name. */
enum tv_status tv_run_row_begin(struct tv_run_row *r, const struct tv_settings *settings,
                                const struct tv_run_plan *plan, struct tv_error *err)
{
    char name[64];
    snprintf(name, sizeof name, "trivet-train %s", tv_run_kind_name(plan->kind));
    *r = (struct tv_run_row){NULL, 0};
    enum tv_status status = tv_pg_open(&r->pg, tv_settings_text(settings, "postgres"), name,
                                       (int)tv_settings_int(settings, "wait"), err);
    if (status == TV_OK)
        status = begin(r, plan, err);
    if (status != TV_OK) {
        tv_pg_close(r->pg);
        r->pg = NULL;
    }
    return status;
}

enum tv_status tv_run_row_done(struct tv_run_row *r, const char *counts, const char *metrics, struct tv_error *err)
{
    if (r->pg == NULL)
        return TV_OK;
    enum tv_status status = tv_run_done(r->pg, r->run, counts, metrics, err);
    tv_pg_close(r->pg);
    r->pg = NULL;
    return status;
}

/* The reason is the caller's to tell; if the journal cannot take it, the next run or a repair finds the row without
 * its process. */
void tv_run_row_failed(struct tv_run_row *r, const struct tv_error *why)
{
    if (r->pg == NULL)
        return;
    tv_ignore(tv_run_fail(r->pg, r->run, why->message, NULL), "the next run marks those that ended without a word");
    tv_pg_close(r->pg);
    r->pg = NULL;
}
