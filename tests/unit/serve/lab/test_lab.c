/* test_lab: what /lab takes for a filter, a grid and an id; what it answers without PostgreSQL; its
 * page. */
#include "../serve_fixture.h"

#include <jansson.h>

#include "serve/html/page.h"
#include "serve/lab/lab_parameters.h"
#include "serve/lab/question_answers.h"

static void parse(struct tv_request *request, char *space, const char *target)
{
    strcpy(space, target);
    assert_int_equal(tv_request_parse(request, space, NULL), TV_OK);
}

/* --- the filter ------------------------------------------------------------------------------------------ */

static json_t *filter_of(const char *target)
{
    struct tv_request r;
    struct tv_filter *filter = NULL;
    struct tv_problem problem = {0};
    struct tv_buffer json = TV_BUFFER_INIT(4096);
    char space[2048];
    parse(&r, space, target);
    if (!tv_lab_filter(&r, &filter, &problem))
        fail_msg("%s was refused: %s", target, problem.detail);
    assert_int_equal(tv_filter_json(filter, &json, NULL), TV_OK);
    json_t *values = json_loads(tv_buffer_string(&json), 0, NULL);
    tv_buffer_free(&json);
    tv_filter_free(filter);
    return values;
}

static void a_request_is_a_filter(void **state)
{
    (void)state;
    json_t *values = filter_of("/lab/funnel"), *standard = NULL;
    assert_int_equal(json_integer_value(json_object_get(values, "min_users_for_item")), 10);
    assert_true(json_is_null(json_object_get(values, "genres")));
    standard = filter_of("/lab/funnel?genres=null&min_users_for_item=10&id=7&rated_since=null");
    assert_true(json_equal(values, standard));
    json_decref(values);
    json_decref(standard);
    values = filter_of(
        "/lab/"
        "funnel?min_users_for_item=0&genres=Drama,Sci-Fi&sample_users=0.25&rated_until=2015-01-01+12:00");
    assert_int_equal(json_integer_value(json_object_get(values, "min_users_for_item")), 0);
    assert_int_equal(json_array_size(json_object_get(values, "genres")), 2);
    assert_true(json_real_value(json_object_get(values, "sample_users")) == 0.25);
    assert_string_equal(json_string_value(json_object_get(values, "rated_until")), "2015-01-01 12:00");
    json_decref(values);
}

/* The routes' lists are written by hand, the filter's rows are not: they must be the same names. */
static void the_routes_know_every_parameter(void **state)
{
    (void)state;
    json_t *values = filter_of("/lab/funnel");
    size_t n = 0;
    for (; strcmp(tv_lab_of_funnel[n], "id") != 0; n++)
        if (json_object_get(values, tv_lab_of_funnel[n]) == NULL)
            fail_msg("the filter has no %s", tv_lab_of_funnel[n]);
    assert_int_equal(json_object_size(values), n);
    json_decref(values);
}

static void a_wrong_filter_names_its_parameter(void **state)
{
    (void)state;
    static const char *const mistakes[][2] = {
        {"/?min_users_for_item=ten", "min_users_for_item"},
        {"/?min_items_for_user=-1", "min_items_for_user"},
        {"/?max_items_for_user=2", "max_items_for_user"},
        {"/?min_items_for_user=51", "max_items_for_user"},
        {"/?max_row_number=", "max_row_number"},
        {"/?sample_users=0", "sample_users"},
        {"/?min_rating=inf", "min_rating"},
        {"/?max_row_number=null", "max_row_number"},
        {"/?genres=", "genres"},
    };
    struct tv_request r;
    struct tv_filter *filter = NULL;
    char space[2048];
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct tv_problem problem = {0};
        parse(&r, space, mistakes[i][0]);
        if (tv_lab_filter(&r, &filter, &problem))
            fail_msg("%s was taken", mistakes[i][0]);
        assert_int_equal(problem.status, 400);
        assert_string_equal(problem.parameter, mistakes[i][1]);
        assert_non_null(strstr(problem.detail, mistakes[i][1]));
    }
    assert_null(filter);
}

static void long_values_are_refused_before_they_are_read(void **state)
{
    (void)state;
    struct tv_request r;
    struct tv_filter *filter = NULL;
    struct tv_problem problem = {0};
    char target[1024] = "/?genres=", space[1024];
    for (int i = 0; i < 400; i++)
        strcat(target, "x");
    json_decref(filter_of(target));
    strcat(target, "x");
    parse(&r, space, target);
    assert_false(tv_lab_filter(&r, &filter, &problem));
    assert_string_equal(problem.parameter, "genres");
    assert_true(strlen(problem.detail) < 100);
}

/* 400 only where a parameter is at fault, whatever words the message begins with. */
static void a_failure_is_told_by_what_it_is_about(void **state)
{
    (void)state;
    struct tv_error err;
    struct tv_problem problem;
    tv_fail(&err, TV_ERR_USAGE, "what was given is empty");
    tv_about(&err, "genres");
    tv_question_problem(&problem, TV_ERR_USAGE, &err);
    assert_int_equal(problem.status, 400);
    assert_string_equal(problem.parameter, "genres");
    tv_fail(&err, TV_ERR_STORE, "PostgreSQL: genres does not exist");
    tv_question_problem(&problem, TV_ERR_STORE, &err);
    assert_int_equal(problem.status, 503);
    assert_string_equal(problem.parameter, "");
}

/* --- a sweep --------------------------------------------------------------------------------------------- */

static void a_request_is_a_grid(void **state)
{
    (void)state;
    struct tv_request r;
    struct tv_lab_axis axes[2];
    struct tv_problem problem = {0};
    char space[512];
    parse(&r, space, "/?x=max_items_for_user&x_values=20,50,100&y=min_rating&y_values=null,3.5");
    assert_true(tv_lab_axes(&r, axes, &problem));
    assert_string_equal(axes[0].name, "max_items_for_user");
    assert_int_equal(axes[0].n, 3);
    assert_string_equal(axes[1].values, "null,3.5");
    assert_int_equal(axes[1].n, 2);
}

static void a_wrong_grid_names_its_parameter(void **state)
{
    (void)state;
    static const char *const mistakes[][2] = {
        {"/?y=genres&y_values=Drama", "x"},
        {"/?x=genres&y=min_rating", "x_values"},
        {"/?x=genres&x_values=Drama", "y"},
        {"/?x=genre&x_values=Drama", "x"},
        {"/?x=min_rating&x_values=1,,2", "x_values"},
        {"/?x=min_rating&x_values=1,2,", "x_values"},
        {"/?x=min_rating&x_values=", "x_values"},
        {"/?x=min_rating&x_values=1&y=max_row_number&y_values=0", "y_values"},
        {"/?x=min_rating&x_values=1&y=min_rating&y_values=2", "y"},
        {"/?x=min_rating&x_values=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21", "x_values"},
    };
    struct tv_request r;
    struct tv_lab_axis axes[2];
    char space[512];
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct tv_problem problem = {0};
        parse(&r, space, mistakes[i][0]);
        if (tv_lab_axes(&r, axes, &problem))
            fail_msg("%s was taken", mistakes[i][0]);
        assert_int_equal(problem.status, 400);
        assert_string_equal(problem.parameter, mistakes[i][1]);
    }
}

static void ids_are_plain_words(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "/?id=",    "/?id=a%20b",  "/?id=a_b",
        "/?id=%27", "/?id=%C3%A9", "/?id=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct tv_request r;
    struct tv_problem problem = {0};
    char space[512];
    const char *id;
    parse(&r, space, "/?id=0aZ-9");
    assert_true(tv_lab_id(&r, &id, &problem));
    assert_string_equal(id, "0aZ-9");
    parse(&r, space, "/");
    assert_true(tv_lab_id(&r, &id, &problem));
    assert_string_equal(id, "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        parse(&r, space, bad[i]);
        if (tv_lab_id(&r, &id, &problem))
            fail_msg("%s was taken", bad[i]);
        assert_string_equal(problem.parameter, "id");
    }
}

/* --- answers --------------------------------------------------------------------------------------------- */

static json_t *get_json(struct tv_app *app, const char *target, int status, int retry_after)
{
    struct fixture_answer a;
    fixture_get(&a, app, target, 1, 1);
    if (a.response.status != status || a.response.retry_after != retry_after)
        fail_msg("%s: %d, again in %d s: %s", target, a.response.status, a.response.retry_after, a.text);
    json_t *root = json_loads(a.text, 0, NULL);
    assert_non_null(root);
    fixture_done(&a);
    return root;
}

static void questions_are_for_the_labs_own_workers(void **state)
{
    (void)state;
    static const char *const waits[] = {"/lab/funnel", "/lab/activity", "/lab/presets",
                                        "/lab/sweep?x=min_rating&x_values=1&y=max_row_number&y_values=5", NULL};
    static const char *const at_once[] = {
        "/lab", "/lab/stop?id=a", "/lab/stop", "/lab/funnel?max_row_number=0", "/lab/sweep", NULL};
    fixture_only_these_ask_postgres(waits, at_once);
}

static void without_postgres_it_says_so(void **state)
{
    (void)state;
    struct tv_app *app = fixture_app(NULL, 0);
    json_t *root = get_json(app, "/lab/funnel", 503, 5);
    assert_non_null(strstr(json_string_value(json_object_get(root, "detail")), "PostgreSQL"));
    assert_non_null(strstr(json_string_value(json_object_get(root, "hint")), "TRIVET_READER"));
    json_decref(root);
    root = get_json(app, "/readyz", 503, 0);
    json_t *store = json_object_get(json_object_get(root, "stores"), "postgres");
    assert_true(json_is_false(json_object_get(store, "up")));
    assert_true(json_is_true(json_object_get(store, "optional")));
    json_decref(root);
    tv_app_free(app);
}

static void after_the_end_nothing_is_asked(void **state)
{
    (void)state;
    struct tv_app *app = fixture_app(NULL, 0);
    tv_questions_close(app->questions);
    json_decref(get_json(app, "/lab/funnel", 409, 0));
    struct tv_questions_state now;
    tv_questions_look(app->questions, &now);
    assert_int_equal(now.database, TV_DATABASE_UNASKED);
    tv_app_free(app);
}

static int has_left(void *context)
{
    (*(int *)context)++;
    return 1;
}

static void who_has_left_is_not_answered(void **state)
{
    (void)state;
    struct tv_app *app = fixture_app(NULL, 0);
    struct tv_question *question = NULL;
    struct tv_error err;
    int asked = 0;
    const struct tv_caller caller = {has_left, &asked};
    assert_int_equal(tv_question_begin(app->questions, "a", &caller, &question, &err), TV_ERR_BUSY);
    assert_int_equal(asked, 1);
    assert_int_equal(tv_questions_stop(app->questions, "a"), 0);
    tv_app_free(app);
}

/* --- the page -------------------------------------------------------------------------------------------- */

static void the_page_holds_defaults_and_live_filter(void **state)
{
    (void)state;
    static const char description[] = "{\"filter\":{\"max_items_for_user\":200,\"genres\":[\"<b>\"]},"
                                      "\"source\":\"my.own('<i>')\"}";
    struct fixture_answer a;
    struct tv_app *app = fixture_app(fixture_resident(7, 20, 4, "Title", description), 0);
    fixture_get(&a, app, "/lab?max_items_for_user=30", 1, 0);
    assert_int_equal(a.response.status, 200);
    assert_non_null(strstr(a.text, "data-live-number=\"7\""));
    assert_non_null(strstr(a.text, "data-live-filter=\"{&quot;max_items_for_user&quot;:200,&quot;genres&quot;"
                                   ":[&quot;&lt;b&gt;&quot;]}\""));
    assert_non_null(strstr(a.text, "&quot;max_items_for_user&quot;: 50"));
    assert_null(strstr(a.text, "<i>"));
    fixture_runs_only_our_files(&a);
    fixture_done(&a);
    fixture_get(&a, app, "/", 1, 1);
    assert_false(a.response.scripts);
    fixture_done(&a);
    tv_app_free(app);
}

/* The pages have the table that their fields are made of: all parameters, in order. */
static void the_pages_are_told_every_parameter(void **state)
{
    (void)state;
    struct tv_app *app = fixture_app(NULL, 0);
    struct fixture_answer a;
    for (int page = 0; page < 2; page++) {
        fixture_get(&a, app, page ? "/models" : "/lab", 1, 0);
        const char *at = strstr(a.text, "data-parameters=\"[{");
        assert_non_null(at);
        for (size_t i = 0; strcmp(tv_lab_of_funnel[i], "id") != 0; i++) {
            char row[64];
            snprintf(row, sizeof row, "&quot;name&quot;:&quot;%s&quot;", tv_lab_of_funnel[i]);
            if ((at = strstr(at, row)) == NULL)
                fail_msg("page %d has no %s in its place", page, tv_lab_of_funnel[i]);
        }
        fixture_done(&a);
    }
    tv_app_free(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_a_filter),
        cmocka_unit_test(the_routes_know_every_parameter),
        cmocka_unit_test(a_wrong_filter_names_its_parameter),
        cmocka_unit_test(long_values_are_refused_before_they_are_read),
        cmocka_unit_test(a_failure_is_told_by_what_it_is_about),
        cmocka_unit_test(a_request_is_a_grid),
        cmocka_unit_test(a_wrong_grid_names_its_parameter),
        cmocka_unit_test(ids_are_plain_words),
        cmocka_unit_test(questions_are_for_the_labs_own_workers),
        cmocka_unit_test(without_postgres_it_says_so),
        cmocka_unit_test(after_the_end_nothing_is_asked),
        cmocka_unit_test(who_has_left_is_not_answered),
        cmocka_unit_test(the_page_holds_defaults_and_live_filter),
        cmocka_unit_test(the_pages_are_told_every_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
