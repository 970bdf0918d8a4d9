/* test_record: a byte source becomes records, and these become fields: quotes, line ends, byte order marks, and what is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/text.h"
#include "trivet/read/record.h"

static const struct tv_dialect csv = {",", 1};

static struct tv_records *open_bytes(const char *bytes, size_t n, const struct tv_dialect *dialect)
{
    struct tv_byte_source *source = NULL;
    struct tv_records *records = NULL;
    assert_int_equal(tv_byte_source_memory(&source, bytes, n, NULL), TV_OK);
    assert_int_equal(tv_records_open(&records, source, dialect, NULL), TV_OK);
    return records;
}

/* One line a record, "line|field|field" or "line!reason"; all records of the text. */
static char *spell(const char *bytes, size_t n, const struct tv_dialect *dialect)
{
    struct tv_records *records = open_bytes(bytes, n, dialect);
    struct tv_record *record = NULL;
    char *out = calloc(1, 4 * n + 4096), *p = out;
    assert_non_null(out);
    while (tv_records_next(records, &record, NULL) == TV_OK && record) {
        p += sprintf(p, "%lld", record->line);
        if (record->reason)
            p += sprintf(p, "!%s", record->reason);
        for (int i = 0; i < record->n; i++)
            p += sprintf(p, "|%.*s", (int)record->fields[i].n, record->fields[i].text);
        p += sprintf(p, "\n");
    }
    tv_records_close(records);
    return out;
}

static void check(const char *text, const struct tv_dialect *dialect, const char *expected)
{
    char *got = spell(text, strlen(text), dialect);
    assert_string_equal(got, expected);
    free(got);
}

static void lines_become_fields(void **state)
{
    (void)state;
    static const struct tv_dialect dat = {"::", 0}, tab = {"\t", 0};
    check("1,2,3\n4,5,6\n", &csv, "1|1|2|3\n2|4|5|6\n");
    check("1,2,3\r\n4,5,6\r\n", &csv, "1|1|2|3\n2|4|5|6\n");
    check("1,2,3\n4,5,6", &csv, "1|1|2|3\n2|4|5|6\n");
    check("1,,3\n,,\n", &csv, "1|1||3\n2|||\n");
    check("\n\r\n1\n\n\n2\n", &csv, "3|1\n6|2\n");
    check("1,2\r\r\n3,4\r\r\n", &csv, "1|1|2\n2|3|4\n");
    check("", &csv, "");
    check("1::a:b::c\n", &dat, "1|1|a:b|c\n");
    check("1::\"a::c\n", &dat, "1|1|\"a|c\n");
    check("1\ta, b\t\"c\n", &tab, "1|1|a, b|\"c\n");
    check(" 1 , 2 \n", &csv, "1| 1 | 2 \n");
}

static void quotes_follow_rfc_4180(void **state)
{
    (void)state;
    check("1,\"a, b\",c\n", &csv, "1|1|a, b|c\n");
    check("1,\"\"\"artsy\"\"\",c\r\n", &csv, "1|1|\"artsy\"|c\n");
    check("1,\"two\nlines\",c\n2,b,c\n", &csv, "1|1|two\nlines|c\n3|2|b|c\n");
    check("1,\"two\r\nlines\"\r\n2,b\r\n", &csv, "1|1|two\r\nlines\n3|2|b\n");
    check("\"\",\"\"\n", &csv, "1||\n");
    check("1,\"end\"", &csv, "1|1|end\n");
    check("1,5\" disk,c\n", &csv, "1|1|5\" disk|c\n"); /* a quote inside an unquoted field is a quote */
}

static void a_backslash_makes_a_quote_part_of_the_field(void **state)
{
    (void)state;
    check("1,\"a \\\"b\\\" c\",d\n2,b,c\n", &csv, "1|1|a \"b\" c|d\n2|2|b|c\n");
    check("1,\"said \\\"\",d\n\"2\",b,c\n", &csv, "1|1|said \"|d\n2|2|b|c\n");
    check("1,\"path\\\",d\n", &csv, "1|1|path\\|d\n"); /* whole without it, so it is a backslash */
    check("1,\"a\"b\",d\n2,b,c\n", &csv, "1!misplaced quote\n2|2|b|c\n");
}

static void excels_first_line_is_no_record(void **state)
{
    (void)state;
    static const struct tv_dialect semicolon = {";", 1};
    check("sep=;\n1;2\n", &semicolon, "2|1|2\n");
    check("\xef\xbb\xbfSEP=;\r\n1;2\r\n", &semicolon, "2|1|2\n");
    check("sep=;x\n1;2\n", &semicolon, "1|sep=|x\n2|1|2\n");
    check("1;2\nsep=;\n", &semicolon, "1|1|2\n2|sep=|\n");
    check("sep=;", &semicolon, "1|sep=|\n");
}

static void a_stray_quote_costs_one_line(void **state)
{
    (void)state;
    check("1,\"open\n2,b\n3,c\n", &csv, "1!quote that never closes\n2|2|b\n3|3|c\n");
    check("1,\"a\"b\n2,c\n", &csv, "1!misplaced quote\n2|2|c\n");
    /* the quote of the second line closes the first's, behind which no separator comes */
    check("1,\"a,3\n2,\"b\",4\n", &csv, "1!misplaced quote\n2|2|b|4\n");
}

static void a_byte_order_mark_is_skipped(void **state)
{
    (void)state;
    check("\xef\xbb\xbfuserId,x\n1,2\n", &csv, "1|userId|x\n2|1|2\n");
    check("\xef\xbb\xbf\"a,b\",x\n", &csv, "1|a,b|x\n");
    struct tv_error err = {0};
    struct tv_record *record;
    struct tv_records *records = open_bytes("\xff\xfeu\0", 4, &csv);
    assert_int_equal(tv_records_next(records, &record, &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.message, "UTF-16"));
    tv_records_close(records);
}

/* A record of exactly the limit is read; one byte more refuses its first line, and reading resumes on the
 * next. */
static void the_limit_is_exact(void **state)
{
    (void)state;
    enum { LIMIT = TV_RECORD_MAX_BYTES };
    char *text = malloc(LIMIT + 64);
    assert_non_null(text);
    for (int more = 0; more < 2; more++) {
        for (int quoted = 0; quoted < 2; quoted++) {
            size_t n =
                LIMIT - 1 + (size_t)more; /* with its line feed the record has LIMIT bytes, or one more */
            memset(text, 'x', n);
            if (quoted) {
                text[0] = text[n - 1] = '"';
                text[5] = '\n';
            }
            strcpy(text + n, "\nlast,line\n");
            char *got = spell(text, strlen(text), &csv);
            if (!more)
                assert_non_null(strstr(got, quoted ? "\n3|last|line\n" : "\n2|last|line\n"));
            assert_int_equal(strchr(got, '!') != NULL, more);
            if (more && quoted)
                assert_true(strncmp(got, "1!quoted record longer than 64 KiB\n2|xx", 39) == 0);
            if (more && !quoted)
                assert_string_equal(got, "1!line longer than 64 KiB\n2|last|line\n");
            free(got);
        }
    }
    free(text);
}

/* Records that straddle the reader's window: a megabyte and more of lines of many lengths, all of them back.
 */
static void no_record_is_lost_at_the_window(void **state)
{
    (void)state;
    char *text = malloc(8 << 20);
    size_t n = 0;
    assert_non_null(text);
    int records = 0;
    for (; n < 5u << 20; records++) {
        int length = records * 7919 % 3000;
        n += (size_t)sprintf(text + n, "%d,\"%0*d\n\",%d\n", records, length + 1, records, length);
    }
    struct tv_records *r = open_bytes(text, n, &csv);
    struct tv_record *record;
    for (int i = 0; i < records; i++) {
        assert_int_equal(tv_records_next(r, &record, NULL), TV_OK);
        assert_non_null(record);
        assert_int_equal(record->line, 2 * i + 1);
        assert_int_equal(record->n, 3);
        int64_t number = -1;
        assert_true(tv_text_int64(record->fields[0].text, record->fields[0].n, &number));
        assert_int_equal(number, i);
        size_t digits = (size_t)snprintf(NULL, 0, "%0*d", i * 7919 % 3000 + 1, i);
        assert_int_equal(record->fields[1].n, digits + 1);
    }
    assert_int_equal(tv_records_next(r, &record, NULL), TV_OK);
    assert_null(record);
    tv_records_close(r);
    free(text);
}

static void too_many_fields_are_refused(void **state)
{
    (void)state;
    char text[TV_RECORD_MAX_FIELDS + 16];
    memset(text, ',', sizeof text);
    strcpy(text + TV_RECORD_MAX_FIELDS - 1, "\nb\n"); /* n - 1 commas are n fields */
    char *got = spell(text, strlen(text), &csv);
    assert_null(strchr(got, '!'));
    free(got);
    memset(text, ',', sizeof text);
    strcpy(text + TV_RECORD_MAX_FIELDS, "\nb\n");
    check(text, &csv, "1!more than 256 fields\n2|b\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_fields),          cmocka_unit_test(quotes_follow_rfc_4180),
        cmocka_unit_test(a_backslash_makes_a_quote_part_of_the_field),
        cmocka_unit_test(excels_first_line_is_no_record),
        cmocka_unit_test(a_stray_quote_costs_one_line), cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(the_limit_is_exact),           cmocka_unit_test(no_record_is_lost_at_the_window),
        cmocka_unit_test(too_many_fields_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
