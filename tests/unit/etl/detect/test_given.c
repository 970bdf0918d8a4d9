/* test_given: what --columns takes, and what it makes of a header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "etl/detect/given.h"

static void only_the_strict_form_is_taken(void **state)
{
    (void)state;
    static const char *const good[] = {"user=a,item=b", "rating=none", "time=none", "user=1,item=2,rating=3",
                                       "user=1,item=2,plays=3", "user=1,item=2,rating=none", "item=a b", "user=1,item=b"};
    static const char *const bad[] = {"",
                                      "user",
                                      "user=",
                                      "=a",
                                      "User=a",
                                      "users=a",
                                      "user=a,",
                                      "user=a,user=b",
                                      "user=a,item=a",
                                      "user=none",
                                      "user=1,item=2",
                                      "rating=a,plays=b",
                                      "rating=1"};
    struct tv_given given;
    struct tv_error err;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(tv_given_parse(&given, good[i], NULL), TV_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(tv_given_parse(&given, bad[i], &err), TV_ERR_USAGE);
        assert_string_equal(err.parameter, "columns");
    }
    assert_int_equal(tv_given_parse(&given, NULL, NULL), TV_OK);
    assert_int_equal(given.n, 0);
}

/* "user item rating plays time" of a header under what is given, or the message. */
static void check(const char *columns, const char *header, const char *expected)
{
    static const enum tv_column shown[] = {TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_RATING, TV_COLUMN_PLAYS,
                                           TV_COLUMN_TIME};
    struct tv_given given;
    struct tv_record record = {.n = 0};
    struct tv_columns c;
    struct tv_error err = {.message = ""};
    char text[256], got[1100] = "", *rest = strcpy(text, header);
    for (char *name; (name = strsep(&rest, ",")) != NULL;)
        record.fields[record.n++] = (struct tv_field){name, strlen(name)};
    assert_int_equal(tv_given_parse(&given, columns, NULL), TV_OK);
    if (tv_given_apply(&given, &record, &c, &err) != TV_OK)
        snprintf(got, sizeof got, "%s", err.message);
    for (int i = 0; i < 5 && err.message[0] == '\0'; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%d", i ? " " : "", c.at[shown[i]]);
    assert_string_equal(got, expected);
}

static void what_is_given_comes_before_names(void **state)
{
    (void)state;
    check("user=who,item=what", "who,what,rating,time", "0 1 2 -1 3");
    check("user=WHO,item=what", "who,what,rating,time", "0 1 2 -1 3");
    check("rating=stars", "user,item,rating,stars", "0 1 3 -1 -1");
    check("item=user", "user,item,uid,rating", "2 0 3 -1 -1"); /* a column is one thing */
    check("item=user", "user,rating", "-1 0 1 -1 -1");
    check("rating=none", "user,item,rating,plays", "0 1 -1 -1 -1");
    check("plays=hours", "user,item,rating,hours", "0 1 -1 3 -1");
    check("time=none", "user,item,rating,time", "0 1 2 -1 -1");
    check("user=2,item=1,rating=4", "10,1,x,5", "1 0 3 -1 -1");
    check("user=2,item=1,rating=5", "10,1,x,5", "column 5 of 4 was asked for");
    check("user=who,item=what,plays=2024", "who,what,2024", "0 1 -1 2 -1");
    check("user=who", "user,item", "no column is called who");
    check("user=who", "who,who,item", "two columns are called who");
}

/* The value of --columns with one meaning more. */
static void check_with(const char *columns, enum tv_column meaning, const char *name, size_t size, const char *expected)
{
    struct tv_given given;
    char out[200];
    assert_int_equal(tv_given_parse(&given, columns, NULL), TV_OK);
    assert_string_equal(tv_given_with(&given, meaning, name, out, size), expected);
}

static void what_is_given_can_be_typed_again(void **state)
{
    (void)state;
    check_with(NULL, TV_COLUMN_RATING, "points", 200, "rating=points");
    check_with("user=a,item=b", TV_COLUMN_RATING, "points", 200, "user=a,item=b,rating=points");
    check_with("user=1,item=2,rating=none", TV_COLUMN_TIME, "4", 200, "user=1,item=2,rating=none,time=4");
    check_with("user=a,plays=c,time=d", TV_COLUMN_RATING, "e", 200, "user=a,time=d,rating=e");
    check_with("user=a,rating=c", TV_COLUMN_PLAYS, "e", 200, "user=a,plays=e");
    check_with("time=d,user=a", TV_COLUMN_TIME, "none", 200, "user=a,time=none");
    check_with("user=der user", TV_COLUMN_RATING, "e", 200, "'user=der user,rating=e'");
    check_with("user=user's", TV_COLUMN_RATING, "$e", 200, "'user=user'\\''s,rating=$e'");
    check_with("user=a b", TV_COLUMN_RATING, "abcdefghij", 20, "'user=a b,ratin'"); /* cut, and yet quoted whole */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_the_strict_form_is_taken),
                                       cmocka_unit_test(what_is_given_comes_before_names),
                                       cmocka_unit_test(what_is_given_can_be_typed_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
