/* serve_fixture: a small model whose every number is known, and a server around it without sockets or stores.
 */
#ifndef TRIVET_TESTS_UNIT_SERVE_SERVE_FIXTURE_H
#define TRIVET_TESTS_UNIT_SERVE_SERVE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/app.h"
#include "serve/follow/rater.h"
#include "serve/route/route.h"
#include "trivet/base/clock.h"
#include "trivet/core/formats/half.h"

/* Item i of a test model has id 10 (i + 1), codes[i] if there are codes, a title, i mod 7 ratings, and
 * factors from a fixed sequence. */
static inline float fixture_factor(uint32_t seed, size_t i)
{
    uint32_t h = seed * 2654435761u + (uint32_t)i * 2246822519u;
    h = (h ^ h >> 15) * 3266489917u;
    return (float)((int)(h >> 16 & 1023) - 512) / 256.0f;
}

static inline struct tv_resident *fixture_resident_with(int64_t number, int32_t n_items, int factors, const char *title,
                                                        const char *description, const char *const *codes)
{
    struct tv_model model = {.run_number = number,
                             .algorithm = "svd",
                             .score_kind = "relevance",
                             .factors = factors,
                             .n_items = n_items,
                             .created_at = tv_clock_wall() - 3 * 3600,
                             .description = (char *)description};
    size_t n = (size_t)n_items;
    struct tv_items items = {.n = n, .items = calloc(n, sizeof *items.items)};
    struct tv_resident *resident = NULL;
    struct tv_item_side *side = NULL;
    struct tv_catalogue *catalogue = NULL;
    double *sigma = calloc((size_t)factors, sizeof *sigma);
    for (int f = 0; f < factors; f++)
        sigma[f] = 10.0 / (f + 1);
    model.sigma = sigma;
    model.sigma_power = 0.5;
    model.item_ids = calloc(n, sizeof *model.item_ids);
    model.item_factors = calloc(n * (size_t)factors, sizeof *model.item_factors);
    for (size_t i = 0; i < n; i++) {
        model.item_ids[i] = 10 * (int64_t)(i + 1);
        items.items[i] = (struct tv_item){.id = model.item_ids[i],
                                          .code = codes ? codes[i] : NULL,
                                          .title = title,
                                          .year = 1990 + (int)(i % 30),
                                          .genres = i % 2 ? "Drama|Film-Noir" : "",
                                          .imdb_id = i % 3 ? "tt0000001" : "",
                                          .overview = "",
                                          .n_ratings = (int64_t)(i % 7)};
    }
    for (size_t i = 0; i < n * (size_t)factors; i++)
        model.item_factors[i] = tv_half_from_float(fixture_factor((uint32_t)number, i));
    assert_int_equal(tv_items_sort_codes(&items, NULL), TV_OK);
    assert_int_equal(tv_item_side_create(&side, &model, NULL), TV_OK);
    assert_int_equal(tv_catalogue_create(&catalogue, 0, &items, NULL), TV_OK);
    assert_int_equal(tv_resident_create(&resident, &model, side, catalogue, NULL), TV_OK);
    free(sigma);
    return resident;
}

static inline struct tv_resident *fixture_resident(int64_t number, int32_t n_items, int factors, const char *title,
                                                   const char *description)
{
    return fixture_resident_with(number, n_items, factors, title, description, NULL);
}

/* A user who rated every `step`-th item of the resident model; step 0: none. In one allocation, as lib/model makes
 * them. */
static inline struct tv_user_document *fixture_user(const struct tv_resident *s, int64_t user_id, int32_t row, int step)
{
    size_t n = step ? ((size_t)s->n_items + (size_t)step - 1) / (size_t)step : 0, k = (size_t)s->factors;
    struct tv_user_document *u = calloc(
        1, sizeof *u + n * (sizeof *u->rated + sizeof *u->seen + sizeof *u->ratings) + k * sizeof *u->value);
    u->user_id = user_id;
    u->row = row;
    u->factors = s->factors;
    u->n_seen = u->n_rated = n;
    u->rated = (int64_t *)(void *)(u + 1);
    u->seen = (int32_t *)(void *)(u->rated + n);
    u->ratings = (float *)(void *)(u->seen + n);
    u->value = (uint16_t *)(void *)(u->ratings + n);
    for (size_t i = 0; i < n; i++) {
        u->seen[i] = (int32_t)i * step;
        u->rated[i] = s->item_ids[u->seen[i]];
        u->ratings[i] = 0.5f + (float)(i % 10) / 2;
    }
    for (size_t f = 0; f < k && n; f++)
        u->value[f] = tv_half_from_float(fixture_factor((uint32_t)user_id + 77, f));
    return u;
}

/* --- a server -------------------------------------------------------------------------------------------- */

static inline enum tv_status fixture_away(void *context, struct tv_error *err)
{
    (void)context;
    return tv_fail(err, TV_ERR_UNAVAILABLE, "it is away");
}

static inline enum tv_status fixture_there(void *context, struct tv_error *err)
{
    (void)context, (void)err;
    return TV_OK;
}

/* Its stores are away (or, for `up`, only said to be there), so it answers from memory or not at all. */
static inline struct tv_app *fixture_app(struct tv_resident *live, int up)
{
    struct tv_app *app = calloc(1, sizeof *app);
    size_t n;
    const char *const *routes = tv_route_names(&n);
    assert_int_equal(tv_counters_create(&app->counters, routes, n, NULL), TV_OK);
    assert_int_equal(tv_model_list_create(&app->models.model_list, NULL), TV_OK);
    assert_int_equal(tv_user_cache_create(&app->models.users.cache, 100, 1 << 20, NULL), TV_OK);
    assert_int_equal(tv_code_cache_create(&app->models.users.codes, 100, NULL), TV_OK);
    assert_int_equal(tv_shelf_create(&app->models.shelf, NULL, NULL, NULL), TV_OK);
    assert_int_equal(
        tv_questions_create(&app->questions, "postgresql://trivet_page@127.0.0.1:1/postgres", NULL), TV_OK);
    tv_ask ask = up ? fixture_there : fixture_away;
    assert_int_equal(tv_breaker_start(&app->models.mongo_breaker, "MongoDB", ask, NULL, 10000, NULL), TV_OK);
    assert_int_equal(tv_breaker_start(&app->models.redis_breaker, "Redis", ask, NULL, 10000, NULL), TV_OK);
    app->models.users.breaker = app->models.mongo_breaker;
    app->permission.loopback = 1;
    app->permission.writes = TV_WRITES_LOCAL;
    assert_int_equal(tv_rater_create(&app->rater, &app->models, "postgresql:///?host=/nowhere", NULL, NULL), TV_OK);
    if (live)
        tv_shelf_show(app->models.shelf, live);
    return app;
}

static inline void fixture_know(struct tv_app *app, const struct tv_resident *s, int64_t user_id,
                                struct tv_user_document *document, double age)
{
    tv_cached_user_release(
        tv_user_cache_put(app->models.users.cache, s->run_number, user_id, document, tv_clock() - age));
}

struct fixture_answer {
    struct tv_response response;
    enum tv_outcome outcome;
    char target[1024];
    const char *text; /* the body, NUL-terminated */
};

static inline void fixture_get(struct fixture_answer *a, struct tv_app *app, const char *target, int html,
                               int may_wait)
{
    struct tv_request request;
    tv_response_init(&a->response);
    snprintf(a->target, sizeof a->target, "%s", target);
    assert_int_equal(tv_request_parse(&request, a->target, NULL), TV_OK);
    request.wants_html = html;
    request.may_wait = may_wait;
    a->outcome = tv_route_run(app, &request, &a->response);
    a->text = a->response.lent ? a->response.lent : tv_buffer_string(&a->response.out.buffer);
}

static inline void fixture_done(struct fixture_answer *a)
{
    tv_response_free(&a->response);
}

/* 1 if the answer to a target is left to the workers that wait for PostgreSQL, 0 if it is there at once. */
static inline int fixture_asks_postgres(struct tv_app *app, const char *target)
{
    struct fixture_answer a;
    fixture_get(&a, app, target, 0, 0);
    int later = a.outcome == TV_LATER;
    assert_int_equal(later, a.response.need.postgres);
    assert_false(later && a.response.need.user);
    fixture_done(&a);
    return later;
}

/* Two lists of targets, each ended by NULL. */
static inline void fixture_only_these_ask_postgres(const char *const *asking, const char *const *at_once)
{
    struct tv_app *app = fixture_app(NULL, 0);
    for (; *asking; asking++)
        if (!fixture_asks_postgres(app, *asking))
            fail_msg("%s is answered at once", *asking);
    for (; *at_once; at_once++)
        if (fixture_asks_postgres(app, *at_once))
            fail_msg("%s waits for PostgreSQL", *at_once);
    tv_app_free(app);
}

/* A page with scripts: they are files of this server, and nothing is in it that the policy would not let in. */
static inline void fixture_runs_only_our_files(const struct fixture_answer *a)
{
    assert_true(a->response.scripts);
    assert_null(strstr(a->text, "{{"));
    assert_null(strstr(a->text, "style=\""));
    for (const char *script = a->text; (script = strstr(script, "<script")) != NULL; script++)
        assert_int_equal(strncmp(script, "<script src=\"/", 14), 0);
}

#endif
