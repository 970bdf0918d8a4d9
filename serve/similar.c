/* similar: the items nearest to an item. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "handlers.h"
#include "ids.h"
#include "parameters.h"
#include "pick.h"
#include "recs.h"

enum { STANDARD_SIMILAR = 10, MAX_SIMILAR = 100 };

struct ask {
    struct tv_id item;
    int64_t model, top;
};

static int read_ask(const struct tv_request *request, struct ask *ask, struct tv_problem *problem)
{
    static const struct tv_integer top = {"top", 1, MAX_SIMILAR};
    const char *by = tv_parameter(request, "by");
    ask->top = STANDARD_SIMILAR;
    tv_id_set(&ask->item, "id", request->segments[0]);
    if (by && strcmp(by, "factors") != 0) {
        tv_problem(problem, 400, "by is \"%.*s\", but must be factors", tv_shown(by), by);
        snprintf(problem->parameter, sizeof problem->parameter, "by");
        return 0;
    }
    return tv_parameter_integer(request, &top, &ask->top, problem) &&
           tv_pick_model(request, &ask->model, problem);
}

/* Cosines of an item's factors with those of all others, biases left out of both. An item without any length has no
 * direction: NaN, which is never among the best. */
static size_t rank_cosines(struct tv_workspace *w, const struct tv_snapshot *s, int32_t item, size_t top)
{
    size_t k = (size_t)s->factors;
    memcpy(w->user, s->item_factors + (size_t)item * k, k * sizeof *w->user);
    for (size_t f = (size_t)tv_snapshot_directions(s); f < k; f++)
        w->user[f] = 0;
    tv_scores(w->scores, s->item_factors, (size_t)s->n_items, s->factors, w->user);
    for (int32_t i = 0; i < s->n_items; i++)
        w->scores[i] /= s->lengths[i] * s->lengths[item];
    w->scores[item] = NAN;
    return tv_top_n(w->best, top, w->scores, NULL, (size_t)s->n_items);
}

static enum tv_status write_similar(struct tv_out *out, const struct tv_snapshot *s, int64_t item_id, size_t top)
{
    struct tv_workspace *w = tv_workspace_of_thread();
    int32_t item = tv_snapshot_dense(s, item_id);
    if (w == NULL || tv_workspace_prepare(w, s, top, NULL) != TV_OK)
        return TV_ERR_NO_MEMORY;
    tv_out_text(out, "{");
    tv_item_json(out, s, item_id);
    tv_out_format(out, ",\"model\":%" PRId64 ",\"in_model\":%s,\"by\":\"factors\",\"items\":", s->number,
                  item >= 0 ? "true" : "false");
    tv_ranked_json(out, s, w->best, item >= 0 ? rank_cosines(w, s, item, top) : 0);
    tv_out_text(out, "}\n");
    return TV_OK;
}

enum tv_outcome tv_handle_similar(struct tv_app *app, const struct tv_request *request,
                                  struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_picked picked = {0};
    struct ask ask;
    enum tv_pick pick = TV_PICK_PROBLEM;
    if (read_ask(request, &ask, &problem))
        pick = tv_pick_snapshot(app, ask.model, request->may_wait, &picked.snapshot, &problem);
    if (pick == TV_PICKED && tv_pick_item(&ask.item, picked.snapshot, &problem)) {
        response->revalidated = 1;
        if (write_similar(&response->out, picked.snapshot, ask.item.number, (size_t)ask.top) != TV_OK)
            response->out.failed = 1;
    }
    return tv_pick_finish(app, request, response, pick, &picked, &problem);
}
