/* test_filter_parameters: what the table of the filter's parameters says, and that it agrees with itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "trivet/model/filter.h"
#include "trivet/model/filter_parameters.h"

static unsigned parts_of(const char *name)
{
    int i = tv_filter_find(name, strlen(name));
    assert_in_range(i, 0, TV_FILTER_PARAMETERS - 1);
    return tv_filter_parts(&tv_filter_parameters[i]);
}

static void names_are_found_whole(void **state)
{
    (void)state;
    assert_null(tv_filter_parameters[TV_FILTER_PARAMETERS].name);
    for (int i = 0; i < TV_FILTER_PARAMETERS; i++) {
        const char *name = tv_filter_parameters[i].name;
        assert_int_equal(tv_filter_find(name, strlen(name)), i);
        assert_int_equal(tv_filter_find(name, strlen(name) - 1), -1);
    }
}

static void steps_say_what_a_parameter_is_part_of(void **state)
{
    (void)state;
    assert_int_equal(parts_of("max_row_number"), TV_FILTER_ALL | TV_FILTER_CUTS);
    assert_int_equal(parts_of("min_users_for_item"), TV_FILTER_ALL | TV_FILTER_CUTS);
    assert_int_equal(parts_of("genres"), TV_FILTER_ALL | TV_FILTER_EVIDENCE);
    assert_int_equal(parts_of("rated_until"), TV_FILTER_ALL);
    assert_int_equal(parts_of("sample_users"), TV_FILTER_ALL);
}

/* Each default is a value that the parameter takes, and each value of the page's first sweep. */
static void the_table_takes_its_own_values(void **state)
{
    (void)state;
    struct tv_filter *f = NULL;
    assert_int_equal(tv_filter_create(&f, NULL), TV_OK);
    for (const struct tv_filter_parameter *p = tv_filter_parameters; p->name; p++) {
        char assignment[256];
        struct tv_error err = {0};
        snprintf(assignment, sizeof assignment, "%s=%s", p->name, p->standard ? p->standard : "null");
        if (tv_filter_set(f, assignment, &err) != TV_OK)
            fail_msg("%s", err.message);
        for (const char *at = p->sweep; *at; at += strcspn(at, ","), at += *at == ',') {
            snprintf(assignment, sizeof assignment, "%s=%.*s", p->name, (int)strcspn(at, ","), at);
            if (tv_filter_set(f, assignment, &err) != TV_OK)
                fail_msg("%s", err.message);
        }
        assert_true(p->not_below == NULL || tv_filter_find(p->not_below, strlen(p->not_below)) >= 0);
    }
    tv_filter_free(f);
}

static void pages_get_all_of_it(void **state)
{
    (void)state;
    struct tv_buffer text = TV_BUFFER_INIT(1 << 16);
    assert_int_equal(tv_filter_fields(&text, NULL), TV_OK);
    json_t *fields = json_loads(tv_buffer_string(&text), 0, NULL);
    assert_int_equal(json_array_size(fields), TV_FILTER_PARAMETERS);
    json_t *genres = json_array_get(fields, (size_t)tv_filter_find("genres", 6));
    assert_string_equal(json_string_value(json_object_get(genres, "kind")), "names");
    assert_int_equal(json_integer_value(json_object_get(genres, "step")), TV_FILTER_ITEMS);
    assert_null(json_object_get(genres, "slider"));
    assert_string_equal(json_string_value(json_object_get(json_array_get(fields, 0), "slider")), "counts");
    json_decref(fields);
    tv_buffer_free(&text);
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    struct tv_error err = {0};
    assert_int_equal(tv_filter_unknown("genre=Drama", 5, &err), TV_ERR_USAGE);
    assert_string_equal(err.message, "the filter has no parameter \"genre\"");
    assert_string_equal(err.hint, "did you mean genres?");
    assert_int_equal(tv_filter_unknown("qqqqqqqqqqqqqq", 14, &err), TV_ERR_USAGE);
    char names[512] = "its parameters are ";
    for (const struct tv_filter_parameter *p = tv_filter_parameters; p->name; p++)
        strcat(strcat(names, p == tv_filter_parameters ? "" : ", "), p->name);
    assert_string_equal(err.hint, names);
    assert_non_null(strstr(tv_filter_help(), "  min_rating           only ratings of at least that value (default null: no condition)\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_whole),          cmocka_unit_test(steps_say_what_a_parameter_is_part_of),
        cmocka_unit_test(the_table_takes_its_own_values), cmocka_unit_test(pages_get_all_of_it),
        cmocka_unit_test(unknown_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
