/* test_out: what answers are written with: numbers that read back the same, and escaping. */
#include "../serve_fixture.h"

#include <jansson.h>
#include <math.h>

#include "serve/web/out.h"
#include "trivet/base/text.h"

static const char *written(struct tv_out *out)
{
    assert_false(out->failed);
    return tv_buffer_string(&out->buffer);
}

static void reads_as_printf_writes(double x)
{
    char expected[64];
    struct tv_out out;
    tv_out_init(&out);
    tv_out_real(&out, x);
    snprintf(expected, sizeof expected, "%.17g", x);
    assert_string_equal(written(&out), expected);
    tv_out_free(&out);
}

static void reals_are_those_of_printf(void **state)
{
    (void)state;
    const double some[] = {0,
                           -0.0,
                           1,
                           -1,
                           0.5,
                           0.1,
                           1.0 / 3,
                           2.5,
                           9.9999999999999982,
                           9.99999999999999999,
                           10,
                           99.5,
                           100,
                           0.099999999999999992,
                           0.001,
                           0.0001,
                           0.00099999999999999980,
                           1e-5,
                           123456.789,
                           999999.99999999988,
                           1e6,
                           1e22,
                           5e-324,
                           1.7976931348623157e308,
                           0x1p-48,
                           31.999999999999996,
                           1e-4,
                           583,
                           -4.75};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        reads_as_printf_writes(some[i]);
    uint64_t seed = 88172645463325252u; /* xorshift64, Marsaglia 2003 */
    for (int i = 0; i < 300000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        double size = (double)(seed >> 11) * 0x1p-53;
        reads_as_printf_writes(i % 3 == 0   ? size * 10
                               : i % 3 == 1 ? -ldexp(size, (int)(seed & 31) - 12)
                                            : (double)(int64_t)(seed >> 20) * 0x1p-48);
    }
}

static void not_a_number_is_null(void **state)
{
    (void)state;
    struct tv_out out;
    tv_out_init(&out);
    tv_out_real(&out, NAN);
    tv_out_real(&out, INFINITY);
    assert_string_equal(written(&out), "nullnull");
    tv_out_free(&out);
}

static void integers_of_any_size(void **state)
{
    (void)state;
    struct tv_out out;
    tv_out_init(&out);
    tv_out_int(&out, INT64_MIN);
    tv_out_text(&out, " ");
    tv_out_int(&out, 0);
    tv_out_text(&out, " ");
    tv_out_int(&out, INT64_MAX);
    assert_string_equal(written(&out), "-9223372036854775808 0 9223372036854775807");
    tv_out_free(&out);
}

static void html_is_escaped(void **state)
{
    (void)state;
    struct tv_out out;
    tv_out_init(&out);
    tv_out_html(&out, "<script>alert(\"a\" & 'b')</script>");
    assert_string_equal(written(&out), "&lt;script&gt;alert(&quot;a&quot; &amp; &#39;b&#39;)&lt;/script&gt;");
    tv_out_free(&out);
}

static void json_strings_read_back(void **state)
{
    (void)state;
    char all[256];
    for (int i = 1; i < 128; i++)
        all[i - 1] = (char)i;
    strcpy(all + 127, "Am\xc3\xa9lie \xf0\x9f\x8e\xac \\u0041");
    struct tv_out out;
    tv_out_init(&out);
    tv_out_text(&out, "[");
    tv_out_json(&out, all);
    tv_out_text(&out, "]");
    json_t *read = json_loads(written(&out), 0, NULL);
    assert_non_null(read);
    assert_string_equal(json_string_value(json_array_get(read, 0)), all);
    json_decref(read);
    tv_out_free(&out);
}

static void members_are_divided_by_commas(void **state)
{
    (void)state;
    struct tv_out out;
    tv_out_init(&out);
    tv_out_key(&out, "a"); /* of a part of an object, which goes behind the brace later */
    tv_out_text(&out, "{");
    tv_out_key(&out, "b");
    tv_out_json(&out, "{");
    tv_out_key(&out, "c");
    tv_out_bool(&out, 1);
    tv_out_text(&out, "}");
    tv_out_key(&out, "d");
    tv_out_bool(&out, 0);
    assert_string_equal(written(&out), "\"a\":{\"b\":\"{\",\"c\":true},\"d\":false");
    tv_out_free(&out);
}

/* Any bytes make JSON and HTML that can be read; those that are no UTF-8 are one U+FFFD each. */
static void what_is_no_utf8_is_replaced(void **state)
{
    (void)state;
    static const char *const texts[][2] = {{"a\xff", "\"a\xef\xbf\xbd\""},
                                           {"\xc3", "\"\xef\xbf\xbd\""},
                                           {"\xc3\"", "\"\xef\xbf\xbd\\\"\""},
                                           {"\xe2\x82x", "\"\xef\xbf\xbd\xef\xbf\xbdx\""},
                                           {"\xc3\xa9\xa9", "\"\xc3\xa9\xef\xbf\xbd\""}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tv_out out;
        tv_out_init(&out);
        tv_out_json(&out, texts[i][0]);
        assert_string_equal(written(&out), texts[i][1]);
        tv_out_free(&out);
    }
    char bytes[1024];
    uint64_t seed = 88172645463325252u;
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            bytes[i] = (char)(seed >> 20);
        }
        struct tv_out json, html;
        tv_out_init(&json);
        tv_out_init(&html);
        tv_out_json_part(&json, bytes, sizeof bytes);
        tv_out_html_part(&html, bytes, sizeof bytes);
        json_t *read = json_loads(written(&json), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(read);
        assert_true(tv_text_is_utf8(html.buffer.data, html.buffer.size));
        json_decref(read);
        tv_out_free(&json);
        tv_out_free(&html);
    }
}

static void a_failure_is_remembered(void **state)
{
    (void)state;
    struct tv_out out;
    tv_out_init(&out);
    out.buffer.max = 8;
    tv_out_text(&out, "1234");
    assert_false(out.failed);
    tv_out_text(&out, "567890");
    assert_true(out.failed);
    tv_out_text(&out, "5");
    assert_string_equal(tv_buffer_string(&out.buffer), "1234"); /* nothing after a gap */
    tv_out_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reals_are_those_of_printf),   cmocka_unit_test(not_a_number_is_null),
        cmocka_unit_test(integers_of_any_size),        cmocka_unit_test(html_is_escaped),
        cmocka_unit_test(json_strings_read_back),      cmocka_unit_test(members_are_divided_by_commas),
        cmocka_unit_test(what_is_no_utf8_is_replaced), cmocka_unit_test(a_failure_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
