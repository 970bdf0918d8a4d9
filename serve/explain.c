/* explain: why an item has its score for a user: what each of the user's ratings contributed. The numbers are
 * lib/core's (trivet/explain.h); here they are put in order and shown so that they add up.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "handlers.h"
#include "ids.h"
#include "parameters.h"
#include "pick.h"
#include "recommend.h"
#include "trivet/buffer.h"
#include "trivet/explain.h"

enum { STANDARD_LIMIT = 10, MAX_LIMIT = 1000 };

struct ask {
    struct tv_id user, item;
    int64_t model, limit;
};

static int read_ask(const struct tv_request *request, struct ask *ask, struct tv_problem *problem)
{
    static const struct tv_integer limit = {"limit", 0, MAX_LIMIT};
    const char *absent = !tv_id_parameter(&ask->user, request, "user_id")    ? "user_id"
                         : !tv_id_parameter(&ask->item, request, "movie_id") ? "movie_id"
                                                                             : NULL;
    ask->limit = STANDARD_LIMIT;
    if (absent) {
        tv_problem(problem, 400, "%s is missing: which score of whom is to be explained?", absent);
        snprintf(problem->parameter, sizeof problem->parameter, "%s", absent);
        return 0;
    }
    return tv_parameter_integer(request, &limit, &ask->limit, problem) &&
           tv_pick_model(request, &ask->model, problem);
}

struct rated {
    int64_t item_id;
    float rating;
    double contribution;
};

/* A score and its terms. Of somebody whom the model does not know the score is the number of ratings, and that of the
 * item alone. */
struct account {
    enum tv_reason reason;
    double score, item_term, user_term;
    size_t n;
    struct rated *rated; /* (n) what contributed most first; owned */
};

static int most_first(const void *a, const void *b)
{
    const struct rated *x = a, *y = b;
    if (x->contribution != y->contribution)
        return x->contribution > y->contribution ? -1 : 1;
    return x->item_id < y->item_id ? -1 : x->item_id > y->item_id;
}

/* The ratings of the items that the model holds, in its order: both lists of the document ascend by raw id. */
static void ratings_in_model(float *out, const struct tv_snapshot *s, const struct tv_user_document *u)
{
    for (size_t i = 0, j = 0; i < u->n_seen; i++) {
        int64_t item_id = s->item_ids[u->seen[i]];
        while (j < u->n_rated && u->rated[j] < item_id)
            j++;
        out[i] = j < u->n_rated && u->rated[j] == item_id ? u->ratings[j] : 0;
    }
}

static enum tv_status take_apart(struct account *a, const struct tv_snapshot *s, const struct tv_user_document *u,
                                 int32_t item, struct tv_error *err)
{
    struct tv_explained terms;
    float *ratings = tv_alloc(u->n_seen, sizeof *ratings, "an explanation", err);
    double *contributions = tv_alloc(u->n_seen, sizeof *contributions, "an explanation", err);
    a->rated = tv_alloc(u->n_seen, sizeof *a->rated, "an explanation", err);
    enum tv_status status = ratings && contributions && a->rated ? TV_OK : TV_ERR_NO_MEMORY;
    if (status == TV_OK) {
        ratings_in_model(ratings, s, u);
        status = tv_explain(&s->fold_in, contributions, &terms, item, u->seen, ratings, u->n_seen, err);
    }
    for (size_t i = 0; status == TV_OK && i < u->n_seen; i++)
        a->rated[i] = (struct rated){s->item_ids[u->seen[i]], ratings[i], contributions[i]};
    if (status == TV_OK) {
        a->n = u->n_seen;
        a->item_term = terms.item;
        a->user_term = terms.user;
        qsort(a->rated, a->n, sizeof *a->rated, most_first);
    }
    free(ratings);
    free(contributions);
    return status;
}

static enum tv_status explain(struct account *a, const struct tv_snapshot *s, const struct tv_user_document *u,
                              int32_t item, struct tv_error *err)
{
    struct tv_workspace *w = tv_workspace_of_thread();
    a->reason = tv_reason_for(s, u);
    if (a->reason == TV_REASON_POPULAR) {
        a->score = a->item_term = (double)tv_snapshot_count(s, item);
        return TV_OK;
    }
    if (w == NULL || tv_workspace_prepare(w, s, 1, err) != TV_OK)
        return TV_ERR_NO_MEMORY;
    a->score = tv_score_one(w, s, u, item);
    return take_apart(a, s, u, item, err);
}

/* The terms as they are shown, added up in that order, so that the rounding makes them the score. */
static void write_terms(struct tv_out *out, const struct tv_snapshot *s, const struct account *a, size_t limit)
{
    size_t shown = a->n < limit ? a->n : limit;
    double sum = a->item_term + a->user_term, others = 0;
    tv_out_text(out, ",\"item_term\":");
    tv_out_real(out, a->item_term);
    tv_out_text(out, ",\"user_term\":");
    tv_out_real(out, a->user_term);
    tv_out_text(out, ",\"ratings\":[");
    for (size_t i = 0; i < shown; i++) {
        tv_out_text(out, i ? ",{" : "{");
        tv_item_json(out, s, a->rated[i].item_id);
        tv_out_text(out, ",\"rating\":");
        tv_out_real(out, (double)a->rated[i].rating);
        tv_out_text(out, ",\"contribution\":");
        tv_out_real(out, a->rated[i].contribution);
        tv_out_text(out, "}");
        sum += a->rated[i].contribution;
    }
    for (size_t i = shown; i < a->n; i++)
        others += a->rated[i].contribution;
    sum += others;
    tv_out_format(out, "],\"others\":{\"n\":%zu,\"contribution\":", a->n - shown);
    tv_out_real(out, others);
    tv_out_text(out, "},\"rounding\":");
    tv_out_real(out, a->score - sum);
}

static void write_account(struct tv_out *out, const struct tv_snapshot *s, const struct ask *ask,
                          const struct account *a)
{
    tv_out_text(out, "{\"user_id\":");
    tv_id_user_json(out, s, &ask->user);
    tv_out_format(out, ",\"model\":%" PRId64 ",\"reason\":\"%s\",\"score_kind\":", s->number,
                  tv_reason_name(a->reason));
    tv_out_json(out, a->reason == TV_REASON_POPULAR ? "count" : s->score_kind);
    tv_out_text(out, ",\"item\":{");
    tv_item_json(out, s, ask->item.number);
    tv_out_text(out, "},\"score\":");
    tv_out_real(out, a->score);
    write_terms(out, s, a, (size_t)ask->limit);
    tv_out_text(out, "}\n");
}

static void answer(const struct tv_picked *picked, struct ask *ask, struct tv_response *response,
                   struct tv_problem *problem)
{
    const struct tv_snapshot *s = picked->snapshot;
    struct account account = {0};
    struct tv_error err = {0};
    if (!tv_pick_item(&ask->item, s, problem))
        return;
    int32_t item = tv_snapshot_dense(s, ask->item.number);
    if (item < 0) {
        tv_problem(problem, 404, "item %s is not in model %" PRId64 ", which scores it for nobody", ask->item.text,
                   s->number);
        snprintf(problem->hint, sizeof problem->hint,
                 "trivet-etl why item %s tells which step of the filter leaves it out", ask->item.text);
        return;
    }
    if (explain(&account, s, picked->user ? picked->user->document : NULL, item, &err) == TV_OK)
        write_account(&response->out, s, ask, &account);
    else
        tv_problem(problem, 500, "the score could not be taken apart: %s", err.message);
    response->revalidated = 1;
    free(account.rated);
}

enum tv_outcome tv_handle_explain(struct tv_app *app, const struct tv_request *request, struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_picked picked = {0};
    struct ask ask;
    enum tv_pick pick = TV_PICK_PROBLEM;
    if (read_ask(request, &ask, &problem))
        pick = tv_pick(app, ask.model, &ask.user, request->may_wait, &picked, &problem);
    if (pick == TV_PICKED)
        answer(&picked, &ask, response, &problem);
    return tv_pick_finish(app, request, response, pick, &picked, &problem);
}
