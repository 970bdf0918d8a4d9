/* test_columns: the columns that a header names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "trivet/read/columns.h"

static struct tv_field field(const char *text)
{
    return (struct tv_field){text, strlen(text)};
}

static void header_names_are_known(void **state)
{
    (void)state;
    struct tv_record record = {.n = 5};
    static const char *const names[] = {"user_id:token", "ITEM_ID:token", "fold", "Rating",
                                        "timestamp:float"};
    for (int i = 0; i < 5; i++)
        record.fields[i] = field(names[i]);
    struct tv_columns c;
    tv_columns_from_header(&c, &record);
    assert_int_equal(c.n, 5);
    assert_int_equal(c.at[TV_COLUMN_USER], 0);
    assert_int_equal(c.at[TV_COLUMN_ITEM], 1);
    assert_int_equal(c.at[TV_COLUMN_RATING], 3);
    assert_int_equal(c.at[TV_COLUMN_TIME], 4);
    assert_int_equal(c.at[TV_COLUMN_TITLE], -1);
}

static void an_order_stands_for_a_header(void **state)
{
    (void)state;
    static const enum tv_column order[] = {TV_COLUMN_ITEM, TV_COLUMN_USER, TV_COLUMN_RATING, TV_COLUMN_TIME},
                                twice[] = {TV_COLUMN_ITEM, TV_COLUMN_TITLE, TV_COLUMN_TITLE};
    struct tv_columns c;
    tv_columns_in_order(&c, order, 4, 3);
    assert_int_equal(c.n, 0); /* three fields or four: the first record says it */
    assert_int_equal(c.least, 3);
    assert_int_equal(c.at[TV_COLUMN_ITEM], 0);
    assert_int_equal(c.at[TV_COLUMN_USER], 1);
    assert_int_equal(c.at[TV_COLUMN_TIME], 3);
    assert_int_equal(c.at[TV_COLUMN_TITLE], -1);
    tv_columns_in_order(&c, twice, 3, 3);
    assert_int_equal(c.n, 3);
    assert_int_equal(c.at[TV_COLUMN_TITLE], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(header_names_are_known),
                                       cmocka_unit_test(an_order_stands_for_a_header)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
