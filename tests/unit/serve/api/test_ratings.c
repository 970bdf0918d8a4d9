/* test_ratings: bodies that rate, and the routes that take them, without a store. */
#include "../serve_fixture.h"

#include "serve/follow/rating_list.h"

static int read_list(struct tv_rating_list *list, const char *body, struct tv_problem *problem)
{
    *problem = (struct tv_problem){0};
    return tv_rating_list_read(list, body, strlen(body), NULL, problem);
}

static void numbers_and_numeric_texts_are_read(void **state)
{
    (void)state;
    struct tv_rating_list list;
    struct tv_problem problem;
    assert_true(read_list(&list,
                          " [{\"movie_id\": 260, \"rating\": 4},{\"rating\":\"0.5\",\"movie_id\":\"-1\"}, "
                          "{\"movie_id\":\"9223372036854775807\",\"rating\":\"1e0\"}]\n",
                          &problem));
    assert_int_equal(list.n, 3);
    assert_true(list.items[0] == 260 && list.items[1] == -1 && list.items[2] == INT64_MAX);
    assert_true(list.values[0] == 4 && list.values[1] == 0.5f && list.values[2] == 1);
}

static void what_is_wrong_names_its_entry(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int status, entry;
    } bad[] = {
        {"", 400, 0},
        {"[]", 400, 0},
        {"{}", 400, 0},
        {"7", 400, 0},
        {"[1", 400, 0},
        {"[{\"movie_id\":1,\"rating\":2},{}]", 400, 2},
        {"[{\"movie_id\":1.0,\"rating\":2}]", 400, 1},
        {"[{\"movie_id\":\"1 \",\"rating\":2}]", 503, 0}, /* a code or a mistake: without a model nobody knows */
        {"[{\"movie_id\":null,\"rating\":2}]", 400, 1},
        {"[{\"movie_id\":1,\"rating\":1e300}]", 400, 1},
        {"[{\"movie_id\":1,\"rating\":\"inf\"}]", 400, 1},
        {"[{\"movie_id\":1,\"rating\":2},{\"movie_id\":2,\"rating\":2},{\"movie_id\":\"1\",\"rating\":2}]", 422, 3},
        {"[{\"movie_id\":\"\\u0000\",\"rating\":2}]", 400, 0},
        {"[\xff]", 400, 0},
        {"[\"\xc3", 400, 0},
    };
    struct tv_rating_list list;
    struct tv_problem problem;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (read_list(&list, bad[i].body, &problem))
            fail_msg("%s was taken", bad[i].body);
        assert_int_equal(problem.status, bad[i].status);
        assert_int_equal(problem.entry, bad[i].entry);
    }
}

/* Both names of an item, and ids beyond the integers that a double holds. */
static void an_item_has_two_names(void **state)
{
    (void)state;
    struct tv_rating_list list;
    struct tv_problem problem;
    assert_true(read_list(&list,
                          "[{\"item_id\":9007199254740993,\"rating\":1},"
                          "{\"item_id\":\"9007199254740995\",\"rating\":1},"
                          "{\"movie_id\":9223372036854775807,\"rating\":1},"
                          "{\"movie_id\":\"-9007199254740993\",\"item_id\":-9007199254740993,\"rating\":1}]",
                          &problem));
    assert_true(list.items[0] == INT64_C(9007199254740993) && list.items[1] == INT64_C(9007199254740995));
    assert_true(list.items[2] == INT64_MAX && list.items[3] == INT64_C(-9007199254740993));
    static const char *const bad[] = {"[{\"item_id\":1,\"movie_id\":2,\"rating\":1}]",
                                      "[{\"item_id\":9007199254740993,\"movie_id\":9007199254740992,\"rating\":1}]",
                                      "[{\"item_id\":null,\"movie_id\":2,\"rating\":1}]",
                                      "[{\"item_id\":2,\"movie_id\":[],\"rating\":1}]",
                                      "[{\"item_id\":9007199254740993.0,\"rating\":1}]",
                                      "[{\"item_id\":2,\"rating\":1,\"ratng\":2}]",
                                      "[{\"item_id\":2,\"rating\":1,\"timestamp\":978300760}]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(read_list(&list, bad[i], &problem));
        assert_int_equal(problem.status, 400);
        assert_int_equal(problem.entry, 1);
    }
}

static int read_plays(struct tv_rating_list *list, const char *body, struct tv_problem *problem)
{
    *problem = (struct tv_problem){0};
    return tv_play_list_read(list, body, strlen(body), NULL, problem);
}

static void plays_have_a_count_or_are_one(void **state)
{
    (void)state;
    struct tv_rating_list list;
    struct tv_problem problem;
    assert_true(read_plays(&list,
                           "[{\"item_id\":5},{\"movie_id\":\"6\",\"count\":3},"
                           "{\"item_id\":5,\"count\":\"16777216\"}]",
                           &problem));
    assert_int_equal(list.n, 3);
    assert_true(list.items[0] == 5 && list.items[1] == 6 && list.items[2] == 5);
    assert_true(list.values[0] == 1 && list.values[1] == 3 && list.values[2] == 16777216);
    static const struct {
        const char *body;
        int status, entry;
    } bad[] = {
        {"", 400, 0},
        {"[]", 400, 0},
        {"{\"item_id\":5}", 400, 0},
        {"[5]", 400, 1},
        {"[{\"count\":1}]", 400, 1},
        {"[{\"item_id\":5,\"count\":0}]", 400, 1},
        {"[{\"item_id\":4},{\"item_id\":5,\"count\":-1}]", 400, 2},
        {"[{\"item_id\":5,\"count\":1.5}]", 400, 1},
        {"[{\"item_id\":5,\"count\":\"many\"}]", 400, 1},
        {"[{\"item_id\":5,\"count\":null}]", 400, 1},
        {"[{\"item_id\":5,\"count\":true}]", 400, 1},
        {"[{\"item_id\":5,\"count\":\"inf\"}]", 400, 1},
        {"[{\"item_id\":5,\"count\":16777217}]", 422, 1}, /* as a float it would be another count */
        {"[{\"item_id\":5,\"count\":9223372036854775807}]", 422, 1},
        {"[{\"item_id\":5,\"rating\":4}]", 400, 1},
        {"[{\"item_id\":5,\"plays\":30}]", 400, 1}, /* it would be one play */
        {"[{\"item_id\":5},{\"item_id\":5,\"cuont\":30}]", 400, 2},
        {"[{\"item_id\":5,\"count\":3,\"time\":1}]", 400, 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (read_plays(&list, bad[i].body, &problem))
            fail_msg("%s was taken", bad[i].body);
        assert_int_equal(problem.status, bad[i].status);
        assert_int_equal(problem.entry, bad[i].entry);
    }
}

static void a_list_has_at_most_a_thousand_entries(void **state)
{
    (void)state;
    static char body[64 * 1024];
    struct tv_rating_list list;
    struct tv_problem problem;
    for (int n = TV_MAX_RATINGS; n <= TV_MAX_RATINGS + 1; n++) {
        size_t at = 0;
        for (int i = 0; i < n; i++)
            at += (size_t)sprintf(body + at, "%s{\"movie_id\":%d,\"rating\":1}", i ? "," : "[", i);
        strcpy(body + at, "]");
        assert_int_equal(read_list(&list, body, &problem), n == TV_MAX_RATINGS);
        assert_int_equal(problem.status, n == TV_MAX_RATINGS ? 0 : 413);
    }
}

static void one_rating_is_a_number_or_an_object(void **state)
{
    (void)state;
    static const char *const good[] = {"4.5", "\"4.5\"", "{\"rating\":4.5}", " {\"rating\":\"4.5\"} ",
                                              "{\"item_id\":53,\"movie_id\":\"53\",\"rating\":4.5}"},
                             *const bad[] = {"", "four", "[4.5]", "{}", "true", "null", "NaN", "{\"rating\":null}",
                                             "{\"rating\":4.5,\"item_id\":99}", "{\"rating\":4.5,\"movie_id\":[53]}",
                                             "{\"rating\":4.5,\"ratng\":3}"};
    struct tv_problem problem;
    float value = 0;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        value = 0;
        assert_true(tv_rating_read(&value, good[i], strlen(good[i]), 53, NULL, &problem) && value == 4.5f);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (tv_rating_read(&value, bad[i], strlen(bad[i]), 53, NULL, &problem))
            fail_msg("%s was taken", bad[i]);
        assert_int_equal(problem.status, 400);
    }
}

static int answer(struct tv_app *app, enum tv_http_method method, const char *target, const char *body, char *allow)
{
    char space[256];
    struct tv_request request;
    struct tv_response response;
    tv_response_init(&response);
    snprintf(space, sizeof space, "%s", target);
    assert_int_equal(tv_request_parse(&request, space, NULL), TV_OK);
    request.method = method;
    request.may_wait = 1;
    request.body = body;
    request.body_size = body ? strlen(body) : 0;
    assert_int_equal(tv_route_run(app, &request, &response), TV_ANSWERED);
    int status = response.status;
    strcpy(allow, response.allow);
    tv_response_free(&response);
    return status;
}

static void routes_have_methods(void **state)
{
    (void)state;
    struct tv_app *app = fixture_app(fixture_resident(2, 20, 4, "Film", NULL), 0);
    char allow[32];
    const char *list = "[{\"movie_id\":10,\"rating\":2}]";
    assert_int_equal(answer(app, TV_POST, "/recs", list, allow), 405);
    assert_string_equal(allow, "GET, HEAD");
    assert_int_equal(answer(app, TV_POST, "/api/v1/users/7/ratings/10", "4", allow), 405);
    assert_string_equal(allow, "PUT, DELETE");
    assert_int_equal(answer(app, TV_PUT, "/7/ratings", list, allow), 405);
    assert_non_null(strstr(allow, "POST"));
    /* Bodies that are right get as far as PostgreSQL, which does not run here. */
    assert_int_equal(answer(app, TV_POST, "/7/ratings", list, allow), 503);
    assert_string_equal(allow, "");
    assert_int_equal(answer(app, TV_POST, "/api/v1/users/7/ratings", list, allow), 503);
    assert_int_equal(answer(app, TV_POST, "/api/v1/users/7/plays", "[{\"item_id\":10}]", allow), 503);
    assert_int_equal(answer(app, TV_PUT, "/api/v1/users/7/ratings/10", "4", allow), 503);
    assert_int_equal(answer(app, TV_DELETE, "/api/v1/users/7/ratings/10", NULL, allow), 503);
    assert_int_equal(answer(app, TV_POST, "/seven/ratings", list, allow), 400);
    assert_int_equal(answer(app, TV_PUT, "/api/v1/users/7/ratings/ten", "4", allow), 400);
    assert_int_equal(answer(app, TV_POST, "/7/ratings?now=1", list, allow), 400);
    app->permission.loopback = 0;
    assert_int_equal(answer(app, TV_POST, "/7/ratings", list, allow), 403);
    app->permission = (struct tv_permission){.token = "t"};
    assert_int_equal(answer(app, TV_DELETE, "/api/v1/users/7/ratings/10", NULL, allow), 401);
    assert_int_equal(answer(app, TV_GET, "/healthz", NULL, allow), 200);
    tv_app_free(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_numeric_texts_are_read),
        cmocka_unit_test(what_is_wrong_names_its_entry),
        cmocka_unit_test(an_item_has_two_names),
        cmocka_unit_test(plays_have_a_count_or_are_one),
        cmocka_unit_test(a_list_has_at_most_a_thousand_entries),
        cmocka_unit_test(one_rating_is_a_number_or_an_object),
        cmocka_unit_test(routes_have_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
