/* test_fields: what stands in a field - numbers, titles, encodings, Python literals, header names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etl/formats/encoding.h"
#include "etl/formats/literal.h"
#include "etl/formats/title.h"
#include "etl/load/copy_text.h"
#include "etl/load/tally.h"
#include "etl/synth/title.h"
#include "trivet/read/columns.h"
#include "trivet/read/number.h"

static struct tv_field field(const char *text)
{
    return (struct tv_field){text, strlen(text)};
}

/* --- numbers
 * ---------------------------------------------------------------------------------------------------- */

static void ids_are_64_bit_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t id;
        const char *reason;
    } cases[] = {
        {"0", 0, NULL},
        {"193609", 193609, NULL},
        {"-7", -7, NULL},
        {"007", 7, NULL},
        {"9223372036854775807", INT64_MAX, NULL},
        {"-9223372036854775808", INT64_MIN, NULL},
        {"9223372036854775808", 0, "id beyond 64 bits"},
        {"99999999999999999999999999", 0, "id beyond 64 bits"},
        {"-9223372036854775809", 0, "id beyond 64 bits"},
        {"", 0, "empty id"},
        {"1.0", 0, "id is not an integer"},
        {"abc", 0, "id is not an integer"},
        {" 1", 0, "id is not an integer"},
        {"1e3", 0, "id is not an integer"},
        {"-", 0, "id is not an integer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_field f = field(cases[i].text);
        int64_t id = 0;
        const char *reason = tv_number_id(&f, &id);
        if (cases[i].reason) {
            assert_non_null(reason);
            assert_string_equal(reason, cases[i].reason);
        } else {
            assert_null(reason);
            assert_true(id == cases[i].id);
        }
    }
}

static void ratings_are_finite(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        float value;
        const char *reason;
    } cases[] = {
        {"4", 4, NULL},
        {"4.5", 4.5f, NULL},
        {"0.5", 0.5f, NULL},
        {"3.7", 3.7f, NULL},
        {"-1", -1, NULL},
        {"352698", 352698, NULL},
        {"1e2", 100, NULL},
        {"2.25", 2.25f, NULL},
        {"nan", 0, "NaN rating"},
        {"-NaN", 0, "NaN rating"},
        {"inf", 0, "infinite rating"},
        {"-Infinity", 0, "infinite rating"},
        {"1e39", 0, "infinite rating"},
        {"", 0, "empty rating"},
        {"4,5", 0, "rating is not a number"},
        {"four", 0, "rating is not a number"},
        {"1.x", 0, "rating is not a number"},
        {"1e999", 0, "rating is not a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_field f = field(cases[i].text);
        float value = 0;
        const char *reason = tv_number_rating(&f, &value);
        if (cases[i].reason) {
            assert_non_null(reason);
            assert_string_equal(reason, cases[i].reason);
        } else {
            assert_null(reason);
            assert_true(value == cases[i].value);
        }
    }
}

/* The short way through a rating gives the same float as the C library, for every rating it takes. */
static void quick_ratings_equal_strtof(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d.%d", i / 10, i % 10);
        struct tv_field f = field(text);
        float value;
        assert_null(tv_number_rating(&f, &value));
        assert_true(value == strtof(text, NULL));
    }
}

static void times_are_seconds(void **state)
{
    (void)state;
    int64_t t;
    struct tv_field f = field("964982703");
    assert_null(tv_number_time(&f, &t));
    assert_true(t == INT64_C(964982703000000));
    f = field("1.5");
    assert_null(tv_number_time(&f, &t));
    assert_true(t == 1500000);
    f = field("0");
    assert_null(tv_number_time(&f, &t));
    assert_true(t == 0);
    f = field("");
    assert_null(tv_number_time(&f, &t));
    assert_true(t == TV_NUMBER_NO_TIME);
    f = field("9224318016000");
    assert_string_equal(tv_number_time(&f, &t), "time out of range");
    f = field("-210866803201");
    assert_string_equal(tv_number_time(&f, &t), "time out of range");
    /* The last second whose microseconds an int64 holds, and the first that it does not. */
    f = field("9223372036853");
    assert_null(tv_number_time(&f, &t));
    assert_true(t == INT64_C(9223372036853000000));
    f = field("9223372036853.5");
    assert_null(tv_number_time(&f, &t));
    assert_true(t > INT64_C(9223372036853499000) && t < INT64_C(9223372036853501000)); /* as a double has it */
    f = field("-210866803200");
    assert_null(tv_number_time(&f, &t));
    assert_true(t == INT64_C(-210866803200000000));
    static const char *const beyond[] = {"9223372036854",        "9223372036854.0",      "9223372036855",
                                         "9224318015999",        "9223372036854775807",  "-9223372036854775808",
                                         "9223372036854775808",  "-9223372036854775809", "99999999999999999999999",
                                         "-210866803200.5",      "1e300",                "-1e300"};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        f = field(beyond[i]);
        assert_string_equal(tv_number_time(&f, &t), "time out of range");
    }
    f = field("yesterday");
    assert_string_equal(tv_number_time(&f, &t), "time is not a number");
}

/* --- titles
 * ----------------------------------------------------------------------------------------------------- */

static void titles_read_naturally(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        int year;
    } cases[] = {
        {"Godfather: Part II, The (1974)", "The Godfather: Part II (1974)", 1974},
        {"Toy Story (1995)", "Toy Story (1995)", 1995},
        {"Mis\u00e9rables, Les (1995)", "Les Mis\u00e9rables (1995)", 1995},
        {"Seven (a.k.a. Se7en) (1995)", "Seven (a.k.a. Se7en) (1995)", 1995},
        {"City of Lost Children, The (Cit\u00e9 des enfants perdus, La) (1995)",
         "The City of Lost Children (La Cit\u00e9 des enfants perdus) (1995)", 1995},
        {"Postman, The (Postino, Il) (1994)", "The Postman (Il Postino) (1994)", 1994},
        {"Avventura, L' (Adventure, The) (1960)", "L'Avventura (The Adventure) (1960)", 1960},
        {"Boot, Das (Boat, The) (1981)", "Das Boot (The Boat) (1981)", 1981},
        {"Bug's Life, A (1998)", "A Bug's Life (1998)", 1998},
        {"American Tail, An (1986)", "An American Tail (1986)", 1986},
        {"Goat, The (a.k.a. Ch\u00e8vre, La) (1981)", "The Goat (a.k.a. La Ch\u00e8vre) (1981)", 1981},
        {"Good, the Bad and the Ugly, The (Buono, il brutto, il cattivo, Il) (1966)",
         "The Good, the Bad and the Ugly (Il Buono, il brutto, il cattivo) (1966)", 1966},
        {"I, Robot (2004)", "I, Robot (2004)", 2004},
        {"Monsters, Inc. (2001)", "Monsters, Inc. (2001)", 2001},
        {"Bon Voyage, Charlie Brown (and Don't Come Back!) (1980)",
         "Bon Voyage, Charlie Brown (and Don't Come Back!) (1980)", 1980},
        {"  Heat (1995) ", "Heat (1995)", 1995},
        {"unknown", "unknown", 0},
        {"Babylon 5", "Babylon 5", 0},
        {"The OA (2016-)", "The OA (2016-)", 2016},
        {"Das Millionenspiel (1970\u20131971)", "Das Millionenspiel (1970\u20131971)", 1970},
        {"Odd (open", "Odd (open", 0},
        {"(500) Days of Summer (2009)", "(500) Days of Summer (2009)", 2009},
        {"", "", 0},
        {", The", ", The", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_buffer out = TV_BUFFER_INIT(1000);
        assert_int_equal(tv_title_tidy(&out, cases[i].from, strlen(cases[i].from), NULL), TV_OK);
        assert_string_equal(tv_buffer_string(&out), cases[i].to);
        assert_int_equal(tv_title_year(tv_buffer_string(&out), out.size), cases[i].year);
        tv_buffer_free(&out);
    }
}

/* --- encodings
 * -------------------------------------------------------------------------------------------------- */

static void latin1_becomes_utf8(void **state)
{
    (void)state;
    struct tv_buffer out = TV_BUFFER_INIT(1000);
    assert_int_equal(tv_encoding_from_latin1(&out, "caf\xe9 \xff", 6, NULL), TV_OK);
    assert_string_equal(tv_buffer_string(&out), "caf\u00e9 \u00ff");
    tv_buffer_free(&out);
}

static void any_bytes_can_be_shown(void **state)
{
    (void)state;
    struct tv_buffer out = TV_BUFFER_INIT(1000);
    assert_int_equal(tv_encoding_printable(&out, "a\xff\0\tb\n\u00e9", 8, 100, NULL), TV_OK);
    assert_string_equal(tv_buffer_string(&out), "a\\xff\\x00\tb\\x0a\u00e9");
    tv_buffer_clear(&out);
    assert_int_equal(tv_encoding_printable(&out, "ab\u00e9", 4, 3, NULL), TV_OK); /* not half a character */
    assert_string_equal(tv_buffer_string(&out), "ab");
    tv_buffer_free(&out);
}

/* --- Python literals
 * -------------------------------------------------------------------------------------------- */

static void check_literal(const char *text, const char *json)
{
    json_t *value = tv_literal_parse(text, strlen(text));
    if (json == NULL) {
        assert_null(value);
        return;
    }
    assert_non_null(value);
    char *dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(dump, json);
    free(dump);
    json_decref(value);
}

static void literals_become_json(void **state)
{
    (void)state;
    check_literal("[{'id': 16, 'name': 'Animation'}, {'id': 35, 'name': \"Children's\"}]",
                  "[{\"id\":16,\"name\":\"Animation\"},{\"id\":35,\"name\":\"Children's\"}]");
    check_literal("[]", "[]");
    check_literal(" ( 1 , -2.5, None, True, False, ) ", "[1,-2.5,null,true,false]");
    check_literal("'it\\'s \\u00e9 \\x41 \\n'", "\"it's \u00e9 A \\n\"");
    check_literal("{}", "{}");
    static const char *const bad[] = {
        "",      "[",     "[1",  "{'a'}", "{'a': }",   "{1: 2}",         "'open",
        "[1] 2", "[1 2]", "nul", "[,]",   "'\\ud800'", "{'a\\x00b': 1}", "__import__('os')"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_literal(bad[i], NULL);
}

static void deep_literals_are_refused(void **state)
{
    (void)state;
    char text[2001];
    memset(text, '[', 2000);
    text[2000] = '\0';
    check_literal(text, NULL);
}

/* --- the rest
 * --------------------------------------------------------------------------------------------------- */

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

static void tally(struct tv_tally *t, int64_t user, int64_t item, float value)
{
    assert_int_equal(tv_tally_add(t, user, item, value, NULL), TV_OK);
}

static void ratings_are_counted(void **state)
{
    (void)state;
    struct tv_tally t = {.rows = 0};
    char scale[96];
    assert_string_equal(tv_tally_scale(&t, scale), "none");
    for (int user = 0; user < 3000; user++)
        for (int item = 0; item < 4; item++)
            tally(&t, user - 1000, item * 1000003LL, (float)(1 + (user + item) % 10) / 2);
    assert_int_equal(t.users.n, 3000);
    assert_int_equal(t.items.n, 4);
    assert_int_equal(t.repeats, 0);
    assert_string_equal(tv_tally_scale(&t, scale), "0.5 to 5 by 0.5");
    tally(&t, 1999, 0, 1); /* the last user again, the same item */
    assert_int_equal(t.repeats, 1);
    assert_false(t.users_apart);
    tally(&t, 0, 0, 352698);
    assert_true(t.users_apart);
    assert_string_equal(tv_tally_scale(&t, scale), "0.5 to 352698 by 0.5");
    for (int i = 0; i < 100; i++)
        tally(&t, 0, 0, (float)i / 7);
    assert_string_equal(tv_tally_scale(&t, scale), "0 to 352698");
    tv_tally_free(&t);
}

static void copy_text_is_escaped(void **state)
{
    (void)state;
    struct tv_buffer out = TV_BUFFER_INIT(4096);
    static const char *const genres[] = {"Sci-Fi", "say \"x\"", "back\\slash"};
    assert_int_equal(tv_copy_text_text(&out, "a\tb\\c\nd\re", NULL), TV_OK);
    assert_int_equal(tv_copy_text_text(&out, NULL, NULL), TV_OK);
    assert_int_equal(tv_copy_text_int(&out, -5, 0, NULL), TV_OK);
    assert_int_equal(tv_copy_text_int(&out, 0, 1, NULL), TV_OK);
    assert_int_equal(tv_copy_text_array(&out, genres, 3, 0, NULL), TV_OK);
    assert_int_equal(tv_copy_text_time(&out, INT64_C(1500000), NULL), TV_OK);
    assert_int_equal(tv_copy_text_time(&out, INT64_C(-500000), NULL), TV_OK);
    assert_int_equal(tv_copy_text_time(&out, TV_NUMBER_NO_TIME, NULL), TV_OK);
    assert_int_equal(tv_copy_text_end(&out, NULL), TV_OK);
    assert_string_equal(tv_buffer_string(&out),
                        "a\\tb\\\\c\\nd\\re\t\\N\t-5\t\\N\t"
                        "{\"Sci-Fi\",\"say \\\\\"x\\\\\"\",\"back\\\\\\\\slash\"}\t"
                        "1970-01-01 00:00:01.500000+00\t1969-12-31 23:59:59.500000+00\t\\N\n");
    tv_buffer_free(&out);
}

static int compare_titles(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void invented_titles_differ(void **state)
{
    (void)state;
    enum { N = 70000, SIZE = 64 };
    char(*titles)[SIZE] = malloc((size_t)N * SIZE);
    assert_non_null(titles);
    for (int i = 0; i < N; i++)
        tv_synth_title(titles[i], SIZE, (uint64_t)i);
    assert_string_equal(titles[0], "The Silent Harbor");
    qsort(titles, N, SIZE, compare_titles);
    for (int i = 1; i < N; i++)
        assert_true(strcmp(titles[i - 1], titles[i]) != 0);
    free(titles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_64_bit_integers),    cmocka_unit_test(ratings_are_finite),
        cmocka_unit_test(quick_ratings_equal_strtof), cmocka_unit_test(times_are_seconds),
        cmocka_unit_test(titles_read_naturally),      cmocka_unit_test(latin1_becomes_utf8),
        cmocka_unit_test(any_bytes_can_be_shown),     cmocka_unit_test(literals_become_json),
        cmocka_unit_test(deep_literals_are_refused),  cmocka_unit_test(header_names_are_known),
        cmocka_unit_test(ratings_are_counted),        cmocka_unit_test(copy_text_is_escaped),
        cmocka_unit_test(invented_titles_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
