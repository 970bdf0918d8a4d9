/* publish: a model live with what is of its data set, and away again after a failure. */
#include "train/command/publish.h"

#include "trivet/base/log.h"
#include "trivet/model/journal.h"
#include "trivet/model/life/lock.h"
#include "trivet/similar/settle.h"

/* lib/similar stands above lib/model, so an activation cannot do this itself. */
static enum tv_status follow(const struct tv_stores *s, struct tv_error *err)
{
    int64_t live = 0;
    return tv_similar_settle(tv_lock_connection(s->lock), s->redis, NULL, &live, NULL, err);
}

enum tv_status tv_publish_activate(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err)
{
    enum tv_status status = tv_lifecycle_activate(s, m, err);
    return status == TV_OK ? follow(s, err) : status;
}

enum tv_status tv_publish_activate_run(const struct tv_stores *s, int64_t run_number, struct tv_error *err)
{
    enum tv_status status = tv_lifecycle_activate_run(s, run_number, err);
    return status == TV_OK ? follow(s, err) : status;
}

/* 1 while the run's model is not whole. Afterwards, and while the journal cannot be asked, what stands under its
 * number is left alone, for repair to judge. */
static int is_building(struct tv_pg *journal, int64_t run_number)
{
    struct tv_run *runs = NULL;
    size_t n = 0;
    int found = 0;
    enum tv_status status = tv_run_list(journal, 1u << TV_RUN_BUILDING, &runs, &n, NULL);
    for (size_t i = 0; status == TV_OK && i < n; i++)
        found += runs[i].id == run_number;
    tv_run_list_free(runs, n);
    return found;
}

/* The failure that led here is the one to tell, so those of undoing are not. */
int tv_publish_undo(const struct tv_stores *s, int64_t run_number, const struct tv_error *why)
{
    struct tv_pg *journal = tv_lock_connection(s->lock);
    if (is_building(journal, run_number) && tv_lifecycle_discard(s, run_number, NULL) == TV_OK)
        return tv_run_fail(journal, run_number, why->message, NULL) == TV_OK;
    tv_log_info("the next command finishes or deletes what run %lld wrote (trivet-train repair)",
                (long long)run_number);
    return 0;
}
