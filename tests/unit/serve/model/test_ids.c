/* test_ids: which ids are numbers and which are codes, and that codes are read and written where the data has them. */
#include "../serve_fixture.h"

#include "serve/model/ids.h"
#include "trivet/base/code.h"

static int is_number(const char *text, int64_t expected)
{
    int64_t id = 0;
    return tv_code_is_number(text, strlen(text), &id) && id == expected;
}

static void a_plain_integer_is_its_own_number(void **state)
{
    (void)state;
    assert_true(is_number("0", 0) && is_number("42", 42) && is_number("-7", -7));
    assert_true(is_number("9223372036854775807", INT64_MAX) && is_number("-9223372036854775808", INT64_MIN));
    assert_true(is_number("7999999999999999", TV_CODE_FIRST - 1) && is_number("9000000000000000", TV_CODE_END));
    const char *const codes[] = {"",   "007", "-0",   "+1",   "1 ",  "1e3", "0x1f",
                                 "--1", "-",  "9223372036854775808", "f3a1", "8000000000000000", "8999999999999999"};
    int64_t id;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (tv_code_is_number(codes[i], strlen(codes[i]), &id))
            fail_msg("%s was taken for a number", codes[i]);
}

static void codes_have_limits(void **state)
{
    (void)state;
    char longest[300];
    memset(longest, 'x', sizeof longest);
    assert_null(tv_code_refusal("caf\xc3\xa9 <b>/\"", 11));
    assert_null(tv_code_refusal(longest, 255));
    assert_string_equal(tv_code_refusal(longest, 256), "id longer than 255 bytes");
    assert_string_equal(tv_code_refusal("", 0), "empty id");
    assert_string_equal(tv_code_refusal("a\tb", 3), "id with a control character");
    assert_string_equal(tv_code_refusal("a\0b", 3), "id with a control character");
    assert_string_equal(tv_code_refusal("\xff", 1), "invalid UTF-8");
}

static void a_full_place_in_the_cache_is_taken_over(void **state)
{
    (void)state;
    struct tv_code_cache *cache = NULL;
    int64_t number = 0;
    assert_int_equal(tv_code_cache_create(&cache, 1, NULL), TV_OK);
    assert_false(tv_code_cache_get(cache, 1, "a", &number));
    tv_code_cache_put(cache, 1, "a", 5);
    assert_true(tv_code_cache_get(cache, 1, "a", &number) && number == 5);
    assert_false(tv_code_cache_get(cache, 2, "a", &number)); /* another model's dictionary is another's */
    tv_code_cache_put(cache, 1, "b", 6);
    assert_true(tv_code_cache_get(cache, 1, "b", &number) && number == 6);
    assert_false(tv_code_cache_get(cache, 1, "a", &number));
    tv_code_cache_free(cache);
    assert_int_equal(tv_code_cache_create(&cache, 0, NULL), TV_OK);
    tv_code_cache_put(cache, 1, "a", 5);
    assert_false(tv_code_cache_get(cache, 1, "a", &number));
    tv_code_cache_free(cache);
}

/* --- a model of six items and one user, all with codes --------------------------------------------------- */

#define USER "f3a1-<b>&\"9\"/\xc3\xa9"
#define USER_URL "f3a1-%3Cb%3E%26%229%22%2F%C3%A9"
static const int64_t user_number = TV_CODE_FIRST + 1;

static struct tv_app *coded_app(int up)
{
    static const char *const codes[] = {"zz", "<i>", "aa", NULL, "B-52", "\"q\""};
    struct tv_resident *s =
        fixture_resident_with(3, 6, 4, "A title",
                              "{\"codes\":{\"users\":true,\"items\":true},\"examples\":[{\"user_id\":"
                              "\"f3a1-<b>\",\"ratings\":2,\"label\":\"x\"}]}",
                              codes);
    struct tv_app *app = fixture_app(s, up);
    struct tv_user_document *user = fixture_user(s, user_number, 0, 3);
    user->code = USER;
    fixture_know(app, s, user_number, user, 0);
    tv_code_cache_put(app->models.users.codes, s->run_number, USER, user_number);
    return app;
}

static const char *get(struct fixture_answer *a, struct tv_app *app, const char *target, int html, int status)
{
    fixture_get(a, app, target, html, 1);
    if (a->response.status != status)
        fail_msg("%s: %d instead of %d\n%s", target, a->response.status, status, a->text);
    if (strstr(a->text, "8000000000000001"))
        fail_msg("%s: the dictionary's number in\n%s", target, a->text);
    return a->text;
}

static void a_user_is_asked_and_answered_by_code(void **state)
{
    (void)state;
    struct tv_app *app = coded_app(0);
    struct fixture_answer a;
    const char *text = get(&a, app, "/api/v1/recs?top=9&user_id=" USER_URL, 0, 200);
    assert_non_null(strstr(text, "{\"user_id\":\"f3a1-<b>&\\\"9\\\"/\xc3\xa9\",\"model\":3,\"dataset\":null,\"reason\":\"personal\""));
    assert_non_null(strstr(text, "\"id\":\"aa\"") && strstr(text, "\"id\":\"B-52\"") ? text : NULL);
    assert_null(strstr(text, "\"id\":\"zz\"")); /* rated */
    fixture_done(&a);
    text = get(&a, app, "/api/v1/users/" USER_URL, 0, 200);
    assert_non_null(strstr(text, "\"items\":[{\"id\":\"zz\",")); /* item 10, and then 40, which has no code: */
    assert_non_null(strstr(text, "{\"id\":\"40\","));
    fixture_done(&a);
    tv_app_free(app);
}

static void codes_are_escaped_in_pages(void **state)
{
    (void)state;
    struct tv_app *app = coded_app(0);
    struct fixture_answer a;
    const char *text = get(&a, app, "/recs?user_id=" USER_URL, 1, 200);
    assert_non_null(strstr(text, "For user f3a1-&lt;b&gt;&amp;&quot;9&quot;/\xc3\xa9"));
    assert_non_null(strstr(text, "/api/v1/recs?user_id=" USER_URL "&amp;top="));
    assert_null(strstr(text, "<b>"));
    fixture_done(&a);
    text = get(&a, app, "/", 1, 200);
    assert_non_null(strstr(text, "href=\"/recs?user_id=f3a1-%3Cb%3E\""));
    assert_non_null(strstr(text, "User f3a1-&lt;b&gt;"));
    fixture_done(&a);
    tv_app_free(app);
}

static void a_code_not_known_yet_waits_for_mongo(void **state)
{
    (void)state;
    struct tv_app *app = coded_app(1), *away = coded_app(0);
    struct fixture_answer a;
    fixture_get(&a, app, "/api/v1/recs?user_id=nobody", 0, 0);
    assert_int_equal(a.outcome, TV_LATER);
    assert_int_equal(a.response.need.user, 0); /* no number to fetch it by */
    fixture_done(&a);
    get(&a, away, "/api/v1/recs?user_id=nobody", 0, 503);
    fixture_done(&a);
    get(&a, away, "/api/v1/recs?user_id=" USER_URL, 0, 200); /* from the cache */
    fixture_done(&a);
    tv_app_free(app);
    tv_app_free(away);
}

static void what_is_no_id_is_refused(void **state)
{
    (void)state;
    struct tv_app *app = coded_app(1), *plain = fixture_app(fixture_resident(3, 6, 4, "A title", NULL), 1);
    struct fixture_answer a;
    char longest[400] = "/api/v1/recs?user_id=";
    memset(longest + strlen(longest), 'x', 256);
    assert_non_null(strstr(get(&a, app, longest, 0, 400), "longer than 255 bytes"));
    fixture_done(&a);
    assert_non_null(strstr(get(&a, app, "/api/v1/recs?user_id=a%0Ab", 0, 400), "control character"));
    fixture_done(&a);
    assert_non_null(strstr(get(&a, app, "/api/v1/recs?user_id=", 0, 400), "empty id"));
    fixture_done(&a);
    assert_non_null(strstr(get(&a, plain, "/api/v1/recs?user_id=f3a1", 0, 400), "must be an integer"));
    fixture_done(&a);
    tv_app_free(app);
    tv_app_free(plain);
}

static void plays_are_called_plays(void **state)
{
    (void)state;
    struct tv_resident *s = fixture_resident(3, 40, 4, "A title", "{\"data\":{\"values\":\"counts\"}}");
    ((struct tv_item *)tv_resident_item(s, 0))->url = "http://example.org/a?b=1&c=2"; /* item 10, which has no IMDb number */
    struct tv_app *app = fixture_app(s, 0);
    struct tv_user_document *user = fixture_user(s, 9, 0, 4);
    struct fixture_answer a;
    user->rated[0] = 1; /* so that item 10 is not theirs */
    user->seen[0] = 1;
    user->ratings[0] = 12345;
    fixture_know(app, s, 9, user, 0);
    const char *text = get(&a, app, "/recs?user_id=9&top=40", 1, 200);
    const char *const words[] = {"From 10 titles you played", "Played most", "class=\"plays\" aria-label=\"played 12,345\"",
                                 "http://example.org/a?b=1&amp;c=2", "Its page", "https://duckduckgo.com/?q=A%20title"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(text, words[i]) == NULL)
            fail_msg("no \"%s\" in\n%s", words[i], text);
    assert_null(strstr(text, "Rated highest"));
    fixture_done(&a);
    text = get(&a, app, "/", 1, 200);
    assert_non_null(strstr(text, "who played what"));
    fixture_done(&a);
    tv_app_free(app);
}

static void items_are_found_by_code(void **state)
{
    (void)state;
    struct tv_app *app = coded_app(1);
    struct tv_resident *s = tv_shelf_live(app->models.shelf);
    struct tv_problem problem;
    struct tv_id id;
    tv_id_set(&id, "id", "aa");
    assert_true(tv_id_item(&id, s, &problem) && id.number == 30);
    tv_id_set(&id, "id", "40");
    assert_true(tv_id_item(&id, s, &problem) && id.number == 40);
    tv_id_set(&id, "id", "zzz");
    assert_false(tv_id_item(&id, s, &problem));
    assert_int_equal(problem.status, 404);
    tv_resident_release(s);
    tv_app_free(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_integer_is_its_own_number),
        cmocka_unit_test(codes_have_limits),
        cmocka_unit_test(a_full_place_in_the_cache_is_taken_over),
        cmocka_unit_test(a_user_is_asked_and_answered_by_code),
        cmocka_unit_test(codes_are_escaped_in_pages),
        cmocka_unit_test(a_code_not_known_yet_waits_for_mongo),
        cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(plays_are_called_plays),
        cmocka_unit_test(items_are_found_by_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
