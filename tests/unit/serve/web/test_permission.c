/* test_permission: which requests may change something, which are answered at all, and what the others are told. */
#include "../serve_fixture.h"

#include "serve/web/admission.h"
#include "serve/web/permission.h"

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

static void without_a_token_nobody_may_write(void **state)
{
    (void)state;
    for (int loopback = 0; loopback < 2; loopback++) {
        const struct tv_permission unset = {.loopback = loopback},
                                   off = {.loopback = loopback, .token = "s3cret", .writes = TV_WRITES_OFF};
        assert_int_equal(status_for(&unset, (struct tv_sender){.host = "127.0.0.1:5001"}), 403);
        assert_int_equal(status_for(&unset, (struct tv_sender){.authorization = "Bearer "}), 403);
        assert_int_equal(status_for(&off, (struct tv_sender){.authorization = "Bearer s3cret"}), 403);
    }
}

static void where_it_is_meant_programs_on_this_machine_may_write(void **state)
{
    (void)state;
    const struct tv_permission p = {.loopback = 1, .writes = TV_WRITES_LOCAL}, open = {.writes = TV_WRITES_LOCAL};
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
    const struct tv_permission p = {.loopback = 1, .writes = TV_WRITES_LOCAL};
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

static enum tv_status check_token(const char *token)
{
    return tv_permission_check(&(struct tv_permission){.token = token}, NULL);
}

static void a_token_is_visible_text(void **state)
{
    (void)state;
    assert_int_equal(check_token(NULL), TV_OK);
    assert_int_equal(check_token("aZ09-._~+/=!"), TV_OK);
    assert_int_equal(check_token("two words"), TV_ERR_USAGE);
    assert_int_equal(check_token("line\n"), TV_ERR_USAGE);
    assert_int_equal(check_token("\xc3\xa9"), TV_ERR_USAGE);
}

static void local_wants_a_loopback_address_and_no_token(void **state)
{
    (void)state;
    struct tv_permission p = {.writes = tv_writes_from("local"), .loopback = 1};
    assert_int_equal(tv_permission_check(&p, NULL), TV_OK);
    p.loopback = 0;
    assert_int_equal(tv_permission_check(&p, NULL), TV_ERR_USAGE);
    p = (struct tv_permission){.writes = TV_WRITES_LOCAL, .loopback = 1, .token = "s3cret"};
    assert_int_equal(tv_permission_check(&p, NULL), TV_ERR_USAGE);
}

static int admitted(const struct tv_hosts *hosts, const char *host)
{
    struct tv_problem problem = {0};
    int ok = tv_host_admitted(hosts, &(struct tv_sender){.host = host}, &problem);
    assert_int_equal(problem.status, ok ? 0 : 421);
    return ok;
}

static void a_host_is_this_machine_or_named(void **state)
{
    (void)state;
    static const char *const listed[] = {"recommend.example.org, [fe80::1]", "other"};
    const struct tv_hosts plain = {.loopback = 1}, open = {0}, named = {.loopback = 1, .names = listed, .n = 2},
                          open_named = {.names = listed, .n = 2};
    static const char *const here[] = {NULL, "localhost", "LOCALHOST:5001", "127.0.0.1", "127.0.0.1:1", "[::1]:5001"};
    static const char *const strange[] = {"",
                                          "example.org",
                                          "localhost.example.org",
                                          "127.0.0.1.example.org",
                                          "localhost:80x",
                                          "127.0.0.1:80@example.org",
                                          "[::1]x",
                                          "localhost ",
                                          "recommend.example.orgs",
                                          "org",
                                          "[fe80::1",
                                          ","};
    static const char *const ours[] = {"recommend.example.org", "Recommend.Example.ORG:443", "[fe80::1]:80", "other"};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        assert_true(admitted(&plain, here[i]) && admitted(&open, here[i]) && admitted(&named, here[i]) &&
                    admitted(&open_named, here[i]));
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        assert_false(admitted(&plain, strange[i]) || admitted(&named, strange[i]) || admitted(&open_named, strange[i]));
        assert_true(admitted(&open, strange[i]));
    }
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        assert_false(admitted(&plain, ours[i]));
        assert_true(admitted(&named, ours[i]) && admitted(&open_named, ours[i]));
    }
}

static void a_name_is_a_name_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {"http://example.org", "example.org:443", "a/b", "good,bad:1", "[::1]:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tv_hosts_check(&(struct tv_hosts){.names = &bad[i], .n = 1}, NULL), TV_ERR_USAGE);
    static const char *const good[] = {"example.org", "a_b,c-d , [::1]", ""};
    assert_int_equal(tv_hosts_check(&(struct tv_hosts){.names = good, .n = 3}, NULL), TV_OK);
}

static void headers_of_proxies_are_known(void **state)
{
    (void)state;
    static const char *const theirs[] = {"Via",           "forwarded",        "X-Forwarded-For", "x-forwarded-proto",
                                         "X-Real-IP",     "CF-Connecting-IP", "CF-Ray",          "True-Client-IP",
                                         "X-Original-URL"};
    static const char *const anybodys[] = {"Host", "Origin", "Accept", "X-Requested-With", "Content-Type", "Viable"};
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
        assert_true(tv_is_proxy_header(theirs[i]));
    for (size_t i = 0; i < sizeof anybodys / sizeof *anybodys; i++)
        assert_false(tv_is_proxy_header(anybodys[i]));
}

/* The answer of each kind of route to a sender. */
static int asked(struct tv_app *app, const char *path, struct tv_sender sender)
{
    char target[128];
    struct tv_request request;
    struct tv_response response;
    snprintf(target, sizeof target, "%s", path);
    assert_int_equal(tv_request_parse(&request, target, NULL), TV_OK);
    request.sender = sender;
    request.may_wait = 1;
    tv_response_init(&response);
    tv_route_run(app, &request, &response);
    int status = response.status;
    tv_response_free(&response);
    return status;
}

static void strangers_see_nothing_of_anybody(void **state)
{
    (void)state;
    struct tv_app *app = fixture_app(NULL, 0);
    static const char *const shown[] = {
        "/", "/recs?user_id=1", "/api/v1/users/1", "/lab/funnel", "/models/journal", "/api/v1/models", "/nothing/here"};
    static const char *const open[] = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/trivet.css"};
    app->hosts.loopback = 1;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        int is_page = i < 2;
        assert_int_equal(asked(app, shown[i], (struct tv_sender){.host = "rebound.example.org"}), 421);
        assert_int_equal(asked(app, shown[i], (struct tv_sender){.fetch_site = "cross-site", .fetch_mode = "no-cors"}),
                         403);
        assert_int_equal(asked(app, shown[i], (struct tv_sender){.fetch_site = "same-site"}), 403);
        assert_int_equal(
            asked(app, shown[i], (struct tv_sender){.fetch_site = "cross-site", .fetch_mode = "navigate"}) == 403,
            !is_page);
        assert_int_not_equal(asked(app, shown[i], (struct tv_sender){.fetch_site = "same-origin"}), 403);
        assert_int_not_equal(asked(app, shown[i], (struct tv_sender){.host = "localhost", .fetch_site = "none"}), 403);
    }
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        int status = asked(app, open[i], (struct tv_sender){.host = "10.0.0.7:5001", .fetch_site = "cross-site"});
        assert_true(status == 200 || status == 503);
    }
    tv_app_free(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_asked_for),
        cmocka_unit_test(without_a_token_nobody_may_write),
        cmocka_unit_test(where_it_is_meant_programs_on_this_machine_may_write),
        cmocka_unit_test(pages_of_other_sites_may_not),
        cmocka_unit_test(a_token_is_visible_text),
        cmocka_unit_test(local_wants_a_loopback_address_and_no_token),
        cmocka_unit_test(a_host_is_this_machine_or_named),
        cmocka_unit_test(a_name_is_a_name_alone),
        cmocka_unit_test(headers_of_proxies_are_known),
        cmocka_unit_test(strangers_see_nothing_of_anybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
