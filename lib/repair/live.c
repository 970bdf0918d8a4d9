/* live: which model is live by the journal, and whether the data that it was learned from is what is loaded. */
#include "lib/repair/inside.h"
#include "trivet/model/run.h"
#include "trivet/store/pg_rows.h"

enum tv_status tv_repair_read_live(struct tv_repair *r, struct tv_error *err)
{
    enum tv_status status = tv_run_live(r->journal, &r->live, err);
    if (status == TV_OK)
        status = tv_pg_int(r->journal, "SELECT coalesce((SELECT dataset FROM trivet.run WHERE state = 'live'), 0)", 0, NULL,
                           &r->live_dataset, err);
    if (status == TV_OK)
        status = tv_pg_int(r->journal, "SELECT coalesce(trivet.current_dataset(), 0)", 0, NULL, &r->loaded, err);
    return status;
}
