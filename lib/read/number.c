/* number: short decimals are read by hand, because a million ratings a second go through here; everything
 * else, and every doubt, goes to the strict readers of lib/base. */
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

const char *tv_number_id(const struct tv_field *f, int64_t *id)
{
    if (short_integer(f->text, f->n, id) || tv_text_int64(f->text, f->n, id))
        return NULL;
    if (f->n == 0)
        return "empty id";
    return all_digits(f->text, f->n) ? "id beyond 64 bits" : "id is not an integer";
}

/* strtod would take these words, tv_text_double refuses them; the reason given should name what stood there. */
static int is_word(const struct tv_field *f, const char *word)
{
    size_t skip = f->n > 0 && (f->text[0] == '-' || f->text[0] == '+');
    return f->n - skip == strlen(word) && strncasecmp(f->text + skip, word, f->n - skip) == 0;
}

const char *tv_number_rating(const struct tv_field *f, float *value)
{
    /* "4" and "4.5": two small integers and one division are exact enough for a float, and quick. */
    int64_t whole, tenths;
    if (f->n == 1 && short_integer(f->text, 1, &whole)) {
        *value = (float)whole;
        return NULL;
    }
    if (f->n == 3 && f->text[1] == '.' && short_integer(f->text, 1, &whole) &&
        short_integer(f->text + 2, 1, &tenths)) {
        *value = (float)((double)(10 * whole + tenths) / 10);
        return NULL;
    }
    double v;
    if (tv_text_double(f->text, f->n, &v)) {
        if (!isfinite((float)v))
            return "infinite rating";
        *value = (float)v;
        return NULL;
    }
    if (is_word(f, "nan"))
        return "NaN rating";
    if (is_word(f, "inf") || is_word(f, "infinity"))
        return "infinite rating";
    return f->n == 0 ? "empty rating" : "rating is not a number";
}

/* Whole seconds stay integers: microseconds since 1970 exceed the 53 bits of a double within the range that is
 * allowed. */
const char *tv_number_time(const struct tv_field *f, int64_t *microseconds)
{
    int64_t seconds;
    double real;
    if (f->n == 0) {
        *microseconds = TV_NUMBER_NO_TIME;
        return NULL;
    }
    int whole = short_integer(f->text, f->n, &seconds) || tv_text_int64(f->text, f->n, &seconds);
    if (!whole && !tv_text_double(f->text, f->n, &real))
        return "time is not a number";
    if (whole ? seconds < TV_NUMBER_FIRST_SECOND || seconds >= TV_NUMBER_END_SECOND
              : real < (double)TV_NUMBER_FIRST_SECOND || real >= (double)TV_NUMBER_END_SECOND)
        return "time out of range";
    *microseconds = whole ? seconds * 1000000 : (int64_t)llround(real * 1e6);
    return NULL;
}
