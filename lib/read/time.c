/* time: units are told by size, dates are read by hand: strptime knows no fractions, and takes blanks anywhere. */
#include "trivet/read/time.h"

#include <math.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "trivet/base/text.h"


/* From here on a number is of the next smaller unit: 1e11 seconds are the year 5138, 1e11 milliseconds the year 1973. */
static const double least[] = {
    [TV_TIME_SECONDS] = 0, [TV_TIME_MILLISECONDS] = 1e11, [TV_TIME_MICROSECONDS] = 1e14, [TV_TIME_NANOSECONDS] = 1e17};
#define SECONDS_END 1e11

const char *tv_time_form_name(enum tv_time_form form)
{
    static const char *const names[] = {"seconds since 1970", "milliseconds since 1970", "microseconds since 1970",
                                        "nanoseconds since 1970", "dates", "dates with the day first", "dates with the month first"};
    return form < TV_TIME_FORMS ? names[form] : form == TV_TIME_ABSENT ? "none" : "not known";
}

/* --- text ------------------------------------------------------------------------------------------------------- */

/* What is left of a field. */
struct rest {
    const char *p;
    size_t n;
};

/* Takes exactly so many digits. */
static int take_digits(struct rest *r, size_t n, int *value)
{
    if (r->n < n)
        return 0;
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (r->p[i] < '0' || r->p[i] > '9')
            return 0;
        *value = 10 * *value + (r->p[i] - '0');
    }
    r->p += n;
    r->n -= n;
    return 1;
}

static int take(struct rest *r, char c)
{
    if (r->n == 0 || *r->p != c)
        return 0;
    r->p++;
    r->n--;
    return 1;
}

char tv_time_divider(const struct tv_field *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->text[i] == '.' || f->text[i] == '/' || f->text[i] == '-')
            return f->text[i];
    return 0;
}

int tv_time_is_date(enum tv_time_form form)
{
    return form == TV_TIME_TEXT || form == TV_TIME_DAY_FIRST || form == TV_TIME_MONTH_FIRST || form == TV_TIME_EITHER_FIRST;
}

/* Day or month, which may have one digit, as spreadsheets write them. */
static int take_one_or_two(struct rest *r, int *value)
{
    return take_digits(r, 2, value) || take_digits(r, 1, value);
}

/* One of the signs that may stand between the parts of a date, the same between all. */
static int take_divider(struct rest *r, const char *dividers, char *divider)
{
    if (r->n == 0 || strchr(dividers, *r->p) == NULL)
        return 0;
    *divider = *r->p;
    return *divider != '\0' && take(r, *divider);
}

/* 2005-04-02 or 2005/04/02; 02.04.2005, 02/04/2005 or 02-04-2005, and the same with the month first. */
static int take_date(struct rest *r, enum tv_time_form form, struct tm *t)
{
    char divider;
    int *first = form == TV_TIME_MONTH_FIRST ? &t->tm_mon : &t->tm_mday;
    int *second = form == TV_TIME_MONTH_FIRST ? &t->tm_mday : &t->tm_mon;
    int taken = form == TV_TIME_TEXT ? take_digits(r, 4, &t->tm_year) && take_divider(r, "-/", &divider) &&
                                           take_one_or_two(r, &t->tm_mon) && take(r, divider) && take_one_or_two(r, &t->tm_mday)
                                     : take_one_or_two(r, first) && take_divider(r, "./-", &divider) &&
                                           take_one_or_two(r, second) && take(r, divider) && take_digits(r, 4, &t->tm_year);
    return taken && t->tm_year > 0 && t->tm_mon >= 1 && t->tm_mon <= 12 && t->tm_mday >= 1 && t->tm_mday <= 31;
}

/* At least one digit, in microseconds; those beyond the sixth are dropped. */
static int take_fraction(struct rest *r, int64_t *fraction)
{
    int digit, any = 0;
    for (int64_t unit = 100000; take_digits(r, 1, &digit); unit /= 10, any = 1)
        *fraction += unit * digit;
    return any;
}

/* AM or PM, of a clock of twelve hours; 12 is its first. Where there is none the clock is one of 24. */
static int take_half(struct rest *r, struct tm *t)
{
    struct rest half = *r;
    while (take(&half, ' '))
        ;
    int pm = half.n >= 2 && strncasecmp(half.p, "PM", 2) == 0;
    if (!pm && !(half.n >= 2 && strncasecmp(half.p, "AM", 2) == 0))
        return 1;
    *r = (struct rest){half.p + 2, half.n - 2};
    int ok = t->tm_hour >= 1 && t->tm_hour <= 12;
    t->tm_hour = t->tm_hour % 12 + 12 * pm;
    return ok;
}

/* 23:53, 23:53:47, 23:53:47.5, 11:53 PM */
static int take_time(struct rest *r, struct tm *t, int64_t *fraction)
{
    if ((!take_digits(r, 2, &t->tm_hour) && !take_digits(r, 1, &t->tm_hour)) || !take(r, ':') ||
        !take_digits(r, 2, &t->tm_min))
        return 0;
    if (take(r, ':')) {
        if (!take_digits(r, 2, &t->tm_sec))
            return 0;
        if ((take(r, '.') || take(r, ',')) && !take_fraction(r, fraction))
            return 0;
    }
    return t->tm_hour <= 23 && t->tm_min <= 59 && t->tm_sec <= 60 && take_half(r, t);
}

/* Z, UTC, GMT, +09:00, +0900, +09, and "+0000 UTC" as Go and Ruby print it; nothing is UTC. *seconds is what the clock there is ahead. */
static int take_zone(struct rest *r, int *seconds)
{
    int hours = 0, minutes = 0;
    *seconds = 0;
    while (take(r, ' '))
        ;
    if (r->n == 0 || (r->n == 1 && (*r->p == 'Z' || *r->p == 'z')) ||
        (r->n == 3 && (strncasecmp(r->p, "UTC", 3) == 0 || strncasecmp(r->p, "GMT", 3) == 0)))
        return 1;
    int west = *r->p == '-';
    if ((!take(r, '+') && !take(r, '-')) || !take_digits(r, 2, &hours))
        return 0;
    int colon = take(r, ':');
    if (!take_digits(r, 2, &minutes) && colon)
        return 0;
    *seconds = (west ? -1 : 1) * (3600 * hours + 60 * minutes);
    while (take(r, ' '))
        ;
    if (r->n == 3 && *seconds == 0 && strncasecmp(r->p, "UTC", 3) == 0)
        r->n = 0;
    return r->n == 0 && hours <= 15 && minutes <= 59;
}

/* What stands between date and time: a T, a blank, or a comma and a blank. */
static int take_between(struct rest *r)
{
    if (take(r, 'T') || take(r, ' '))
        return 1;
    return take(r, ',') && take(r, ' ');
}

/* A day that its month does not have is refused: timegm would make another of it. */
static int read_text(enum tv_time_form form, const struct tv_field *f, int64_t *microseconds)
{
    struct rest r = {f->text, f->n};
    struct tm t = {.tm_hour = 0};
    int64_t fraction = 0;
    int ahead = 0;
    while (r.n > 0 && r.p[r.n - 1] == ' ')
        r.n--;
    while (take(&r, ' '))
        ;
    if (!take_date(&r, form, &t))
        return 0;
    if (r.n > 0 && (!take_between(&r) || !take_time(&r, &t, &fraction) || !take_zone(&r, &ahead)))
        return 0;
    int day = t.tm_mday, leap = t.tm_sec == 60;
    t.tm_year -= 1900;
    t.tm_mon--;
    t.tm_sec -= leap;
    time_t seconds = timegm(&t);
    if (t.tm_mday != day)
        return 0;
    *microseconds = ((int64_t)seconds + leap - ahead) * 1000000 + fraction;
    return 1;
}

/* --- numbers ---------------------------------------------------------------------------------------------------- */

/* A whole or broken number of units; *whole is 0 where only the double holds it. */
static int read_units(const struct tv_field *f, int64_t *units, double *real, int *whole)
{
    struct tv_field t = *f;
    for (; t.n > 0 && *t.text == ' '; t.n--)
        t.text++;
    while (t.n > 0 && t.text[t.n - 1] == ' ')
        t.n--;
    *whole = tv_text_int64(t.text, t.n, units);
    if (*whole)
        *real = (double)*units;
    return *whole || tv_text_double(t.text, t.n, real);
}

/* The form of what is no number. */
static enum tv_time_form form_of_text(const struct tv_field *f)
{
    int64_t moment;
    if (read_text(TV_TIME_TEXT, f, &moment))
        return TV_TIME_TEXT;
    int day = read_text(TV_TIME_DAY_FIRST, f, &moment), month = read_text(TV_TIME_MONTH_FIRST, f, &moment);
    if (day && month)
        return TV_TIME_EITHER_FIRST;
    return day ? TV_TIME_DAY_FIRST : month ? TV_TIME_MONTH_FIRST : TV_TIME_UNKNOWN;
}

/* "0000-00-00 00:00:00" is what MySQL writes for no time. */
static int is_absent(const struct tv_field *f)
{
    static const char none[] = "0000-00-00 00:00:00.000000";
    return tv_number_is_absent(f) || (f->n >= 10 && f->n < sizeof none && memcmp(f->text, none, f->n) == 0);
}

/* .NET's ticks since the year 1, and Windows' since 1601, of 2000 to 2100: as nanoseconds these are of 1974 or 1990. */
static int is_ticks(double real)
{
    return (real >= 1.25e17 && real < 1.6e17) || (real >= 6.3e17 && real < 6.65e17);
}

enum tv_time_form tv_time_form_of(const struct tv_field *f)
{
    int64_t units;
    double real;
    int whole;
    if (is_absent(f))
        return TV_TIME_ABSENT;
    if (tv_number_is_rounded(f))
        return TV_TIME_UNKNOWN;
    if (!read_units(f, &units, &real, &whole))
        return form_of_text(f);
    int form = TV_TIME_SECONDS;
    while (form < TV_TIME_NANOSECONDS && real >= least[form + 1])
        form++;
    return real < 9.3e18 && !is_ticks(real) ? (enum tv_time_form)form : TV_TIME_UNKNOWN;
}

/* Two digits of a number, the last of which has so many digits behind it. */
static int two_digits(int64_t number, int behind)
{
    while (behind-- > 0)
        number /= 10;
    return (int)(number % 100);
}

/* Whether a number of so many digits is a year, and perhaps month, day, hour, minute and second of it. */
static int is_date_of_digits(int64_t number, int digits)
{
    int64_t year = number;
    for (int i = 4; i < digits; i++)
        year /= 10;
    int month = digits > 4 ? two_digits(number, digits - 6) : 1, day = digits > 6 ? two_digits(number, digits - 8) : 1;
    int clock = digits <= 8 || (two_digits(number, 4) < 24 && two_digits(number, 2) < 60 && two_digits(number, 0) <= 60);
    return year >= 1900 && year <= 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && clock;
}

int tv_time_is_calendar(const struct tv_field *f)
{
    int64_t units = 0;
    double real;
    int whole, digits = 0;
    if (!read_units(f, &units, &real, &whole))
        return 0;
    if (!whole && real == floor(real) && fabs(real) < 1e15) { /* 20050402.0 */
        units = (int64_t)real;
        whole = 1;
    }
    for (int64_t rest = units; rest > 0; rest /= 10)
        digits++;
    return (real >= 20000 && real < 60000) ||
           (whole && (digits == 4 || digits == 6 || digits == 8 || digits == 14) && is_date_of_digits(units, digits));
}

/* Units smaller than a second, down to whole microseconds. 0, which many files write for no time, is of any unit. */
static enum tv_status read_small(enum tv_time_form form, const struct tv_field *f, int64_t *microseconds,
                                 struct tv_error *err)
{
    static const int64_t times[] = {[TV_TIME_MILLISECONDS] = 1000, [TV_TIME_MICROSECONDS] = 1};
    int64_t units;
    double real;
    int whole;
    if (!read_units(f, &units, &real, &whole))
        return tv_fail(err, TV_ERR_RECORD, "time is not a number");
    if (real != 0 && tv_time_form_of(f) != form)
        return tv_fail(err, TV_ERR_RECORD, "time in another unit than the file's");
    if (!whole && form == TV_TIME_MILLISECONDS)
        *microseconds = (int64_t)llround(real * 1000);
    else if (!whole)
        *microseconds = (int64_t)llround(form == TV_TIME_NANOSECONDS ? real / 1000 : real);
    else
        *microseconds = form == TV_TIME_NANOSECONDS ? units / 1000 : units * times[form];
    return TV_OK;
}

enum tv_status tv_time_read(enum tv_time_form form, const struct tv_field *f, int64_t *microseconds,
                            struct tv_error *err)
{
    if (!tv_time_is_date(form) && tv_number_is_rounded(f))
        return tv_fail(err, TV_ERR_RECORD, "a time in powers of ten, which has lost digits");
    if (form == TV_TIME_SECONDS) {
        enum tv_status status = tv_number_time(f, microseconds, err);
        return status == TV_OK && *microseconds >= (int64_t)(SECONDS_END * 1e6)
                   ? (enum tv_status)tv_fail(err, TV_ERR_RECORD, "time in another unit than the file's")
                   : status;
    }
    if (is_absent(f)) {
        *microseconds = TV_NUMBER_NO_TIME;
        return TV_OK;
    }
    if (!tv_time_is_date(form))
        return read_small(form, f, microseconds, err);
    if (read_text(form, f, microseconds))
        return TV_OK;
    enum tv_time_form other = tv_time_form_of(f);
    int swapped = form != TV_TIME_TEXT && (other == TV_TIME_DAY_FIRST || other == TV_TIME_MONTH_FIRST);
    return tv_fail(err, TV_ERR_RECORD, swapped ? "day and month in another order than the file's" : "time is not a date");
}
