/* test_filter: names, values and texts of the filter's parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "trivet/model/filter.h"

static int setup(void **state)
{
    return tv_filter_create((struct tv_filter **)state, NULL) == TV_OK ? 0 : -1;
}

static int teardown(void **state)
{
    tv_filter_free(*state);
    return 0;
}

static void defaults_are_the_workshops(void **state)
{
    char text[512];
    struct tv_buffer json = TV_BUFFER_INIT(4096);
    assert_int_equal(tv_filter_int(*state, "min_users_for_item"), 10);
    assert_int_equal(tv_filter_int(*state, "max_row_number"), 100000);
    tv_filter_describe(*state, text, sizeof text);
    assert_string_equal(text, "items with more than 10 rating rows, users with 3 to 50, at most 100,000 rows");
    assert_int_equal(tv_filter_json(*state, &json, NULL), TV_OK);
    assert_non_null(strstr(tv_buffer_string(&json), "\"max_items_for_user\": 50"));
    assert_non_null(strstr(tv_buffer_string(&json), "\"genres\": null"));
    tv_buffer_free(&json);
}

static void assignments_are_taken(void **state)
{
    char text[512];
    struct tv_buffer json = TV_BUFFER_INIT(4096);
    const char *const good[] = {"max_items_for_user=200", "genres=Drama,Film-Noir", "min_rating=3.5", "sample_users=0.25"};
    assert_int_equal(tv_filter_set_all(*state, good, 4, NULL), TV_OK);
    tv_filter_describe(*state, text, sizeof text);
    assert_string_equal(text, "items with more than 10 rating rows, users with 3 to 200, at most 100,000 rows, "
                              "genres Drama,Film-Noir, min_rating 3.5, sample_users 0.25");
    assert_int_equal(tv_filter_json(*state, &json, NULL), TV_OK);
    assert_non_null(strstr(tv_buffer_string(&json), "[\"Drama\", \"Film-Noir\"]"));
    assert_int_equal(tv_filter_set(*state, "genres=null", NULL), TV_OK);
    tv_buffer_free(&json);
}

static void refuse(struct tv_filter *f, const char *assignment, const char *message, const char *hint)
{
    struct tv_error err = {0};
    assert_int_equal(tv_filter_set_all(f, &assignment, 1, &err), TV_ERR_USAGE);
    if (strstr(err.message, message) == NULL || strstr(err.hint, hint) == NULL)
        fail_msg("%s: %s / %s", assignment, err.message, err.hint);
}

static void an_error_is_about_its_parameter(void **state)
{
    static const char *const wrong[][2] = {{"sample_users=0", "sample_users"},
                                           {"genres=", "genres"},
                                           {"max_items_for_user=2", "max_items_for_user"},
                                           {"limit=3", ""}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct tv_error err = {0};
        assert_int_equal(tv_filter_set_all(*state, &wrong[i][0], 1, &err), TV_ERR_USAGE);
        assert_string_equal(err.parameter, wrong[i][1]);
    }
}

static void mistakes_are_named(void **state)
{
    refuse(*state, "min_user_for_item=3", "no parameter \"min_user_for_item\"", "min_users_for_item");
    refuse(*state, "limit=3", "no parameter \"limit\"", "max_row_number");
    refuse(*state, "max_row_number", "no assignment", "name=value");
    refuse(*state, "max_row_number=0", "max_row_number is \"0\"", "");
    refuse(*state, "min_users_for_item=-1", "min_users_for_item is \"-1\"", "");
    refuse(*state, "min_users_for_item=2147483648", "min_users_for_item", "");
    refuse(*state, "min_users_for_item=ten", "min_users_for_item is \"ten\"", "");
    refuse(*state, "max_items_for_user=2", "at least min_items_for_user, which is 3", "");
    refuse(*state, "sample_users=0", "above 0", "");
    refuse(*state, "sample_users=1.01", "at most 1", "");
    refuse(*state, "sample_users=1e-60", "above 0", ""); /* as real it is 0 */
    refuse(*state, "min_rating=1e60", "a number", "");
    refuse(*state, "min_rating=nan", "min_rating", "");
    refuse(*state, "genres=", "genres is empty", "");
    refuse(*state, "genres=Drama,Com\351die", "genres is not valid UTF-8", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_are_the_workshops, setup, teardown),
        cmocka_unit_test_setup_teardown(assignments_are_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_is_about_its_parameter, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
