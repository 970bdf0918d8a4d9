/* number: short decimals are read by hand, because a load reads three numbers a row, of millions of rows;
 * everything else, and every doubt, goes to the strict readers of lib/base.
 */
#include "trivet/read/number.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "trivet/base/text.h"

/* Up to 18 digits cannot overflow. Returns 0 where there is anything else, a sign included. */
static int short_integer(const char *p, size_t n, int64_t *value)
{
    int64_t v = 0;
    if (n == 0 || n > 18)
        return 0;
    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned char)p[i] - (unsigned)'0';
        if (digit > 9)
            return 0;
        v = 10 * v + digit;
    }
    *value = v;
    return 1;
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
    if (short_integer(f->text, f->n, id) || tv_text_int64(f->text, f->n, id))
        return TV_OK;
    if (f->n == 0)
        return refuse(err, "empty id");
    return refuse(err, all_digits(f->text, f->n) ? "id beyond 64 bits" : "id is not an integer");
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
    if (f->n == 1 && short_integer(f->text, 1, &whole)) {
        *value = (float)whole;
        return TV_OK;
    }
    if (f->n == 3 && f->text[1] == '.' && short_integer(f->text, 1, &whole) &&
        short_integer(f->text + 2, 1, &tenths)) {
        *value = (float)((double)(10 * whole + tenths) / 10);
        return TV_OK;
    }
    double v;
    if (tv_text_double(f->text, f->n, &v)) {
        if (!isfinite((float)v))
            return refuse(err, "infinite rating");
        *value = (float)v;
        return TV_OK;
    }
    if (is_word(f, "nan"))
        return refuse(err, "NaN rating");
    if (is_word(f, "inf") || is_word(f, "infinity"))
        return refuse(err, "infinite rating");
    return refuse(err, f->n == 0 ? "empty rating" : "rating is not a number");
}

/* Whole seconds stay integers: microseconds since 1970 exceed the 53 bits of a double within the range that is
 * allowed. */
enum tv_status tv_number_time(const struct tv_field *f, int64_t *microseconds, struct tv_error *err)
{
    int64_t seconds;
    double real;
    if (f->n == 0) {
        *microseconds = TV_NUMBER_NO_TIME;
        return TV_OK;
    }
    int whole = short_integer(f->text, f->n, &seconds) || tv_text_int64(f->text, f->n, &seconds);
    if (!whole && !tv_text_double(f->text, f->n, &real))
        return refuse(err, "time is not a number");
    if (whole ? seconds < TV_NUMBER_FIRST_SECOND || seconds >= TV_NUMBER_END_SECOND
              : real < (double)TV_NUMBER_FIRST_SECOND || real >= (double)TV_NUMBER_END_SECOND)
        return refuse(err, "time out of range");
    *microseconds = whole ? seconds * 1000000 : (int64_t)llround(real * 1e6);
    return TV_OK;
}
