/* user: what one user rated. */
#include <inttypes.h>
#include <stdio.h>

#include "handlers.h"
#include "parameters.h"
#include "pick.h"

static void write_user(struct tv_out *out, int64_t user_id, const struct tv_snapshot *s,
                       const struct tv_user_document *u)
{
    tv_out_format(
        out, "{\"user_id\":%" PRId64 ",\"model\":%" PRId64 ",\"learned\":%s,\"n\":%zu,\"n_in_model\":%zu",
        user_id, s->number, u->row >= 0 ? "true" : "false", u->n_rated, u->n_seen);
    tv_out_text(out, ",\"items\":[");
    for (size_t i = 0; i < u->n_rated; i++) {
        tv_out_text(out, i ? ",{" : "{");
        tv_item_json(out, u->rated[i], tv_items_find(&s->items, u->rated[i]));
        tv_out_text(out, ",\"rating\":");
        tv_out_real(out, (double)u->ratings[i]);
        tv_out_text(out, "}");
    }
    tv_out_text(out, "]}\n");
}

enum tv_outcome tv_handle_user(struct tv_app *app, const struct tv_request *request,
                               struct tv_response *response)
{
    static const struct tv_integer rule = {"id", INT64_MIN, INT64_MAX};
    struct tv_problem problem = {0};
    struct tv_picked picked;
    int64_t user_id = 0, model = TV_LIVE_MODEL;
    enum tv_pick pick = TV_PICK_PROBLEM;
    if (tv_read_integer(request->segments[0], &rule, &user_id, &problem) &&
        tv_pick_model(request, &model, &problem))
        pick = tv_pick(app, model, user_id, request->may_wait, &picked, &problem);
    if (pick == TV_PICKED) {
        if (picked.user)
            write_user(&response->out, user_id, picked.snapshot, picked.user->document);
        else
            tv_problem(&problem, 404, "there is no user %" PRId64, user_id);
        tv_picked_release(&picked);
    }
    if (pick == TV_PICK_LATER) {
        response->need = picked.need;
        return TV_LATER;
    }
    if (problem.status)
        tv_problem_answer(app, request, response, &problem);
    return TV_ANSWERED;
}
