/* test_answers: whole requests to whole answers, without a socket. */
#include "serve_fixture.h"

#include <jansson.h>
#include <math.h>

#include "serve/html/page.h"
#include "trivet/base/text.h"

#define EVIL "<b>\"It's\" & more</b>"
static const char description[] = "{\"algorithm\":\"svd\",\"factors\":4,\"filter_text\":\"items with more "
                                  "than 10 <rows>\",\"source\":\"trivet.user_item()\","
                                  "\"counts\":{\"rows\":1234567,\"users\":380,\"users_folded_in\":563},"
                                  "\"data\":{\"name\":\"test\",\"generated\":true},"
                                  "\"examples\":[{\"user_id\":7,\"ratings\":21,\"label\":\"likes "
                                  "<i>\"},{\"user_id\":-8},{\"label\":\"no id\"}]}";

/* User 7 is known and learned from, 8 folded in; there is no user 9; of 10 nothing is known. */
static struct tv_app *app_with_users(int up)
{
    struct tv_resident *s = fixture_resident(2, 60, 4, EVIL, description);
    struct tv_app *app = fixture_app(s, up);
    fixture_know(app, s, 7, fixture_user(s, 7, 0, 3), 0);
    fixture_know(app, s, 8, fixture_user(s, 8, -1, 20), 0);
    fixture_know(app, s, 9, NULL, 0);
    return app;
}

static json_t *get_json(struct tv_app *app, const char *target, int status)
{
    struct fixture_answer a;
    fixture_get(&a, app, target, 0, 1);
    if (a.response.status != status)
        fail_msg("%s: %d instead of %d: %s", target, a.response.status, status, a.text);
    assert_int_equal(a.outcome, TV_ANSWERED);
    assert_string_equal(a.response.type, status < 400 ? "application/json" : "application/problem+json");
    json_t *root = json_loads(a.text, 0, NULL);
    if (root == NULL)
        fail_msg("%s: not JSON: %s", target, a.text);
    fixture_done(&a);
    return root;
}

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text ? text : "";
}

static int64_t int_of(const json_t *root, const char *key)
{
    return json_integer_value(json_object_get(root, key));
}

static void a_ranking_as_json(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    for (int again = 0; again < 2; again++) { /* made, then taken from what was kept */
        json_t *root = get_json(app, "/recs?user_id=7&top=5", 200);
        assert_int_equal(int_of(root, "user_id"), 7);
        assert_int_equal(int_of(root, "model"), 2);
        assert_string_equal(text_of(root, "reason"), "personal");
        assert_string_equal(text_of(root, "score_kind"), "relevance");
        json_t *items = json_object_get(root, "items");
        assert_int_equal(json_array_size(items), 5);
        for (size_t i = 0; i < 5; i++) {
            json_t *item = json_array_get(items, i);
            assert_int_equal(int_of(item, "rank"), i + 1);
            assert_int_not_equal(int_of(item, "id") / 10 % 3, 1); /* user 7 rated items 10, 40, 70, ... */
            assert_string_equal(text_of(item, "title"), EVIL);
            assert_true(int_of(item, "year") >= 1990);
            assert_true(json_is_array(json_object_get(item, "genres")));
        }
        json_decref(root);
    }
    json_t *root = get_json(app, "/api/v1/recs?user_id=8&top=1000", 200);
    assert_string_equal(text_of(root, "reason"), "folded_in");
    assert_int_equal(json_array_size(json_object_get(root, "items")), 57);
    json_decref(root);
    tv_app_free(app);
}

static void unknown_users_get_the_popular_list_or_404(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    json_t *root = get_json(app, "/recs?user_id=9&top=3", 200);
    assert_string_equal(text_of(root, "reason"), "popular");
    assert_string_equal(text_of(root, "score_kind"), "count");
    assert_int_equal(int_of(json_array_get(json_object_get(root, "items"), 0), "score"), 6);
    json_decref(root);
    root = get_json(app, "/recs?user_id=9&strict=1", 404);
    assert_int_equal(int_of(root, "status"), 404);
    json_decref(root);
    json_decref(get_json(app, "/recs?user_id=7&strict=1", 200));
    json_decref(get_json(app, "/api/v1/users/9", 404));
    tv_app_free(app);
}

static void filters_and_what_they_removed(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    json_t *root = get_json(app, "/recs?user_id=7&genre=drama&year_from=2000&top=50", 200);
    json_t *items = json_object_get(root, "items"), *removed = json_object_get(root, "removed");
    assert_string_equal(text_of(root, "reason"), "personal");
    assert_int_equal(json_array_size(items), int_of(root, "eligible"));
    assert_int_equal(int_of(removed, "seen"), 20);
    assert_int_equal(int_of(removed, "genre"), 20); /* those of an even number that are not seen */
    assert_int_equal(int_of(removed, "year") + int_of(root, "eligible"), 20);
    json_decref(root);
    root =
        get_json(app, "/recs?user_id=7&min_count=1000", 200); /* nothing is left, and the answer says why */
    assert_string_equal(text_of(root, "reason"), "personal");
    assert_int_equal(json_array_size(json_object_get(root, "items")), 0);
    assert_int_equal(int_of(json_object_get(root, "removed"), "min_count"), 40);
    json_decref(root);
    root = get_json(app, "/recs?user_id=7&genre=Dramma", 400);
    assert_string_equal(text_of(root, "hint"), "did you mean Drama?");
    json_decref(root);
    json_decref(
        get_json(app, "/recs?user_id=7&genre=Drama&genre=Film-Noir&not_genre=drama&not_genre=drama", 200));
    tv_app_free(app);
}

static void an_answer_that_the_client_has_is_304(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    char etag[24] = "", header[64];
    const char *const targets[] = {"/recs?user_id=7", "/recs?user_id=7", "/recs?user_id=8",
                                   "/api/v1/users/7"};
    for (int i = 0; i < 4; i++) {
        struct fixture_answer a;
        struct tv_request request;
        tv_response_init(&a.response);
        snprintf(a.target, sizeof a.target, "%s", targets[i]);
        assert_int_equal(tv_request_parse(&request, a.target, NULL), TV_OK);
        request.may_wait = 1;
        snprintf(header, sizeof header, "\"other\", W/%s", etag);
        request.if_none_match = header;
        assert_int_equal(tv_route_run(app, &request, &a.response), TV_ANSWERED);
        assert_int_equal(a.response.status, i == 1 ? 304 : 200);
        assert_int_equal(a.response.out.buffer.size > 0, i != 1);
        assert_int_equal(strlen(a.response.etag), 18);
        strcpy(etag, a.response.etag);
        fixture_done(&a);
    }
    tv_app_free(app);
}

static void mistakes_name_their_parameter(void **state)
{
    (void)state;
    static const char *const mistakes[][2] = {
        {"/recs", "user_id"},
        {"/recs?user_id=", "user_id"},
        {"/recs?user_id=1e3", "user_id"},
        {"/recs?user_id=7&top=0", "top"},
        {"/recs?user_id=7&top=1001", "top"},
        {"/recs?user_id=7&top=", "top"},
        {"/recs?user_id=7&user_id=7", "user_id"},
        {"/recs?user_id=7&strict=yes", "strict"},
        {"/recs?user_id=7&model=0", "model"},
        {"/recs?user_id=7&model=newest", "model"},
        {"/recs?user_id=7&Top=3", "Top"},
        {"/recs?user_id=7&min_count=few", "min_count"},
        {"/recs?user_id=7&min_count=1&min_count=2", "min_count"},
        {"/api/v1/recs?user=7", "user"},
        {"/api/v1/users/seven", "id"},
        {"/api/v1/users/7?top=3", "top"},
        {"/healthz?verbose=1", "verbose"},
        {"/api/v1/explain?user_id=7", "item_id"},
        {"/api/v1/explain?user_id=7&item_id=10&movie_id=20", "movie_id"},
        {"/api/v1/explain?movie_id=10", "user_id"},
        {"/api/v1/explain?user_id=7&movie_id=10&limit=1001", "limit"},
        {"/api/v1/predict?user_id=7", "ids"},
        {"/api/v1/predict?ids=10", "user_id"},
        {"/api/v1/predict?user_id=7&ids=10,,20", "ids"},
        {"/api/v1/predict?user_id=7&ids=nan", "ids"},
        {"/x/ratings/10", "user"},
        {"/7/ratings/1e1", "movie"},
        {"/7/ratings/top/0", "n"},
        {"/7/ratings/top/1001", "n"},
        {"/7/ratings/top/5?min_count=x", "min_count"},
        {"/?user_id=7", "user_id"},
    };
    struct tv_app *app = app_with_users(0);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        json_t *root = get_json(app, mistakes[i][0], 400);
        assert_string_equal(text_of(root, "parameter"), mistakes[i][1]);
        assert_non_null(strstr(text_of(root, "detail"), mistakes[i][1]));
        json_decref(root);
    }
    tv_app_free(app);
}

static void addresses_and_methods(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    const char *const nowhere[] = {"/nothing",     "/recs/", "/api/v1/users/", "/api/v1/users/1/2",
                                   "/layout.html", "//",     "/../etc/passwd", "/recs%2f"};
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        json_decref(get_json(app, nowhere[i], 404));
    struct tv_request request;
    struct tv_response response;
    char target[] = "/recs?user_id=7";
    tv_response_init(&response);
    assert_int_equal(tv_request_parse(&request, target, NULL), TV_OK);
    request.method = TV_DELETE;
    assert_int_equal(tv_route_run(app, &request, &response), TV_ANSWERED);
    assert_int_equal(response.status, 405);
    assert_string_equal(response.allow, "GET, HEAD");
    tv_response_free(&response);
    tv_app_free(app);
}

static void a_users_ratings(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    json_t *root = get_json(app, "/api/v1/users/8", 200), *items = json_object_get(root, "items");
    assert_int_equal(int_of(root, "n"), 3);
    assert_false(json_is_true(json_object_get(root, "learned")));
    assert_int_equal(json_array_size(items), 3);
    assert_int_equal(int_of(json_array_get(items, 1), "id"), 210);
    assert_true(json_number_value(json_object_get(json_array_get(items, 1), "rating")) == 1.0);
    json_decref(root);
    tv_app_free(app);
}

/* Nothing predicts ratings here, so it is the relevance of the list. */
static void predictions_say_what_they_are(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    struct fixture_answer a;
    json_t *list = get_json(app, "/recs?user_id=7&top=1", 200), *best = json_array_get(json_object_get(list, "items"), 0);
    char target[64];
    sprintf(target, "/7/ratings/%d", (int)int_of(best, "id"));
    fixture_get(&a, app, target, 0, 1);
    json_t *triples = json_loads(a.text, 0, NULL), *triple = json_array_get(triples, 0);
    assert_int_equal(json_array_size(triples), 1);
    assert_int_equal(json_array_size(triple), 3);
    assert_true(json_number_value(json_array_get(triple, 1)) == json_number_value(json_object_get(best, "score")));
    assert_string_equal(a.response.score, "relevance");
    assert_non_null(strstr(a.response.hint, "trivet-train fit --algorithm als"));
    fixture_done(&a);
    json_decref(triples);
    json_decref(list);
    fixture_get(&a, app, "/9/ratings/top/3?min_count=1", 0, 1); /* nobody knows user 9 */
    assert_string_equal(a.response.score, "mean");
    assert_null(a.response.hint);
    fixture_done(&a);
    list = get_json(app, "/api/v1/predict?user_id=7&ids=20,10,20", 200);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 3);
    assert_string_equal(text_of(json_array_get(json_object_get(list, "items"), 2), "basis"), "relevance");
    json_decref(list);
    tv_app_free(app);
}

static void a_score_adds_up_from_its_terms(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    for (int limit = 0; limit < 30; limit += 7) {
        char target[96];
        sprintf(target, "/api/v1/explain?user_id=7&item_id=60&limit=%d", limit);
        json_t *root = get_json(app, target, 200), *rated = json_object_get(root, "ratings"), *one;
        double sum = json_number_value(json_object_get(root, "item_term")) + json_number_value(json_object_get(root, "user_term"));
        double last = INFINITY;
        size_t i;
        json_array_foreach(rated, i, one)
        {
            double part = json_number_value(json_object_get(one, "contribution"));
            assert_true(part <= last);
            last = part;
            sum += part;
        }
        json_t *others = json_object_get(root, "others");
        assert_int_equal(json_array_size(rated), limit < 20 ? limit : 20);
        assert_int_equal(int_of(others, "n"), 20 - json_array_size(rated));
        sum += json_number_value(json_object_get(others, "contribution"));
        sum += json_number_value(json_object_get(root, "rounding"));
        assert_true(fabs(sum - json_number_value(json_object_get(root, "score"))) < 1e-12);
        json_decref(root);
    }
    json_t *root = get_json(app, "/api/v1/explain?user_id=9&item_id=60&movie_id=60", 200); /* unknown: what most people rate */
    assert_string_equal(text_of(root, "reason"), "popular");
    assert_true(json_number_value(json_object_get(root, "item_term")) == json_number_value(json_object_get(root, "score")));
    json_decref(root);
    tv_app_free(app);
}

static void a_store_that_is_away_is_503(void **state)
{
    (void)state;
    struct fixture_answer a;
    struct tv_app *app = app_with_users(0);
    const char *const targets[] = {"/recs?user_id=10", "/api/v1/users/10", "/api/v1/models",
                                   "/recs?user_id=7&model=5"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        fixture_get(&a, app, targets[i], 0, 0);
        assert_int_equal(a.response.status, 503);
        assert_true(a.response.retry_after > 0);
        fixture_done(&a);
    }
    json_t *root = get_json(app, "/recs?user_id=7&model=2", 200); /* held, so no store is needed */
    json_decref(root);
    tv_app_free(app);
    app = fixture_app(NULL, 1);
    root = get_json(app, "/recs?user_id=7", 503);
    assert_non_null(strstr(text_of(root, "detail"), "no model is live"));
    json_decref(root);
    tv_app_free(app);
}

/* People are shown ratings of the scale; programs get what the product is. */
static void predicted_ratings_are_cut_only_when_shown(void **state)
{
    (void)state;
    static const char rating[] = "{\"algorithm\":\"als\",\"factors\":2,\"scale\":{\"low\":0.1,\"high\":0.25}}";
    struct tv_resident *s = fixture_resident(2, 60, 4, "Title", rating);
    strcpy(s->score_kind, "rating");
    struct tv_app *app = fixture_app(s, 0);
    struct fixture_answer a;
    fixture_know(app, s, 7, fixture_user(s, 7, 0, 3), 0);
    json_t *root = get_json(app, "/recs?user_id=7&top=1", 200);
    assert_string_equal(text_of(root, "score_kind"), "rating");
    assert_true(json_real_value(json_object_get(json_array_get(json_object_get(root, "items"), 0), "score")) > 0.3);
    json_decref(root);
    fixture_get(&a, app, "/recs?user_id=7&top=1", 1, 1);
    assert_non_null(strstr(a.text, "class=\"number\">0.250<"));
    assert_non_null(strstr(a.text, "als, 2 factors")); /* and not 4, which are those with the biases */
    fixture_done(&a);
    strcpy(s->score_kind, "relevance"); /* has no scale */
    fixture_get(&a, app, "/recs?user_id=7&top=1", 1, 1);
    assert_null(strstr(a.text, "class=\"number\">0.250<"));
    fixture_done(&a);
    tv_app_free(app);
}

static void who_would_wait_is_answered_later(void **state)
{
    (void)state;
    struct fixture_answer a;
    struct tv_app *app = app_with_users(1);
    fixture_get(&a, app, "/recs?user_id=10", 0, 0);
    assert_int_equal(a.outcome, TV_LATER);
    assert_true(a.response.need.user && a.response.need.user_id == 10 && a.response.need.model == 2);
    fixture_done(&a);
    const char *const others[] = {"/", "/surprise", "/api/v1/models", "/recs?user_id=7&model=5",
                                  "/api/v1/users/7"}; /* which model predicts ratings? */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        fixture_get(&a, app, others[i], 0, 0);
        assert_int_equal(a.outcome, TV_LATER);
        assert_false(a.response.need.user);
        fixture_done(&a);
    }
    fixture_get(&a, app, "/recs?user_id=7", 1, 0); /* pages wait for the list of models */
    assert_int_equal(a.outcome, TV_LATER);
    fixture_done(&a);
    const char *const at_once[] = {"/healthz",    "/readyz",         "/metrics",        "/openapi.json",
                                   "/trivet.css", "/recs?user_id=7", "/recs?user_id=x"};
    for (size_t i = 0; i < sizeof at_once / sizeof *at_once; i++) {
        fixture_get(&a, app, at_once[i], 0, 0);
        assert_int_equal(a.outcome, TV_ANSWERED);
        fixture_done(&a);
    }
    tv_app_free(app);
}

static void health_and_readiness(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    json_decref(get_json(app, "/healthz", 200));
    struct fixture_answer a;
    fixture_get(&a, app, "/readyz", 0, 0);
    assert_int_equal(a.response.status, 503);
    json_t *root = json_loads(a.text, 0, NULL),
           *store = json_object_get(json_object_get(root, "stores"), "mongodb");
    assert_true(json_is_false(json_object_get(store, "up")));
    assert_string_equal(text_of(store, "message"), "it is away");
    json_decref(root);
    fixture_done(&a);
    tv_app_free(app);
    app = app_with_users(1);
    root = get_json(app, "/readyz", 200);
    assert_string_equal(text_of(root, "status"), "ok");
    assert_int_equal(int_of(root, "model"), 2);
    json_decref(root);
    tv_app_free(app);
}

static void counters_count(void **state)
{
    (void)state;
    struct fixture_answer a;
    struct tv_app *app = app_with_users(0);
    tv_counters_request(app->counters, 0, 200, 0.0004);
    tv_counters_request(app->counters, 0, 200, 0.3);
    tv_counters_request(app->counters, 0, 418, 100);
    fixture_get(&a, app, "/metrics", 0, 0);
    const char *const lines[] = {"trivet_requests_total{route=\"/\",code=\"200\"} 2\n",
                                 "trivet_requests_total{route=\"/\",code=\"other\"} 1\n",
                                 "trivet_request_seconds_bucket{route=\"/\",le=\"0.0005\"} 1\n",
                                 "trivet_request_seconds_bucket{route=\"/\",le=\"0.5\"} 2\n",
                                 "trivet_request_seconds_bucket{route=\"/\",le=\"+Inf\"} 3\n",
                                 "trivet_request_seconds_count{route=\"/\"} 3\n",
                                 "trivet_model_number 2\n",
                                 "trivet_store_up{store=\"redis\"} 0\n",
                                 "trivet_user_cache_users 3\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strstr(a.text, lines[i]) == NULL)
            fail_msg("%s is missing in\n%s", lines[i], a.text);
    fixture_done(&a);
    tv_app_free(app);
}

/* --- pages ----------------------------------------------------------------------------------------------- */

static char *get_page(struct tv_app *app, const char *target, int status)
{
    struct fixture_answer a;
    fixture_get(&a, app, target, 1, 1);
    assert_int_equal(a.response.status, status);
    assert_string_equal(a.response.type, "text/html; charset=utf-8");
    assert_null(strstr(a.text, "{{"));
    assert_null(strstr(a.text, "<b>"));      /* from a title */
    assert_null(strstr(a.text, "<i>"));      /* from a label */
    assert_null(strstr(a.text, "style=\"")); /* which the policy would not let in */
    const char *script = strstr(a.text, "<script"); /* none but a file of the server's own, where the policy lets it in */
    assert_true(script == NULL || (a.response.scripts && strncmp(script, "<script src=\"/rate.js\"", 22) == 0));
    assert_true(script == NULL || strstr(script + 1, "<script") == NULL);
    char *text = strdup(a.text);
    fixture_done(&a);
    return text;
}

static void holds(const char *page, const char *part)
{
    if (strstr(page, part) == NULL)
        fail_msg("\"%s\" is not on the page\n%s", part, page);
}

static void the_page_of_a_known_user(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    char *page = get_page(app, "/recs?user_id=7&top=5", 200);
    holds(page, "From your 20 ratings");
    holds(page, "&lt;b&gt;&quot;It&#39;s&quot; &amp; more&lt;/b&gt;");
    holds(page, "Rated highest");
    holds(page, "value=\"7\"");
    holds(page, "value=\"5\"");
    holds(page, "https://www.imdb.com/title/tt0000001/");
    holds(page, "items with more than 10 &lt;rows&gt;");
    holds(page, "width=\"100.0%\"");
    holds(page, "3 hours ago");
    holds(page, "generated, not real");
    free(page);
    tv_app_free(app);
}

static void the_page_of_somebody_new(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    char *page = get_page(app, "/recs?user_id=9", 200);
    holds(page, "We don&#39;t know you yet: what most people rate");
    holds(page, "number of ratings");
    assert_null(strstr(page, "Rated highest"));
    free(page);
    tv_app_free(app);
}

static void errors_are_pages_with_the_form_filled_in(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    char *page = get_page(app, "/recs?user_id=%22%3E%3Cb%3E&top=77&model=5x", 400);
    holds(page, "value=\"&quot;&gt;&lt;b&gt;\"");
    holds(page, "value=\"77\"");
    free(page);
    page = get_page(app, "/nowhere", 404);
    holds(page, "<form");
    free(page);
    page = get_page(app, "/recs?user_id=10", 503);
    holds(page, "value=\"10\"");
    free(page);
    tv_app_free(app);
}

static void the_welcome_page(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    char *page = get_page(app, "/", 200);
    holds(page, "/recs?user_id=7\"");
    holds(page, "/recs?user_id=-8\"");
    holds(page, "likes &lt;i&gt;");
    holds(page, "21 ratings");
    holds(page, "href=\"/surprise\"");
    holds(page, "1,234,567");
    free(page);
    tv_app_free(app);
    app = fixture_app(NULL, 0);
    page = get_page(app, "/", 200);
    holds(page, "No model yet");
    assert_null(strstr(page, "generated, not real"));
    free(page);
    tv_app_free(app);
}

/* Where no rating is taken none is offered, and the page for it says why; a token can be given on the page. */
static void rating_is_offered_where_it_is_taken(void **state)
{
    (void)state;
    struct tv_app *app = app_with_users(0);
    char *page = get_page(app, "/", 200);
    holds(page, "href=\"/rate\"");
    free(page);
    app->permission.writes = TV_WRITES_TOKEN;
    app->permission.token = "abc";
    page = get_page(app, "/recs?user_id=7", 200);
    holds(page, "id=\"rate\"");
    free(page);
    app->permission.token = NULL;
    page = get_page(app, "/recs?user_id=7", 200);
    assert_null(strstr(page, "id=\"rate\""));
    free(page);
    page = get_page(app, "/", 200);
    assert_null(strstr(page, "/rate"));
    free(page);
    page = get_page(app, "/rate", 403);
    holds(page, "this server has no token, and so takes no changes");
    free(page);
    tv_app_free(app);
    app = fixture_app(NULL, 0);
    page = get_page(app, "/", 200);
    assert_null(strstr(page, "/rate"));
    free(page);
    tv_app_free(app);
}

static void files_are_sent_as_they_are(void **state)
{
    (void)state;
    struct fixture_answer a;
    struct tv_app *app = app_with_users(0);
    const char *const files[][2] = {{"/trivet.css", "text/css; charset=utf-8"},
                                    {"/trivet.svg", "image/svg+xml"},
                                    {"/data.css", "text/css; charset=utf-8"},
                                    {"/charts.js", "text/javascript; charset=utf-8"},
                                    {"/dom.js", "text/javascript; charset=utf-8"},
                                    {"/models.css", "text/css; charset=utf-8"},
                                    {"/models.js", "text/javascript; charset=utf-8"},
                                    {"/models_charts.js", "text/javascript; charset=utf-8"},
                                    {"/models_lists.js", "text/javascript; charset=utf-8"},
                                    {"/models_quality.js", "text/javascript; charset=utf-8"},
                                    {"/rate.js", "text/javascript; charset=utf-8"},
                                    {"/rate_control.js", "text/javascript; charset=utf-8"},
                                    {"/rate_send.js", "text/javascript; charset=utf-8"},
                                    {"/lab.css", "text/css; charset=utf-8"},
                                    {"/lab.js", "text/javascript; charset=utf-8"},
                                    {"/lab_filter.js", "text/javascript; charset=utf-8"},
                                    {"/lab_charts.js", "text/javascript; charset=utf-8"},
                                    {"/lab_sweep.js", "text/javascript; charset=utf-8"},
                                    {"/chart.min.js", "text/javascript; charset=utf-8"},
                                    {"/openapi.json", "application/json"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        fixture_get(&a, app, files[i][0], 1, 0);
        assert_string_equal(a.response.type, files[i][1]);
        assert_true(a.response.lent_size > 100 && a.response.cache_seconds > 0);
        fixture_done(&a);
    }
    tv_app_free(app);
}

/* Every route stands in the OpenAPI document, and nothing else does. */
static void the_document_knows_every_route(void **state)
{
    (void)state;
    json_t *root = json_loads(tv_page_file("openapi.json")->text, 0, NULL),
           *paths = json_object_get(root, "paths");
    size_t n, documented = 0;
    const char *const *names = tv_route_names(&n);
    assert_non_null(paths);
    for (size_t i = 0; i < n; i++) {
        const char *end = strrchr(names[i], '.'); /* parts of pages need no description */
        if (strcmp(names[i], "other") == 0 || (end && strcmp(end, ".json") != 0))
            continue;
        char method[16] = "get"; /* what is not a GET has its method before the pattern */
        const char *blank = strchr(names[i], ' '), *pattern = blank ? blank + 1 : names[i];
        for (size_t c = 0; blank && names[i] + c <= blank; c++)
            method[c] = names[i] + c < blank ? (char)(names[i][c] | 0x20) : '\0';
        if (json_object_get(json_object_get(paths, pattern), method) == NULL)
            fail_msg("%s is not in openapi.json", names[i]);
        documented++;
    }
    const char *path;
    json_t *methods;
    size_t described = 0;
    json_object_foreach(paths, path, methods) described += json_object_size(methods);
    assert_int_equal(described, documented);
    json_decref(root);
}

static void a_template_and_its_slots_must_agree(void **state)
{
    (void)state;
    struct tv_out out;
    const struct tv_slot without_value[] = {{"name", "a", NULL}, {"kind", "wide", NULL}, {NULL, NULL, NULL}};
    tv_out_init(&out);
    tv_page_fill(&out, "fact.html", without_value);
    assert_true(out.failed);
    tv_out_free(&out);
    tv_out_init(&out);
    tv_page_fill(&out, "no_such_file.html", without_value);
    assert_true(out.failed);
    tv_out_free(&out);
}

static void durations_read_naturally(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(tv_page_duration(text, 0), "0 seconds");
    assert_string_equal(tv_page_duration(text, 1.9), "1 second");
    assert_string_equal(tv_page_duration(text, 59), "59 seconds");
    assert_string_equal(tv_page_duration(text, 60), "1 minute");
    assert_string_equal(tv_page_duration(text, 7200), "2 hours");
    assert_string_equal(tv_page_duration(text, 86400 * 400.0), "400 days");
    assert_string_equal(tv_page_duration(text, -5), "0 seconds"); /* the trainer's clock is ahead of ours */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ranking_as_json),
        cmocka_unit_test(unknown_users_get_the_popular_list_or_404),
        cmocka_unit_test(filters_and_what_they_removed),
        cmocka_unit_test(an_answer_that_the_client_has_is_304),
        cmocka_unit_test(mistakes_name_their_parameter),
        cmocka_unit_test(addresses_and_methods),
        cmocka_unit_test(a_users_ratings),
        cmocka_unit_test(predictions_say_what_they_are),
        cmocka_unit_test(a_score_adds_up_from_its_terms),
        cmocka_unit_test(a_store_that_is_away_is_503),
        cmocka_unit_test(predicted_ratings_are_cut_only_when_shown),
        cmocka_unit_test(who_would_wait_is_answered_later),
        cmocka_unit_test(health_and_readiness),
        cmocka_unit_test(counters_count),
        cmocka_unit_test(the_page_of_a_known_user),
        cmocka_unit_test(the_page_of_somebody_new),
        cmocka_unit_test(errors_are_pages_with_the_form_filled_in),
        cmocka_unit_test(the_welcome_page),
        cmocka_unit_test(rating_is_offered_where_it_is_taken),
        cmocka_unit_test(files_are_sent_as_they_are),
        cmocka_unit_test(the_document_knows_every_route),
        cmocka_unit_test(a_template_and_its_slots_must_agree),
        cmocka_unit_test(durations_read_naturally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
