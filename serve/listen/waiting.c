/* waiting: a request is answered on its connection's thread, or, where that would have to wait, by a worker. */
#include "serve/listen/exchange.h"
#include "serve/route/route.h"

/* On a worker: runs the handler once more, now with leave to wait, and lets the connection's own thread send the
 * answer (on_request, TV_EXCHANGE_DONE). After MHD_resume_connection the exchange may be gone. */
static void finish_waiting(struct tv_exchange *x)
{
    x->request.may_wait = 1;
    tv_route_answer(x->http->app, &x->request, &x->response);
    x->state = TV_EXCHANGE_DONE;
    MHD_resume_connection(x->connection);
}

/* Fetches the documents that the requests of a batch wait for in one question. They nearly always ask the same
 * model; a request about another is looked up alone, as is one that waits alone. */
static void fetch_users(struct tv_app *app, struct tv_work *const *batch, size_t n)
{
    int64_t user_ids[TV_MAX_BATCH], model = ((struct tv_exchange *)batch[0])->response.need.model;
    size_t n_users = 0;
    for (size_t i = 0; i < n; i++) {
        const struct tv_need *need = &((struct tv_exchange *)batch[i])->response.need;
        if (need->model == model)
            user_ids[n_users++] = need->user_id;
    }
    struct tv_resident *resident = n_users > 1 ? tv_shelf_held(app->models.shelf, model) : NULL;
    if (resident)
        tv_users_fetch(&app->models.users, resident, user_ids, n_users);
    tv_resident_release(resident);
}

void tv_exchange_lookups(void *context, struct tv_work *const *batch, size_t n)
{
    struct tv_http *http = context;
    fetch_users(http->app, batch, n);
    for (size_t i = 0; i < n; i++)
        finish_waiting((struct tv_exchange *)batch[i]);
}

/* The batch function of the other workers: their requests have nothing in common that could be fetched together. */
void tv_exchange_slow(void *context, struct tv_work *const *batch, size_t n)
{
    (void)context;
    for (size_t i = 0; i < n; i++)
        finish_waiting((struct tv_exchange *)batch[i]);
}

/* A handler tells one need at most. One that tells none waits for something that cannot be fetched together, a
 * model to be loaded for instance. */
static struct tv_workers *workers_for(const struct tv_exchange *x)
{
    const struct tv_need *need = &x->response.need;
    return need->writes     ? x->http->writes
           : need->postgres ? x->http->questions
           : need->user     ? x->http->lookups
                            : x->http->slow;
}

/* Runs the handler on the connection's thread, which must not wait. If the handler needs to, the connection is
 * suspended and the exchange given to workers; their queue is bounded, and a full one is a 503 at once. */
enum MHD_Result tv_exchange_answer(struct tv_exchange *x)
{
    tv_visit_busy(x->line->visit);
    if (!x->admitted) {
        tv_route_refuse(x->http->app, &x->request, &x->response, &x->why);
        x->state = TV_EXCHANGE_DONE;
        return tv_exchange_send(x);
    }
    if (tv_route_answer(x->http->app, &x->request, &x->response) == TV_ANSWERED) {
        x->state = TV_EXCHANGE_DONE;
        return tv_exchange_send(x);
    }
    x->state = TV_EXCHANGE_WAITING;
    MHD_suspend_connection(x->connection); /* before a worker can resume it */
    if (!tv_workers_give(workers_for(x), &x->work)) {
        tv_exchange_problem(x, 503, 1, "more requests are waiting than this server can hold");
        MHD_resume_connection(x->connection);
    }
    return MHD_YES;
}
