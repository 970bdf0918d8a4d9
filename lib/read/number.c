/* number: short decimals are read by hand, because a load reads three numbers a row, of millions of rows;
 * everything else, and every doubt, goes to the strict readers of lib/base.
 */
#include "trivet/read/number.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "trivet/base/text.h"

/* A field without the blanks around it. */
static struct tv_field trimmed(const struct tv_field *f)
{
    struct tv_field t = *f;
    for (; t.n > 0 && (*t.text == ' ' || *t.text == '\t'); t.n--)
        t.text++;
    while (t.n > 0 && (t.text[t.n - 1] == ' ' || t.text[t.n - 1] == '\t'))
        t.n--;
    return t;
}

/* "101.0" -> "101": spreadsheets and pandas write integers so where a column had a gap. */
static struct tv_field whole_part(struct tv_field f)
{
    const char *dot = f.n > 0 ? memchr(f.text, '.', f.n) : NULL;
    size_t zeros = dot ? f.n - (size_t)(dot - f.text) - 1 : 0;
    for (size_t i = 1; i <= zeros; i++)
        if (dot[i] != '0')
            return f;
    return dot && zeros > 0 && dot > f.text ? (struct tv_field){f.text, (size_t)(dot - f.text)} : f;
}

/* "1.2345678E7" -> 12345678. Java writes whole numbers from ten millions on so, with all the digits they have but zeros at the end. Behind
 * another program's E+ zeros at the end may be what rounding has left, so that every digit has to be there. */
static int read_power(const struct tv_field *f, int64_t *id)
{
    size_t sign = f->n > 0 && *f->text == '-', at = sign + 2;
    if (f->n < sign + 5 || f->text[sign] < '1' || f->text[sign] > '9' || f->text[sign + 1] != '.')
        return 0;
    int64_t value = f->text[sign] - '0', power = 0, digits = 0;
    for (; at < f->n && f->text[at] >= '0' && f->text[at] <= '9' && digits < 18; at++, digits++)
        value = 10 * value + (f->text[at] - '0');
    if (digits == 0 || at + 1 >= f->n || (f->text[at] != 'E' && f->text[at] != 'e'))
        return 0;
    int is_java = f->text[at] == 'E' && f->text[at + 1] != '+';
    at += is_java || f->text[at + 1] != '+' ? 1 : 2;
    if (at >= f->n || !tv_text_short_int(f->text + at, f->n - at, &power) || power > 18 || power < 0)
        return 0;
    if (is_java ? digits > power : digits != power)
        return 0;
    for (; digits < power; digits++)
        if (__builtin_mul_overflow(value, 10, &value))
            return 0;
    *id = sign ? -value : value;
    return 1;
}

int tv_number_has_lost_digits(const struct tv_field *f)
{
    static const int64_t exact = INT64_C(1) << 53;
    struct tv_field t = trimmed(f);
    int64_t id;
    if (t.n < 17 || memchr(t.text, '.', t.n) == NULL) /* as nearly all ids */
        return 0;
    struct tv_field whole = whole_part(t);
    return (tv_text_int64(whole.text, whole.n, &id) || read_power(&t, &id)) && (id > exact || id < -exact);
}

/* Tells "beyond 64 bits" from "not an integer" once both readers have refused. */
static int all_digits(const char *p, size_t n)
{
    size_t i = n > 1 && p[0] == '-';
    while (i < n && p[i] >= '0' && p[i] <= '9')
        i++;
    return n > 0 && i == n;
}

/* The reasons are fixed texts without the value, so that equal ones can be counted together. */
static enum tv_status refuse(struct tv_error *err, const char *why)
{
    return tv_fail(err, TV_ERR_RECORD, "%s", why);
}

enum tv_status tv_number_id(const struct tv_field *f, int64_t *id, struct tv_error *err)
{
    if (tv_text_int64(f->text, f->n, id))
        return TV_OK;
    struct tv_field plain = trimmed(f);
    if (plain.n == 0)
        return refuse(err, "empty id");
    plain = whole_part(plain);
    if (tv_number_has_lost_digits(f))
        return refuse(err, "an id as a fraction, which has lost digits");
    if (tv_text_int64(plain.text, plain.n, id) || read_power(&plain, id))
        return TV_OK;
    return refuse(err, all_digits(plain.text, plain.n) ? "id beyond 64 bits" : "id is not an integer");
}

/* strtod would take these words, tv_text_double refuses them; the reason given should name what stood there. */
static int is_word(const struct tv_field *f, const char *word)
{
    size_t skip = f->n > 0 && (f->text[0] == '-' || f->text[0] == '+');
    return f->n - skip == strlen(word) && strncasecmp(f->text + skip, word, f->n - skip) == 0;
}

enum tv_status tv_number_rating(const struct tv_field *f, float *value, struct tv_error *err)
{
    /* "4" and "4.5": two small integers and one division are exact enough for a float, and quick. */
    int64_t whole, tenths;
    if (f->n == 1 && tv_text_short_int(f->text, 1, &whole)) {
        *value = (float)whole;
        return TV_OK;
    }
    if (f->n == 3 && f->text[1] == '.' && tv_text_short_int(f->text, 1, &whole) &&
        tv_text_short_int(f->text + 2, 1, &tenths)) {
        *value = (float)((double)(10 * whole + tenths) / 10);
        return TV_OK;
    }
    double v;
    struct tv_field plain = trimmed(f);
    if (tv_text_double(plain.text, plain.n, &v)) {
        if (!isfinite((float)v))
            return refuse(err, "infinite rating");
        *value = (float)v;
        return TV_OK;
    }
    if (is_word(&plain, "nan"))
        return refuse(err, "NaN rating");
    if (is_word(&plain, "inf") || is_word(&plain, "infinity"))
        return refuse(err, "infinite rating");
    return refuse(err, plain.n == 0 ? "empty rating" : "rating is not a number");
}

/* --- other ways to write a number ----------------------------------------------------------------------------- */

static size_t digits(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && p[i] >= '0' && p[i] <= '9')
        i++;
    return i;
}

/* "1,234" and "1,234,567.5", but not "0,500" or "12,34": groups of three behind one to three digits. */
static int is_grouped(const char *p, size_t n, char group, char point, int *groups)
{
    size_t at = digits(p, n);
    *groups = 0;
    if (at == 0 || at > 3 || p[0] == '0')
        return 0;
    for (; at < n && p[at] == group; at += 4, ++*groups)
        if (digits(p + at + 1, n - at - 1) < 3 || (n - at > 4 && p[at + 4] >= '0' && p[at + 4] <= '9'))
            return 0;
    return *groups > 0 && (at == n || (p[at] == point && digits(p + at + 1, n - at - 1) == n - at - 1 && at + 1 < n));
}

/* What the signs `group` of a field can be, where `point` is the other one. */
static int signs_of(const struct tv_field *f, char group, char point)
{
    if (f->n == 0 || memchr(f->text, group, f->n) == NULL)
        return TV_NUMBER_NO_COMMA;
    struct tv_field t = trimmed(f);
    size_t sign = t.n > 0 && (t.text[0] == '-' || t.text[0] == '+');
    const char *p = t.text + sign;
    size_t n = t.n - sign, whole = digits(p, n);
    int groups;
    if (is_grouped(p, n, group, point, &groups))
        return groups > 1 || memchr(p, point, n) ? TV_NUMBER_GROUPS : TV_NUMBER_EITHER;
    return whole + 1 < n && p[whole] == group && digits(p + whole + 1, n - whole - 1) == n - whole - 1
               ? TV_NUMBER_DECIMAL
               : TV_NUMBER_NEITHER;
}

int tv_number_commas(const struct tv_field *f)
{
    return signs_of(f, ',', '.');
}

int tv_number_points(const struct tv_field *f)
{
    return signs_of(f, '.', ',');
}

/* Whether a field's signs are those of the form. Beside decimal commas 1.234 could be anything. */
static int has_form(enum tv_number_form form, const struct tv_field *f)
{
    int commas = tv_number_commas(f), points = tv_number_points(f);
    if (form == TV_NUMBER_POINT_GROUPS)
        return points == TV_NUMBER_NO_COMMA ? commas == TV_NUMBER_NO_COMMA || commas == TV_NUMBER_DECIMAL || commas == TV_NUMBER_EITHER
                                            : points == TV_NUMBER_GROUPS || points == TV_NUMBER_EITHER;
    if (form == TV_NUMBER_DECIMAL_COMMA && points == TV_NUMBER_EITHER)
        return 0;
    if (commas == TV_NUMBER_NO_COMMA)
        return 1;
    if (form == TV_NUMBER_PLAIN || commas == TV_NUMBER_NEITHER)
        return 0;
    return form == TV_NUMBER_THOUSANDS ? commas != TV_NUMBER_DECIMAL : commas != TV_NUMBER_GROUPS;
}

int tv_number_plain(enum tv_number_form form, const struct tv_field *f, char *out, size_t size, struct tv_field *plain)
{
    const char group = form == TV_NUMBER_THOUSANDS ? ',' : form == TV_NUMBER_POINT_GROUPS ? '.' : '\0';
    size_t n = 0;
    *plain = *f;
    if (!has_form(form, f))
        return 0;
    if (tv_number_commas(f) == TV_NUMBER_NO_COMMA && form != TV_NUMBER_POINT_GROUPS)
        return 1;
    if (f->n >= size)
        return 0;
    for (size_t i = 0; i < f->n; i++)
        if (group == '\0' || f->text[i] != group)
            out[n++] = f->text[i] == ',' ? '.' : f->text[i];
    *plain = (struct tv_field){out, n};
    return 1;
}

int tv_number_is_whole_by_comma(const struct tv_field *f)
{
    if (tv_number_commas(f) != TV_NUMBER_DECIMAL)
        return 0;
    struct tv_field t = trimmed(f);
    const char *comma = memchr(t.text, ',', t.n), *end = t.text + t.n;
    for (const char *p = comma + 1; p < end; p++)
        if (*p != '0')
            return 0;
    return comma > t.text;
}

enum tv_status tv_number_id_written(enum tv_id_form form, const struct tv_field *f, int64_t *id, struct tv_error *err)
{
    char text[TV_NUMBER_MAX_TEXT];
    struct tv_field plain = *f;
    if (tv_text_int64(f->text, f->n, id))
        return TV_OK;
    int by_commas = tv_number_commas(f) == TV_NUMBER_EITHER, by_points = tv_number_points(f) == TV_NUMBER_EITHER;
    if ((by_commas && form != TV_ID_COMMA_GROUPS) || (by_points && form == TV_ID_CLEAR))
        return refuse(err, "an id that could be thousands or a fraction");
    enum tv_number_form number = form == TV_ID_COMMA_GROUPS                ? TV_NUMBER_THOUSANDS
                                 : form == TV_ID_POINT_GROUPS              ? TV_NUMBER_POINT_GROUPS
                                 : tv_number_is_whole_by_comma(f)          ? TV_NUMBER_DECIMAL_COMMA
                                                                           : TV_NUMBER_PLAIN;
    if (number == TV_NUMBER_PLAIN || !tv_number_plain(number, f, text, sizeof text, &plain))
        plain = *f;
    return tv_number_id(&plain, id, err);
}

int tv_number_is_rounded(const struct tv_field *f)
{
    struct tv_field t = trimmed(f);
    size_t sign = t.n > 0 && t.text[0] == '-';
    const char *p = t.text + sign;
    size_t n = t.n - sign;
    if (n < 4 || (p[1] >= '0' && p[1] <= '9')) /* as nearly all numbers */
        return 0;
    size_t whole = digits(p, n), point = whole < n && p[whole] == '.';
    size_t fraction = point ? digits(p + whole + 1, n - whole - 1) : 0, at = whole + point + fraction;
    int64_t power;
    if (whole != 1 || point > fraction || at + 2 >= n || (p[at] != 'e' && p[at] != 'E') || p[at + 1] != '+')
        return 0;
    return tv_text_short_int(p + at + 2, n - at - 2, &power) && (int64_t)fraction < power;
}

/* --- times ------------------------------------------------------------------------------------------------------ */

int tv_number_is_absent(const struct tv_field *f)
{
    static const char *const words[] = {"NULL", "\\N", "NA", "NaN", "None", "NaT", "N/A", "nil"};
    struct tv_field t = trimmed(f);
    int is_number = t.n > 0 && *t.text >= '0' && *t.text <= '9'; /* as most fields are: no word begins so */
    for (size_t i = 0; !is_number && i < sizeof words / sizeof *words; i++)
        if (t.n == strlen(words[i]) && strncasecmp(t.text, words[i], t.n) == 0)
            return 1;
    return t.n == 0;
}

/* Whole seconds stay integers: microseconds since 1970 exceed the 53 bits of a double within the range that is
 * allowed. */
enum tv_status tv_number_time(const struct tv_field *f, int64_t *microseconds, struct tv_error *err)
{
    int64_t seconds;
    double real;
    int whole = tv_text_short_int(f->text, f->n, &seconds);
    if (!whole && tv_number_is_absent(f)) {
        *microseconds = TV_NUMBER_NO_TIME;
        return TV_OK;
    }
    struct tv_field plain = trimmed(f);
    whole = whole || tv_text_int64(plain.text, plain.n, &seconds);
    if (!whole && !tv_text_double(plain.text, plain.n, &real))
        return refuse(err, "time is not a number");
    if (whole ? seconds < TV_NUMBER_FIRST_SECOND || seconds >= TV_NUMBER_END_SECOND
              : real < (double)TV_NUMBER_FIRST_SECOND || real >= (double)TV_NUMBER_END_SECOND)
        return refuse(err, "time out of range");
    *microseconds = whole ? seconds * 1000000 : (int64_t)llround(real * 1e6);
    return TV_OK;
}
