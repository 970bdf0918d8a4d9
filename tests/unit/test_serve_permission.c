/* test_serve_permission: who may change something, and what the others are told. */
#include "serve_fixture.h"

#include "serve/permission.h"

static int status_for(const struct tv_permission *p, struct tv_sender sender)
{
    struct tv_problem problem = {0};
    int may = tv_may_write(p, &sender, &problem);
    assert_int_equal(may, problem.status == 0);
    if (!may) {
        assert_non_null(strstr(problem.hint, "TRIVET_TOKEN"));
        assert_null(strstr(problem.detail, "s3cret"));
    }
    return problem.status;
}

static void a_token_is_asked_for(void **state)
{
    (void)state;
    static const char *const wrong[] = {"Bearer s3creT", "Bearer s3cre",  "Bearer s3crets", "Bearer ", "Bearer",
                                        "Basic s3cret",  "Bearer s3cret s3cret", "s3cret",  "Bearer s3crets3cret"};
    for (int loopback = 0; loopback < 2; loopback++) {
        struct tv_permission p = {.token = "s3cret", .loopback = loopback};
        assert_int_equal(status_for(&p, (struct tv_sender){.authorization = "Bearer s3cret"}), 0);
        assert_int_equal(status_for(&p, (struct tv_sender){.authorization = "bearer  s3cret", .forwarded = 1}), 0);
        assert_int_equal(status_for(&p, (struct tv_sender){.host = "localhost"}), 401);
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
            assert_int_equal(status_for(&p, (struct tv_sender){.authorization = wrong[i]}), 401);
    }
}

static void without_a_token_programs_on_this_machine_may_write(void **state)
{
    (void)state;
    const struct tv_permission p = {.loopback = 1}, open = {.loopback = 0};
    static const char *const here[] = {"127.0.0.1:5001", "localhost", "LocalHost:80", "[::1]:5001", NULL};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++) {
        assert_int_equal(status_for(&p, (struct tv_sender){.host = here[i]}), 0);
        assert_int_equal(status_for(&open, (struct tv_sender){.host = here[i]}), 403);
    }
    assert_int_equal(status_for(&open, (struct tv_sender){.authorization = "Bearer s3cret"}), 403);
}

static void pages_of_other_sites_may_not(void **state)
{
    (void)state;
    const struct tv_permission p = {.loopback = 1};
    const char *host = "127.0.0.1:5001";
    static const struct tv_sender ours[] = {{.origin = "http://127.0.0.1:5001"},
                                            {.origin = "http://127.0.0.1:5001", .fetch_site = "same-origin"},
                                            {.fetch_site = "none"}};
    static const struct tv_sender others[] = {{.origin = "http://example.org"},
                                              {.origin = "null"},
                                              {.origin = "http://127.0.0.1:8000"},
                                              {.origin = "https://127.0.0.1:5001"},
                                              {.fetch_site = "cross-site"},
                                              {.fetch_site = "same-site"},
                                              {.forwarded = 1}};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        struct tv_sender sender = ours[i];
        sender.host = host;
        assert_int_equal(status_for(&p, sender), 0);
        sender.host = "rebound.example.org:5001"; /* a name of theirs that leads to us */
        sender.origin = sender.origin ? "http://rebound.example.org:5001" : NULL;
        assert_int_equal(status_for(&p, sender), 403);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct tv_sender sender = others[i];
        sender.host = host;
        assert_int_equal(status_for(&p, sender), 403);
    }
}

static void a_token_is_visible_text(void **state)
{
    (void)state;
    assert_int_equal(tv_token_check(NULL, NULL), TV_OK);
    assert_int_equal(tv_token_check("aZ09-._~+/=!", NULL), TV_OK);
    assert_int_equal(tv_token_check("two words", NULL), TV_ERR_USAGE);
    assert_int_equal(tv_token_check("line\n", NULL), TV_ERR_USAGE);
    assert_int_equal(tv_token_check("\xc3\xa9", NULL), TV_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_asked_for),
        cmocka_unit_test(without_a_token_programs_on_this_machine_may_write),
        cmocka_unit_test(pages_of_other_sites_may_not),
        cmocka_unit_test(a_token_is_visible_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
