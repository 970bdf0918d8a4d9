/* test_recs_page: the page of recommendations: why each item is there, its picture, and the filters with what they did.
 */
#include "../serve_fixture.h"
#include "serve/html/poster.h"
#include "serve/model/account.h"

static const char description[] = "{\"algorithm\": \"svd\", \"factors\": 4, \"scale\": {\"low\": 0.5, \"high\": 5}}";

static struct tv_app *app_with_user(void)
{
    struct tv_resident *s = fixture_resident(2, 60, 4, "The Film", description);
    struct tv_app *app = fixture_app(s, 0);
    fixture_know(app, s, 7, fixture_user(s, 7, 0, 3), 0);
    return app;
}

static char *get_page(struct tv_app *app, const char *target)
{
    struct fixture_answer a;
    fixture_get(&a, app, target, 1, 1);
    assert_int_equal(a.response.status, 200);
    char *text = strdup(a.text);
    fixture_done(&a);
    return text;
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        n++;
    return n;
}

static void initials(const char *title, const char *expected)
{
    char wanted[64];
    struct tv_out out;
    tv_out_init(&out);
    tv_poster(&out, title, 1);
    snprintf(wanted, sizeof wanted, ">%s</text>", expected);
    if (strstr(tv_buffer_string(&out.buffer), wanted) == NULL)
        fail_msg("%s: not %s in %s", title, expected, tv_buffer_string(&out.buffer));
    tv_out_free(&out);
}

static void posters_carry_initials(void **state)
{
    (void)state;
    initials("The Big Lebowski", "BL");
    initials("Pirates of the Caribbean: The Curse", "PC");
    initials("Ocean's Eleven", "OE");
    initials("Élite Été", "ÉÉ");
    initials("(500) Days of Summer", "5D");
    initials("A", "A");
    initials("the of", "to");
    initials("", "");
    initials("<i>", "&lt;"); /* escaped as any text */
}

static void rows_say_why(void **state)
{
    (void)state;
    struct tv_app *app = app_with_user();
    char *page = get_page(app, "/recs?user_id=7&top=10");
    struct tv_resident *s = tv_shelf_live(app->models.shelf);
    struct tv_user_document *u = fixture_user(s, 7, 0, 3);
    struct tv_account account = {0};
    assert_int_equal(tv_account(&account, s, u, 1, NULL), TV_OK);
    assert_int_equal(account.n, u->n_seen);
    for (size_t i = 1; i < account.n; i++)
        assert_true(account.rated[i - 1].contribution >= account.rated[i].contribution);
    assert_int_equal(count(page, "class=\"row pictured\""), 10);
    assert_int_equal(count(page, "<svg class=\"poster"), 10);
    assert_true(count(page, "Because you liked <strong>") > 0);
    assert_int_equal(count(page, "href=\"/similar?item="), 10);
    assert_null(strstr(page, "Filters left out"));
    tv_account_free(&account);
    free(u);
    free(page);
    tv_resident_release(s);
    tv_app_free(app);
}

static void somebody_unknown_is_told_no_reasons(void **state)
{
    (void)state;
    struct tv_app *app = app_with_user();
    struct tv_resident *s = tv_shelf_live(app->models.shelf);
    fixture_know(app, s, 8, NULL, 0);
    char *page = get_page(app, "/recs?user_id=8&top=10");
    assert_int_equal(count(page, "Because you liked"), 0);
    free(page);
    tv_resident_release(s);
    tv_app_free(app);
}

static void filters_are_filled_in_and_counted(void **state)
{
    (void)state;
    struct tv_app *app = app_with_user();
    char *page = get_page(app, "/recs?user_id=7&top=10&genre=Drama&year_from=2000&year_to=&min_count=");
    assert_non_null(strstr(page, "<details class=\"filters\" open>"));
    assert_non_null(strstr(page, "name=\"genre\" value=\"Drama\" checked>"));
    assert_non_null(strstr(page, "name=\"not_genre\" value=\"Drama\" >"));
    assert_non_null(strstr(page, "name=\"year_from\" value=\"2000\""));
    assert_non_null(strstr(page, "Filters left out 20 by genre, 6 by year; 14 were left to choose from."));
    free(page);
    page = get_page(app, "/recs?user_id=7");
    assert_non_null(strstr(page, "<details class=\"filters\" >"));
    free(page);
    tv_app_free(app);
}

static void an_emptied_list_says_what_to_loosen(void **state)
{
    (void)state;
    struct tv_app *app = app_with_user();
    char *page = get_page(app, "/recs?user_id=7&year_from=2030");
    assert_non_null(strstr(page, "The filters leave nothing: most items were left out by year. Widen the years."));
    assert_int_equal(count(page, "class=\"row pictured\""), 0);
    free(page);
    tv_app_free(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posters_carry_initials),
        cmocka_unit_test(rows_say_why),
        cmocka_unit_test(somebody_unknown_is_told_no_reasons),
        cmocka_unit_test(filters_are_filled_in_and_counted),
        cmocka_unit_test(an_emptied_list_says_what_to_loosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
