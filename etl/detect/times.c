/* times: which unit the times of a column have, or in which order their days and months stand. */
#include <string.h>
#include <time.h>

#include "etl/detect/kinds.h"
#include "etl/detect/understand.h"

/* What can be done about times; --columns speaks of the ratings alone. */
static unsigned hint_time(const struct tv_looking *l, struct tv_error *err)
{
    char with[320];
    if (l->found->kind->role != TV_ROLE_RATINGS)
        return tv_hint(err, "write dates like 2005-04-02 or seconds since 1970, or leave the file out");
    return tv_hint(err, "write dates like 2005-04-02 or seconds since 1970; or --columns %s leaves the column out, time=NAME takes "
                        "another one",
                   tv_given_with(l->given, TV_COLUMN_TIME, "none", with, sizeof with));
}

/* A date as it would be read, the year first. */
static const char *read_so(enum tv_time_form form, const char *text, char *out, size_t size)
{
    int64_t moment = 0;
    struct tm t;
    const struct tv_field f = {text, strlen(text)};
    time_t seconds = tv_time_read(form, &f, &moment, NULL) == TV_OK ? (time_t)(moment / 1000000) : 0;
    return gmtime_r(&seconds, &t) && strftime(out, size, "%Y-%m-%d", &t) > 0 ? out : text;
}

/* Only the user knows whether these have the day first. */
static enum tv_status refuse_either(const struct tv_sample_column *c, struct tv_error *err)
{
    char day[16], month[16];
    const char *date = c->dates[TV_TIME_EITHER_FIRST];
    tv_fail(err, TV_ERR_INPUT, "the column %s, the time, holds dates such as %s, of which the day or the month could stand first, and none "
                               "that shows which", c->name, date);
    return tv_hint(err, "--dates day-first takes it as %s, --dates month-first as %s",
                   read_so(TV_TIME_DAY_FIRST, date, day, sizeof day), read_so(TV_TIME_MONTH_FIRST, date, month, sizeof month));
}

/* 24.12.2004 says nothing about 01/02/2005, which somebody else wrote. */
static enum tv_status refuse_dividers(const struct tv_sample_column *c, struct tv_error *err)
{
    tv_fail(err, TV_ERR_INPUT, "the column %s, the time, holds dates that are written in two ways, some with \"%c\" and some such as %s", c->name,
            c->divider, c->odd_divider);
    return tv_hint(err, "--dates day-first or --dates month-first says what stands first in all of them");
}

/* Dates with the year last. A day beyond the twelfth shows the order, and --dates says it; what the two say must agree. */
static enum tv_status understand_order(struct tv_looking *l, const struct tv_sample_column *c, struct tv_error *err)
{
    const char *choice = l->choices->dates ? l->choices->dates : "auto";
    long long day = c->times[TV_TIME_DAY_FIRST], month = c->times[TV_TIME_MONTH_FIRST];
    const char *of_day = c->dates[TV_TIME_DAY_FIRST], *of_month = c->dates[TV_TIME_MONTH_FIRST];
    int is_given = strcmp(choice, "auto") != 0, day_first = is_given ? strcmp(choice, "day-first") == 0 : day > 0;
    l->found->forms.time = day_first ? TV_TIME_DAY_FIRST : TV_TIME_MONTH_FIRST;
    l->found->forms.order_shown_by = is_given ? 0 : c->divider;
    if (is_given && (day_first ? day == 0 && month > 0 : month == 0 && day > 0)) {
        tv_fail(err, TV_ERR_INPUT, "the column %s, the time, holds dates such as %s, whose %s stands first, and none that has the %s first",
                c->name, day_first ? of_month : of_day, day_first ? "month" : "day", day_first ? "day" : "month");
        return tv_hint(err, "leave --dates out, or say --dates %s", day_first ? "month-first" : "day-first");
    }
    if (!is_given && c->odd_divider[0])
        return refuse_dividers(c, err);
    if (is_given || (day > 0) != (month > 0))
        return TV_OK;
    if (day == 0)
        return refuse_either(c, err);
    tv_fail(err, TV_ERR_INPUT, "the column %s, the time, holds dates of two orders: %s has the day first, %s the month", c->name, of_day,
            of_month);
    return tv_hint(err, "--dates day-first reads all with the day first and refuses the lines that cannot be read so, --dates "
                        "month-first with the month first");
}

/* The form that most values have. 0 seems to be seconds and is any number's. */
enum tv_status tv_understand_time(struct tv_looking *l, struct tv_error *err)
{
    const struct tv_sample_column *c = tv_sample_of(l->sample, &l->found->columns, TV_COLUMN_TIME);
    if (c == NULL)
        return TV_OK;
    long long best = c->times[TV_TIME_SECONDS] - c->zero;
    for (int form = TV_TIME_SECONDS + 1; form <= TV_TIME_TEXT; form++)
        if (c->times[form] > best) {
            best = c->times[form];
            l->found->forms.time = (enum tv_time_form)form;
        }
    if (tv_sample_years_last(c) > best && 2 * c->times[TV_TIME_UNKNOWN] < c->n)
        return understand_order(l, c, err);
    if (l->found->forms.time != TV_TIME_TEXT && 2 * c->calendars > c->n) {
        tv_fail(err, TV_ERR_INPUT, "the column %s, the time, holds numbers such as %s, which are a calendar's and no seconds "
                                   "since 1970", c->name, c->calendar);
        return hint_time(l, err);
    }
    if (2 * c->times[TV_TIME_UNKNOWN] < c->n || c->n == 0)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "the column %s, the time, holds neither seconds since 1970 nor dates like 2005-04-02, but such "
                               "as \"%s\"", c->name, c->odd_time);
    return hint_time(l, err);
}
