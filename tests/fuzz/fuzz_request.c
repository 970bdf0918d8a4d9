/* fuzz_request: any bytes as the headers of a request, as its target and an Accept header, and as the body of one that rates,
 * taken apart and answered, JSON and page, by a server without stores. Whatever comes, there is an answer of a known status, and
 * pages are filled whole. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/app.h"
#include "serve/follow/rater.h"
#include "serve/listen/framing.h"
#include "serve/route/route.h"
#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "serve/web/response.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum tv_status away(void *context, struct tv_error *err)
{
    (void)context;
    return tv_fail(err, TV_ERR_UNAVAILABLE, "away");
}

/* Three items and one user, who is in the cache for good: its second passes, but MongoDB stays away. */
static void load(struct tv_app *app)
{
    static const int64_t ids[] = {1, 2, 3};
    static const uint16_t factors[] = {0x3C00, 0xBC00, 0x4000};
    double sigma = 4;
    static char description[] = "{\"codes\":{\"users\":true,\"items\":true}}"; /* both may be named by text */
    struct tv_model model = {.run_number = 1,
                             .algorithm = "svd",
                             .factors = 1,
                             .n_items = 3,
                             .item_ids = malloc(sizeof ids),
                             .item_factors = malloc(sizeof factors),
                             .sigma = &sigma,
                             .sigma_power = 0.5,
                             .description = description};
    struct tv_items items = {.n = 2, .items = calloc(2, sizeof *items.items)};
    for (size_t i = 0; i < items.n; i++)
        items.items[i] = (struct tv_item){.id = (int64_t)i + 1,
                                          .code = i ? "AC/DC" : NULL,
                                          .title = i ? "Heat (1995)" : "Am\xc3\xa9lie (2001)",
                                          .year = i ? 1995 : 2001,
                                          .genres = i ? "Crime" : "Comedy|Drama",
                                          .imdb_id = "",
                                          .url = i ? "https://example.org/" : NULL,
                                          .overview = "",
                                          .n_ratings = 9,
                                          .mean_rating = 4.5};
    struct tv_resident *resident = NULL;
    struct tv_item_side *side = NULL;
    struct tv_catalogue *catalogue = NULL;
    struct tv_user_document *user = calloc(1, sizeof *user + sizeof *user->value);
    if (model.item_ids == NULL || model.item_factors == NULL || user == NULL)
        abort();
    memcpy(model.item_ids, ids, sizeof ids);
    memcpy(model.item_factors, factors, sizeof factors);
    if (tv_items_sort_codes(&items, NULL) != TV_OK || tv_item_side_create(&side, &model, NULL) != TV_OK ||
        tv_catalogue_create(&catalogue, 0, &items, NULL) != TV_OK ||
        tv_resident_create(&resident, &model, side, catalogue, NULL) != TV_OK)
        abort();
    tv_shelf_show(app->models.shelf, resident);
    user->user_id = 1;
    user->factors = 1;
    user->value = (uint16_t *)(void *)(user + 1);
    tv_code_cache_put(app->models.users.codes, 1, "b", 1);
    tv_cached_user_release(tv_user_cache_put(app->models.users.cache, 1, 1, user, 0));
}

static struct tv_app *make_app(void)
{
    static struct tv_app app;
    size_t n;
    const char *const *routes = tv_route_names(&n);
    tv_log_set_level(TV_LOG_ERROR);
    if (tv_counters_create(&app.counters, routes, n, NULL) != TV_OK ||
        tv_model_list_create(&app.models.model_list, NULL) != TV_OK ||
        tv_user_cache_create(&app.models.users.cache, 4, 1 << 20, NULL) != TV_OK ||
        tv_code_cache_create(&app.models.users.codes, 4, NULL) != TV_OK ||
        tv_shelf_create(&app.models.shelf, NULL, NULL, NULL) != TV_OK ||
        tv_questions_create(&app.questions, "postgresql:///?host=/nowhere", NULL) != TV_OK ||
        tv_breaker_start(&app.models.mongo_breaker, "MongoDB", away, NULL, 3600000, NULL) != TV_OK ||
        tv_breaker_start(&app.models.redis_breaker, "Redis", away, NULL, 3600000, NULL) != TV_OK)
        abort();
    app.models.users.breaker = app.models.mongo_breaker;
    app.permission.loopback = 1;
    app.permission.writes = TV_WRITES_LOCAL;
    if (tv_rater_create(&app.rater, &app.models, "postgresql:///?host=/nowhere", "postgresql:///?host=/nowhere",
                        NULL) != TV_OK)
        abort();
    load(&app);
    return &app;
}

static void check(const struct tv_response *r)
{
    const struct tv_buffer *body = &r->out.buffer;
    int known = r->status == 200 || (r->status >= 400 && r->status <= 405) || r->status == 413 ||
                r->status == 422 || r->status == 503;
    if (!known || r->out.failed || (r->lent == NULL && body->size == 0))
        abort();
    if (body->size && !tv_text_is_utf8(body->data, body->size))
        abort();
}

static char *copy(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* The target is taken apart in place, and stays the caller's; `body` may be NULL. */
static void answer(struct tv_app *app, char *target, int html, enum tv_http_method method, const char *body,
                   size_t size)
{
    struct tv_request request;
    struct tv_response response;
    tv_response_init(&response);
    if (tv_request_parse(&request, target, NULL) == TV_OK) {
        request.wants_html = html;
        request.method = method;
        request.may_wait = 1;
        request.body = body;
        request.body_size = body ? size : 0;
        if (tv_route_run(app, &request, &response) != TV_ANSWERED)
            abort();
        check(&response);
    }
    tv_response_free(&response);
}

/* Lines of "name:value". Two Hosts are never right, whatever is around them. */
static void frame(const char *text, size_t size)
{
    struct tv_framing framing = {0};
    for (const char *end = text + size; text < end; text++) {
        size_t n = strcspn(text, "\n"), name = strcspn(text, ":\n");
        tv_framing_header(&framing, text, name, text + name, n - name);
        text += n;
    }
    tv_framing_header(&framing, "Host", 4, "", 0);
    tv_framing_header(&framing, "hOST", 4, "", 0);
    if (tv_framing_wrong(&framing, "HTTP/1.1") == NULL || tv_framing_wrong(&framing, "HTTP/1.0") == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tv_app *app;
    if (app == NULL)
        app = make_app();
    char *text = copy(data, size);
    frame(text, strlen(text));
    int html = tv_accepts_html(text);
    answer(app, text, 0, html ? TV_OTHER_METHOD : TV_GET, NULL, 0);
    free(text);
    text = copy(data, size);
    answer(app, text, 1, TV_GET, NULL, 0);
    free(text);
    text = copy(data, size);
    char list[] = "/1/ratings", one[] = "/api/v1/users/1/ratings/2";
    answer(app, list, 0, TV_POST, text, size);
    answer(app, one, 0, TV_PUT, text, size);
    free(text);
    return 0;
}
