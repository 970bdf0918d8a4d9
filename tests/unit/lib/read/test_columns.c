/* test_columns: the columns that a header names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
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

/* The fields that user, item, rating, time and title of a header are, "0 1 2 - -", and "?" behind one that has a rival. */
static void check(const char *header, const char *expected)
{
    static const enum tv_column shown[] = {TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_RATING, TV_COLUMN_TIME, TV_COLUMN_TITLE};
    struct tv_record record = {.n = 0};
    struct tv_columns c;
    char text[256], got[128] = "", *rest = strcpy(text, header);
    for (char *name; (name = strsep(&rest, ",")) != NULL;)
        record.fields[record.n++] = field(name);
    tv_columns_from_header(&c, &record);
    for (int i = 0; i < 5; i++) {
        char at[16] = "-";
        if (c.at[shown[i]] >= 0)
            snprintf(at, sizeof at, "%d", c.at[shown[i]]);
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s%s", i ? " " : "", at, c.rival[shown[i]] < 0 ? "" : "?");
    }
    assert_string_equal(got, expected);
}

static void the_plainer_name_is_meant(void **state)
{
    (void)state;
    check("user,user_id,item", "1 2 - - -");
    check("user_id,user,item", "0 2 - - -");
    check("User-ID,ISBN,Book-Rating", "0 1 2 - -");
    check("score,rating,user,item", "2 3 1 - -");
    check("date,timestamp,user,item", "2 3 - 1 -");
    check("name,title,item", "- 2 - - 1");
    check("artist_name,track_name,track_id", "- 2 - - 1"); /* an artist's name is no title of a track */
    check("review/userId,product/productId,review/score", "0 - 2 - -");
    check(",user_id,anime_id,rating", "1 2 3 - -");
}

static void what_could_be_two_things_is_told(void **state)
{
    (void)state;
    check("user_id,artist_id,track_id", "0 1? - - -");
    check("user_id,artist_id,track", "0 1? - - -");
    check("user,movie,item_id,movie_id", "0 3? - - -");
    check("user,customer_id,user_id,item", "2? 3 - - -");
    check("userId,user_id,item", "0? 2 - - -");
    check("user,item,score,stars", "0 1 2? - -");
    check("user,item,score,stars,rating", "0 1 4 - -");
    check("user,user,user_id,item", "2 3 - - -");
}

static void names_are_looked_up_alone(void **state)
{
    (void)state;
    int beside;
    struct tv_field f = field("Movie_ID");
    char names[32];
    assert_int_equal(tv_columns_of_name(&f, &beside), TV_COLUMN_ITEM);
    assert_false(beside);
    f = field("Unnamed: 0");
    assert_int_equal(tv_columns_of_name(&f, &beside), TV_COLUMN_NONE);
    assert_true(beside);
    f = field("foo");
    assert_int_equal(tv_columns_of_name(&f, &beside), TV_COLUMN_NONE);
    assert_false(beside);
    assert_string_equal(tv_columns_word(TV_COLUMN_PLAYS), "plays");
    assert_string_equal(tv_columns_names(TV_COLUMN_USER, names, sizeof names), "userid, user, uid, username");
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
                                       cmocka_unit_test(the_plainer_name_is_meant),
                                       cmocka_unit_test(what_could_be_two_things_is_told),
                                       cmocka_unit_test(names_are_looked_up_alone),
                                       cmocka_unit_test(an_order_stands_for_a_header)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
