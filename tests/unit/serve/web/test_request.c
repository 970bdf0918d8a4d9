/* test_request: request targets, the Accept header, and the strict reading of parameters. */
#include "../serve_fixture.h"

#include "serve/web/parameters.h"
#include "trivet/base/text.h"

static enum tv_status parse(struct tv_request *request, char *space, const char *target)
{
    strcpy(space, target);
    return tv_request_parse(request, space, NULL);
}

static void targets_are_taken_apart(void **state)
{
    (void)state;
    struct tv_request r;
    char space[512];
    assert_int_equal(parse(&r, space, "/recs?user_id=10&top=15"), TV_OK);
    assert_int_equal(r.n_path_segments, 1);
    assert_string_equal(r.path_segments[0], "recs");
    assert_int_equal(r.n_parameters, 2);
    assert_string_equal(r.parameters[0].name, "user_id");
    assert_string_equal(r.parameters[1].value, "15");
    assert_int_equal(parse(&r, space, "http://example.org:80/a%20b+c?q=a+b%26c&&empty=&bare"), TV_OK);
    assert_string_equal(r.path_segments[0], "a b+c");
    assert_int_equal(r.n_parameters, 3);
    assert_string_equal(r.parameters[0].value, "a b&c");
    assert_string_equal(r.parameters[1].value, "");
    assert_string_equal(r.parameters[2].name, "bare");
    assert_int_equal(parse(&r, space, "https://example.org"), TV_OK);
    assert_int_equal(r.n_path_segments, 1);
    assert_string_equal(r.path_segments[0], "");
}

static void paths_are_cut_before_they_are_decoded(void **state)
{
    (void)state;
    struct tv_request r;
    char space[512];
    assert_int_equal(parse(&r, space, "/api/v1/users/AC%2FDC?model=2"), TV_OK);
    assert_int_equal(r.n_path_segments, 4);
    assert_string_equal(r.path_segments[2], "users");
    assert_string_equal(r.path_segments[3], "AC/DC");
    assert_int_equal(parse(&r, space, "/a//"), TV_OK);
    assert_int_equal(r.n_path_segments, 3);
    assert_string_equal(r.path_segments[1], "");
    assert_int_equal(parse(&r, space, "/1/2/3/4/5/6/7/8"), TV_OK);
    assert_int_equal(r.n_path_segments, TV_MAX_PATH_SEGMENTS);
    const char *const nowhere[] = {"/1/2/3/4/5/6/7/8/9", "*", "recs"};
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        assert_int_equal(parse(&r, space, nowhere[i]), TV_OK);
        assert_int_equal(r.n_path_segments, 0);
        assert_null(tv_route_find(&r));
    }
}

static unsigned fits(const char *pattern, const char *target)
{
    struct tv_request r;
    char space[512];
    assert_int_equal(parse(&r, space, target), TV_OK);
    return tv_route_fits(pattern, &r);
}

static void patterns_fit_segment_by_segment(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"/", "/"},
                                           {"/recs", "/recs?user_id=1"},
                                           {"/{user}/ratings/{movie}", "/3/ratings/100"},
                                           {"/{user}/ratings/top/{n}", "/3/ratings/top/5"},
                                           {"/api/v1/items/{id}/similar", "/api/v1/items/a%2Fb/similar"}};
    enum { PAIRS = sizeof pairs / sizeof *pairs };
    for (size_t i = 0; i < PAIRS; i++)
        for (size_t j = 0; j < PAIRS; j++)
            if ((fits(pairs[i][0], pairs[j][1]) > 0) != (i == j))
                fail_msg("%s and %s", pairs[i][0], pairs[j][1]);
    const char *const others[] = {"/3/ratings/", "//ratings/100", "/3/rating/100", "/3/ratings/100/",
                                  "/3/ratings%2F100"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(fits("/{user}/ratings/{movie}", others[i]), 0);
    assert_true(fits("/a/b", "/a/b") > fits("/a/{x}", "/a/b"));   /* the very same segment wins, */
    assert_true(fits("/a/{x}", "/a/b") > fits("/{x}/b", "/a/b")); /* the earlier the better */
    assert_true(fits("/{x}/b", "/a/b") > fits("/{x}/{y}", "/a/b"));
}

static void routes_get_what_stands_for_their_braces(void **state)
{
    (void)state;
    struct tv_request r;
    char space[512];
    assert_int_equal(parse(&r, space, "/api/v1/users/7"), TV_OK);
    assert_string_equal(tv_route_find(&r)->pattern, "/api/v1/users/{id}");
    assert_string_equal(r.segments[0], "7");
    assert_int_equal(parse(&r, space, "/api/v1/users"), TV_OK);
    assert_null(tv_route_find(&r));
}

static void damaged_targets_are_refused(void **state)
{
    (void)state;
    struct tv_request r;
    char space[4096], many[4096] = "/?";
    const char *const bad[] = {"/%",      "/%4",     "/%4g", "/%zz",       "/?a=%",
                               "/?%00=1", "/?a=%00", "/%ff", "/?a=%c3%28", "/?a=%ed%a0%80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse(&r, space, bad[i]) != TV_ERR_INPUT)
            fail_msg("%s was taken", bad[i]);
    for (int i = 0; i < TV_MAX_PARAMETERS; i++)
        sprintf(many + strlen(many), "p%d=%d&", i, i);
    assert_int_equal(parse(&r, space, many), TV_OK);
    assert_int_equal(r.n_parameters, TV_MAX_PARAMETERS);
    strcat(many, "one_more=1");
    assert_int_equal(parse(&r, space, many), TV_ERR_INPUT);
}

static void browsers_are_told_from_others(void **state)
{
    (void)state;
    assert_true(tv_accepts_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    assert_true(tv_accepts_html("application/json, Text/HTML;q=0.5"));
    assert_false(tv_accepts_html(NULL));
    assert_false(tv_accepts_html("*/*"));
    assert_false(tv_accepts_html("application/json"));
    assert_false(tv_accepts_html("text/html;q=0, application/json"));
    assert_false(tv_accepts_html("text/html;q=0.000"));
    assert_true(tv_accepts_html("text/html;q=0.001"));
}

static const char *const known[] = {"user_id", "top", NULL};

static void refused(const char *target, const char *parameter)
{
    struct tv_request r;
    struct tv_problem problem = {0};
    char space[512];
    assert_int_equal(parse(&r, space, target), TV_OK);
    assert_false(tv_parameters_known(&r, known, &problem));
    assert_int_equal(problem.status, 400);
    assert_string_equal(problem.parameter, parameter);
    assert_non_null(strstr(problem.detail, parameter));
}

static void unknown_and_repeated_parameters_are_named(void **state)
{
    (void)state;
    struct tv_request r;
    struct tv_problem problem;
    char space[512];
    refused("/?user_id=1&tob=3", "tob");
    refused("/?user_id=1&user_id=1", "user_id");
    refused("/?user_id=1&User_id=1", "User_id");
    refused("/?=1", "");
    assert_int_equal(parse(&r, space, "/?tpo=3"), TV_OK);
    assert_false(tv_parameters_known(&r, known, &problem));
    assert_string_equal(problem.hint, "did you mean top?");
}

static void integers_are_whole_and_in_range(void **state)
{
    (void)state;
    static const struct tv_integer top = {"top", 1, 1000}, id = {"user_id", INT64_MIN, INT64_MAX};
    const char *const bad[] = {"",
                               "0",
                               "1001",
                               "-1",
                               "1.0",
                               "1e2",
                               " 1",
                               "1 ",
                               "0x10",
                               "nan",
                               "99999999999999999999",
                               "1;drop table",
                               "\xd9\xa1"};
    struct tv_problem problem;
    int64_t value = -7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (tv_read_integer(bad[i], &top, &value, &problem))
            fail_msg("\"%s\" was taken for %lld", bad[i], (long long)value);
        assert_int_equal(problem.status, 400);
        assert_string_equal(problem.parameter, "top");
        assert_int_equal(value, -7);
    }
    assert_true(tv_read_integer("1000", &top, &value, &problem));
    assert_int_equal(value, 1000);
    assert_true(tv_read_integer("-9223372036854775808", &id, &value, &problem));
    assert_true(value == INT64_MIN);
    assert_true(tv_read_integer("9223372036854775807", &id, &value, &problem));
    assert_false(tv_read_integer("9223372036854775808", &id, &value, &problem));
}

static void long_values_are_cut_in_messages(void **state)
{
    (void)state;
    static const struct tv_integer top = {"top", 1, 1000};
    struct tv_problem problem;
    char text[4001];
    int64_t value;
    for (size_t i = 0; i < 4000; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[4000] = '\0';
    assert_false(tv_read_integer(text + 1, &top, &value, &problem)); /* begins inside a character */
    assert_true(strlen(problem.detail) < 200);
    assert_false(tv_read_integer(text, &top, &value, &problem));
    assert_true(tv_text_is_utf8(problem.detail, strlen(problem.detail)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_taken_apart),
        cmocka_unit_test(paths_are_cut_before_they_are_decoded),
        cmocka_unit_test(patterns_fit_segment_by_segment),
        cmocka_unit_test(routes_get_what_stands_for_their_braces),
        cmocka_unit_test(damaged_targets_are_refused),
        cmocka_unit_test(browsers_are_told_from_others),
        cmocka_unit_test(unknown_and_repeated_parameters_are_named),
        cmocka_unit_test(integers_are_whole_and_in_range),
        cmocka_unit_test(long_values_are_cut_in_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
