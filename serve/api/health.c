/* health: answers for machines that watch the server. None of them waits for anything: all state is what threads of
 * the server found out last.
 */
#include <stdatomic.h>

#include "serve/api/health.h"
#include "serve/app.h"
#include "serve/follow/follower.h"
#include "serve/follow/model_data.h"
#include "serve/follow/similar_keeper.h"

/* That this is answered at all says that the process lives; an answer that depended on a store would have the
 * server restarted for the store's failure. */
enum tv_outcome tv_handle_healthz(struct tv_app *app, const struct tv_request *request,
                                  struct tv_response *response)
{
    (void)app, (void)request;
    tv_out_text(&response->out, "{\"status\":\"ok\"}\n");
    return TV_ANSWERED;
}

/* One store as its breaker knows it; the reason only while it is away. */
static void write_store(struct tv_out *out, const char *key, struct tv_breaker *breaker)
{
    struct tv_breaker_state state;
    tv_breaker_look(breaker, &state);
    tv_out_key(out, key);
    tv_out_text(out, "{");
    tv_out_key(out, "up");
    tv_out_bool(out, state.up);
    tv_out_key(out, "seconds");
    tv_out_format(out, "%.0f", state.seconds);
    if (!state.up) {
        tv_out_key(out, "message");
        tv_out_json(out, state.message);
    }
    tv_out_text(out, "}");
}

/* Nothing for an empty message, so that an answer where all is well is short. */
static void write_message(struct tv_out *out, const char *key, const char *message)
{
    if (message[0] == '\0')
        return;
    tv_out_key(out, key);
    tv_out_json(out, message);
}

/* Only the pages /lab and /models, and exact counts of audiences, read PostgreSQL this way, and it is not asked
 * before one of them does: until then `up` is null. */
static void write_optional(struct tv_out *out, struct tv_questions *questions)
{
    static const char *const up[] = {"null", "true", "false"};
    struct tv_questions_state state;
    tv_questions_look(questions, &state);
    tv_out_key(out, "postgres");
    tv_out_text(out, "{");
    tv_out_key(out, "up");
    tv_out_text(out, up[state.database]);
    tv_out_key(out, "seconds");
    tv_out_format(out, "%.0f", state.seconds);
    tv_out_key(out, "optional");
    tv_out_bool(out, 1);
    write_message(out, "message", state.message);
    tv_out_text(out, "}");
}

/* The users whose single ratings wait, as the follower counted them; nothing before the first count. */
static void write_ratings(struct tv_out *out, const struct tv_follower_state *state)
{
    if (state->waiting < 0 && !state->refusal[0])
        return;
    tv_out_key(out, "ratings");
    tv_out_text(out, "{");
    tv_out_key(out, "source");
    tv_out_json(out, state->unreadable ? "unreadable" : "ok");
    if (state->waiting >= 0) {
        tv_out_key(out, "waiting");
        tv_out_int(out, state->waiting);
        tv_out_key(out, "refused");
        tv_out_int(out, state->refused);
    }
    write_message(out, "message", state->refusal);
    write_message(out, "hint", state->hint);
    tv_out_text(out, "}");
}

/* The live model's data set, and what is wrong with it; nothing as long as PostgreSQL has not said. */
static void write_data(struct tv_out *out, const struct tv_model_data *data)
{
    static const char *const words[] = {"unknown", "current", "older", "away", "gone"};
    char what[768], hint[640];
    if (data->state == TV_DATA_UNKNOWN)
        return;
    tv_out_key(out, "data");
    tv_out_text(out, "{");
    tv_out_key(out, "state");
    tv_out_json(out, words[data->state]);
    tv_out_key(out, "dataset");
    tv_out_json(out, data->name);
    tv_out_key(out, "loaded");
    tv_out_json(out, data->loaded);
    tv_model_data_say(data, what, sizeof what, hint, sizeof hint);
    write_message(out, "message", what);
    write_message(out, "hint", hint);
    tv_out_text(out, "}");
}

static void write_stores(struct tv_out *out, struct tv_app *app)
{
    tv_out_key(out, "stores");
    tv_out_text(out, "{");
    write_store(out, "mongodb", app->models.mongo_breaker);
    write_store(out, "redis", app->models.redis_breaker);
    write_optional(out, app->questions);
    tv_out_text(out, "}");
}

/* Ready: a model is loaded and users can be looked up; or none is live, but an index of similar items, which needs none.
 * Without Redis the loaded model goes on serving everybody, so that is "degraded", and no reason to take a server out of
 * service: all servers would go at once. */
enum tv_outcome tv_handle_readyz(struct tv_app *app, const struct tv_request *request,
                                 struct tv_response *response)
{
    (void)request;
    struct tv_resident *live = tv_shelf_live(app->models.shelf);
    int mongo = tv_breaker_is_up(app->models.mongo_breaker), redis = tv_breaker_is_up(app->models.redis_breaker);
    int serves = live || tv_similar_keeper_seen(app->similar_keeper) > 0;
    int ready = serves && mongo && !atomic_load(&app->draining);
    char notice[1024], similar[1024];
    struct tv_follower_state following;
    struct tv_model_data data;
    tv_follower_look(app->follower, &following);
    tv_data_board_look(app->models.data, live ? live->run_number : 0, &data);
    tv_similar_keeper_look(app->similar_keeper, similar, sizeof similar);
    tv_shelf_notice(app->models.shelf, notice, sizeof notice);
    response->status = ready ? 200 : 503;
    struct tv_out *out = &response->out;
    int whole = live && redis && !notice[0] && !similar[0] && !following.unreadable && !following.refusal[0] &&
                !tv_model_data_is_away(&data);
    tv_out_text(out, "{");
    tv_out_key(out, "status");
    tv_out_json(out, !ready ? "unavailable" : whole ? "ok" : "degraded");
    tv_out_key(out, "model");
    if (live)
        tv_out_int(out, live->run_number);
    else
        tv_out_text(out, "null");
    write_data(out, &data);
    write_stores(out, app);
    write_ratings(out, &following);
    if (similar[0]) {
        tv_out_key(out, "similar");
        tv_out_text(out, "{");
        write_message(out, "message", similar);
        tv_out_text(out, "}");
    }
    write_message(out, "notice", notice);
    tv_out_text(out, "}\n");
    tv_resident_release(live);
    return TV_ANSWERED;
}

/* The content type is that of Prometheus's text format. */
enum tv_outcome tv_handle_counters(struct tv_app *app, const struct tv_request *request, struct tv_response *response)
{
    (void)request;
    response->type = "text/plain; version=0.0.4; charset=utf-8";
    tv_counters_write(app->counters, &app->models, app->follower, &response->out);
    return TV_ANSWERED;
}
