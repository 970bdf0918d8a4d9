/* user: what one user rated. */
#include <inttypes.h>
#include <stdio.h>

#include "handlers.h"
#include "parameters.h"
#include "pick.h"

static void write_user(struct tv_out *out, const struct tv_id *id, const struct tv_snapshot *s,
                       const struct tv_user_document *u)
{
    tv_out_text(out, "{\"user_id\":");
    tv_id_user_json(out, s, id);
    tv_out_format(out, ",\"model\":%" PRId64 ",\"learned\":%s,\"n\":%zu,\"n_in_model\":%zu", s->number,
                  u->row >= 0 ? "true" : "false", u->n_rated, u->n_seen);
    tv_out_text(out, ",\"items\":[");
    for (size_t i = 0; i < u->n_rated; i++) {
        tv_out_text(out, i ? ",{" : "{");
        tv_item_json(out, s, u->rated[i]);
        tv_out_text(out, ",\"rating\":");
        tv_out_real(out, (double)u->ratings[i]);
        tv_out_text(out, "}");
    }
    tv_out_text(out, "]}\n");
}

enum tv_outcome tv_handle_user(struct tv_app *app, const struct tv_request *request,
                               struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_picked picked;
    struct tv_id id;
    int64_t model = TV_LIVE_MODEL;
    enum tv_pick pick = TV_PICK_PROBLEM;
    tv_id_set(&id, "id", request->segments[0]);
    if (tv_pick_model(request, &model, &problem))
        pick = tv_pick(app, model, &id, request->may_wait, &picked, &problem);
    if (pick == TV_PICKED) {
        response->revalidated = 1;
        if (picked.user)
            write_user(&response->out, &id, picked.snapshot, picked.user->document);
        else
            tv_problem(&problem, 404, "there is no user %s", id.text);
    }
    return tv_pick_finish(app, request, response, pick, &picked, &problem);
}
