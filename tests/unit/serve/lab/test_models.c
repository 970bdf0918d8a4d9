/* test_models: what /models takes, whom it waits for, what it answers without PostgreSQL; its page. */
#include "../serve_fixture.h"

#include <jansson.h>

#include "serve/html/page.h"

static void quality_is_asked_by_the_workers_for_postgres(void **state)
{
    (void)state;
    static const char *const waits[] = {"/models/journal", "/models/metrics?run=12", NULL};
    static const char *const at_once[] = {
        "/models", "/models/metrics", "/models/metrics?run=0", "/models/metrics?run=a", "/models/journal?run=1", NULL};
    fixture_only_these_ask_postgres(waits, at_once);
}

static void without_postgres_it_says_so(void **state)
{
    (void)state;
    struct fixture_answer a;
    struct tv_app *app = fixture_app(NULL, 0);
    fixture_get(&a, app, "/models/journal", 0, 1);
    assert_int_equal(a.response.status, 503);
    assert_true(a.response.retry_after > 0);
    json_t *root = json_loads(a.text, 0, NULL);
    assert_non_null(strstr(json_string_value(json_object_get(root, "detail")), "PostgreSQL"));
    assert_non_null(strstr(json_string_value(json_object_get(root, "hint")), "TRIVET_READER"));
    json_decref(root);
    fixture_done(&a);
    tv_app_free(app);
}

static void a_link_with_a_wrong_value_is_refused(void **state)
{
    (void)state;
    static const char *const good[] = {"/models?user_id=-7&a=3&b=2&top=5&run=4&search=9&k=10&metric=rmse&all=1",
                                       "/models?metric=anything", "/models?user_id=a-code"};
    static const char *const bad[][2] = {{"/models?a=live", "a"},     {"/models?b=0", "b"},
                                         {"/models?top=101", "top"},  {"/models?top=x", "top"},
                                         {"/models?run=-1", "run"},   {"/models?search=1.5", "search"},
                                         {"/models?k=0", "k"},        {"/models?all=yes", "all"},
                                         {"/models?model=3", "model"}, {"/models/metrics", "run"},
                                         {"/models/metrics?run=0", "run"}, {"/models/metrics?run=a", "run"},
                                         {"/models/journal?run=1", "run"}};
    struct fixture_answer a;
    struct tv_app *app = fixture_app(NULL, 0);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        fixture_get(&a, app, good[i], 1, 0);
        assert_int_equal(a.response.status, 200);
        fixture_done(&a);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fixture_get(&a, app, bad[i][0], 0, 0);
        json_t *root = json_loads(a.text, 0, NULL);
        assert_int_equal(a.response.status, 400);
        assert_string_equal(json_string_value(json_object_get(root, "parameter")), bad[i][1]);
        json_decref(root);
        fixture_done(&a);
    }
    tv_app_free(app);
}

static void the_page_runs_only_files_of_this_server(void **state)
{
    (void)state;
    struct fixture_answer a;
    struct tv_app *app = fixture_app(fixture_resident(7, 20, 4, "Title", "{\"data\":{\"generated\":true}}"), 0);
    fixture_get(&a, app, "/models", 1, 0);
    assert_non_null(strstr(a.text, "&quot;max_items_for_user&quot;: 50")); /* the filter's defaults */
    assert_non_null(strstr(a.text, "generated, not real"));
    fixture_runs_only_our_files(&a);
    fixture_done(&a);
    fixture_get(&a, app, "/", 1, 1);
    assert_non_null(strstr(a.text, "href=\"/models\"")); /* the menu leads there */
    fixture_done(&a);
    tv_app_free(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quality_is_asked_by_the_workers_for_postgres),
        cmocka_unit_test(without_postgres_it_says_so),
        cmocka_unit_test(a_link_with_a_wrong_value_is_refused),
        cmocka_unit_test(the_page_runs_only_files_of_this_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
