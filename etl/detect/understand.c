/* understand: each question is asked of the whole sample of a column, so that one odd value is a refused line, and many are
 * a refused file. */
#include "etl/detect/understand.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "etl/detect/kinds.h"
#include "etl/detect/sample.h"
#include "trivet/base/shell.h"
#include "trivet/base/text.h"

/* The file of ratings while it is looked at. */
struct looking {
    struct tv_set *set;
    const struct tv_choices *choices;
    const struct tv_given *given;
    struct tv_found *found;
    struct tv_sample *sample;
};

static const struct tv_sample_column *column_of(const struct looking *l, enum tv_column meaning)
{
    int at = l->found->columns.at[meaning];
    return at >= 0 && at < l->sample->n ? &l->sample->columns[at] : NULL;
}

/* All columns by name, for messages. */
static const char *all_columns(const struct looking *l, char *out, size_t size)
{
    size_t n = 0;
    *out = '\0';
    for (int i = 0; i < l->sample->n && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "",
                              l->sample->columns[i].name[0] ? l->sample->columns[i].name : "\"\"");
    return tv_text_mark_cut(out, size, (int)n);
}

/* --- numbers ---------------------------------------------------------------------------------------------------- */

/* What --decimal says: the form of a column that has any sign of it, or may have one behind the first lines. */
static enum tv_number_form form_given(const struct looking *l, const struct tv_sample_column *c, const char *decimal)
{
    int is_plain = l->sample->rows < TV_SAMPLE_ROWS && c->numbers == c->n && (strcmp(decimal, "point") == 0 || c->fractions + c->grouped == 0);
    return is_plain ? TV_NUMBER_PLAIN : strcmp(decimal, "comma") == 0 ? TV_NUMBER_POINT_GROUPS : TV_NUMBER_THOUSANDS;
}

/* The form that the values with commas have, but for a few that are damaged; TV_NUMBER_PLAIN where there are none, or they do not agree.
 * Between commas as separators only quoted fields have any, and there a comma divides thousands. */
static enum tv_number_form form_of(const struct looking *l, const struct tv_sample_column *c)
{
    enum { ONE_IN = 50 };
    const long long *n = c->commas;
    int decimal = strcmp(l->found->dialect.separator, ",") != 0;
    if (c->point_groups > 0 && c->fractions == 0 && n[TV_NUMBER_GROUPS] == 0)
        return TV_NUMBER_POINT_GROUPS;
    if (n[TV_NUMBER_GROUPS] + n[TV_NUMBER_DECIMAL] + n[TV_NUMBER_EITHER] == 0)
        return TV_NUMBER_PLAIN;
    if (n[TV_NUMBER_DECIMAL] == 0 || n[TV_NUMBER_GROUPS] > ONE_IN * n[TV_NUMBER_DECIMAL])
        return TV_NUMBER_THOUSANDS;
    return decimal && ONE_IN * n[TV_NUMBER_GROUPS] < n[TV_NUMBER_DECIMAL] ? TV_NUMBER_DECIMAL_COMMA : TV_NUMBER_PLAIN;
}

/* Whether values such as 1.234 are to be refused: others show that points divide thousands, and yet others that they do not; or the first
 * lines had no point at all, and are not the whole file. A rating between commas is one of English hands. */
static int has_clear_points(const struct looking *l, const struct tv_sample_column *c, enum tv_column meaning)
{
    if (c->point_groups > 0)
        return l->found->forms.value != TV_NUMBER_POINT_GROUPS;
    int is_english = meaning == TV_COLUMN_RATING && strcmp(l->found->dialect.separator, ",") == 0;
    return l->sample->rows == TV_SAMPLE_ROWS && c->fractions + c->grouped == 0 && !is_english &&
           (l->found->forms.value == TV_NUMBER_PLAIN);
}

static long long readable(const struct tv_sample_column *c, enum tv_number_form form)
{
    const long long *n = c->commas;
    if (form == TV_NUMBER_PLAIN)
        return c->numbers;
    if (form == TV_NUMBER_THOUSANDS)
        return c->numbers + n[TV_NUMBER_EITHER] + n[TV_NUMBER_GROUPS];
    if (form == TV_NUMBER_DECIMAL_COMMA)
        return c->numbers - c->grouped + n[TV_NUMBER_EITHER] + n[TV_NUMBER_DECIMAL];
    return c->numbers - c->fractions + c->point_groups + n[TV_NUMBER_EITHER] + n[TV_NUMBER_DECIMAL];
}

/* Whether each sign in the column could divide thousands or stand before a fraction. Of ratings with points, and of counts with commas,
 * nobody thinks so: 4.125 is a rating, 1,234 a count. Where commas divide the fields, a comma in quotes divides thousands. */
static int is_ambiguous(const struct looking *l, const struct tv_sample_column *c, enum tv_column meaning)
{
    const long long *n = c->commas;
    if (n[TV_NUMBER_GROUPS] + n[TV_NUMBER_DECIMAL] + n[TV_NUMBER_NEITHER] + c->point_groups + c->fractions > 0)
        return 0;
    if (meaning == TV_COLUMN_RATING)
        return n[TV_NUMBER_EITHER] > 0 && strcmp(l->found->dialect.separator, ",") != 0;
    return c->grouped > 0 && n[TV_NUMBER_EITHER] == 0 && strcmp(l->found->dialect.separator, ";") == 0;
}

/* Only the user knows. */
static enum tv_status refuse_ambiguous(const struct tv_sample_column *c, enum tv_column meaning, struct tv_error *err)
{
    const struct tv_field value = {c->either, strlen(c->either)};
    const enum tv_number_form forms[2] = {TV_NUMBER_POINT_GROUPS, TV_NUMBER_THOUSANDS};
    char texts[2][TV_NUMBER_MAX_TEXT];
    for (int i = 0; i < 2; i++) {
        struct tv_field plain;
        char out[TV_NUMBER_MAX_TEXT];
        tv_text_copy(texts[i], sizeof texts[i], c->either);
        if (tv_number_plain(forms[i], &value, out, sizeof out, &plain))
            snprintf(texts[i], sizeof texts[i], "%.*s", (int)plain.n, plain.text);
    }
    tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds numbers such as %s, which could be %s or %s, and no value that shows which",
            c->name, tv_columns_word(meaning), c->either, texts[0], texts[1]);
    return tv_hint(err, "--decimal comma takes it as %s, --decimal point as %s", texts[0], texts[1]);
}

/* No value stands in the first lines. They are not the whole file where it is longer than what is looked at. */
static enum tv_status refuse_empty(struct looking *l, const struct tv_sample_column *c, enum tv_column meaning, struct tv_error *err)
{
    char lines[64], with[200];
    if (c->absent == 0 || strcmp(l->choices->unrated, "plays") == 0 ||
        (strcmp(l->choices->unrated, "drop") == 0 && l->sample->rows == TV_SAMPLE_ROWS))
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, is empty in all of the first %s", c->name, tv_columns_word(meaning),
            tv_text_count(lines, l->sample->rows, "line"));
    return tv_hint(err, "--columns %s takes each line as one play%s", tv_given_with(l->given, TV_COLUMN_RATING, "none", with, sizeof with),
                   l->sample->rows == TV_SAMPLE_ROWS ? "; where later lines have one, --unrated drop leaves those without out" : "");
}

/* Most values are no numbers, as they are read. */
static enum tv_status refuse_values(struct looking *l, const struct tv_sample_column *c, enum tv_column meaning, struct tv_error *err)
{
    char all[200], with[200];
    const char *decimal = l->choices->decimal ? l->choices->decimal : "auto";
    int by_comma = 2 * readable(c, TV_NUMBER_POINT_GROUPS) > c->n, by_point = 2 * readable(c, TV_NUMBER_THOUSANDS) > c->n;
    int point = strcmp(decimal, "point") == 0;
    if ((point && by_comma) || (strcmp(decimal, "comma") == 0 && by_point)) {
        const char *value = point ? (c->by_comma[0] ? c->by_comma : c->either) : c->fraction[0] ? c->fraction : c->divided;
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds numbers such as %s, which --decimal %s does not read", c->name,
                tv_columns_word(meaning), value, decimal);
        return tv_hint(err, "leave --decimal out, or say --decimal %s", point ? "comma" : "point");
    }
    if (c->by_comma[0] && (c->divided[0] || c->grouped > 0) && by_comma + by_point > 0) {
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds numbers such as %s and such as %s, of which no two can be read in one way",
                c->name, tv_columns_word(meaning), c->by_comma, c->divided[0] ? c->divided : c->either);
        return tv_hint(err, "--decimal comma takes commas as decimal ones and points as those between thousands, --decimal point the other "
                            "way round, and refuses the lines that cannot be read so");
    }
    tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds no numbers in most lines, but such as \"%s\"", c->name,
            tv_columns_word(meaning), c->odd[0] ? c->odd : c->by_comma[0] ? c->by_comma : c->either);
    if (2 * readable(c, TV_NUMBER_DECIMAL_COMMA) > c->n && strcmp(decimal, "comma") != 0)
        return tv_hint(err, "--decimal comma takes the commas as decimal ones");
    return tv_hint(err, "say which column it is, of %s: --columns %s; rating=none takes each line as one play",
                   all_columns(l, all, sizeof all), tv_given_with(l->given, meaning, "NAME", with, sizeof with));
}

/* The rating, or the count of plays: most of its values must be numbers. */
static enum tv_status understand_value(struct looking *l, enum tv_column meaning, struct tv_error *err)
{
    const struct tv_sample_column *c = column_of(l, meaning);
    if (c == NULL)
        return TV_OK;
    const char *decimal = l->choices->decimal ? l->choices->decimal : "auto";
    int is_given = strcmp(decimal, "auto") != 0;
    if (!is_given && is_ambiguous(l, c, meaning))
        return refuse_ambiguous(c, meaning, err);
    struct tv_forms *forms = &l->found->forms;
    forms->value = is_given ? form_given(l, c, decimal) : form_of(l, c);
    forms->clear_points = !is_given && has_clear_points(l, c, meaning);
    if (!is_given && forms->value == TV_NUMBER_THOUSANDS && c->commas[TV_NUMBER_GROUPS] == 0 && strcmp(l->found->dialect.separator, ",") != 0)
        tv_text_copy(forms->either, sizeof forms->either, c->either);
    if (c->n == 0)
        return refuse_empty(l, c, meaning, err);
    return 2 * readable(c, forms->value) > c->n ? TV_OK : refuse_values(l, c, meaning, err);
}

/* A table without a rating is one of plays only if nothing in it could be the rating. */
static enum tv_status understand_rest(struct looking *l, struct tv_error *err)
{
    const struct tv_columns *columns = &l->found->columns;
    char all[320], with[320], word[320];
    if (columns->at[TV_COLUMN_RATING] >= 0 || columns->at[TV_COLUMN_PLAYS] >= 0 || l->given->no_rating)
        return TV_OK;
    for (int i = 0; i < l->sample->n; i++) {
        const struct tv_sample_column *c = &l->sample->columns[i];
        struct tv_field name = {c->name, strlen(c->name)};
        int beside = 0, is_known = tv_columns_of_name(&name, &beside) != TV_COLUMN_NONE || beside;
        size_t plain = strcspn(c->name, ":");
        int is_id = plain > 2 && strncasecmp(c->name + plain - 2, "id", 2) == 0;
        int has_meaning = tv_columns_meaning(columns, i) != TV_COLUMN_NONE;
        if (has_meaning || is_known || is_id || 2 * (tv_sample_numbers(c) + c->marks) <= c->n || c->n == 0)
            continue;
        if (tv_columns_names_kind(&name)) {
            tv_fail(err, TV_ERR_INPUT, "it has the columns %s; none is known to be the rating, and %s could be it, or the kind of each line's "
                                       "event", all_columns(l, all, sizeof all), c->name);
            return tv_hint(err, "--columns %s takes each line as one play, of whatever kind; rating=NAME says which column is the rating",
                           tv_given_with(l->given, TV_COLUMN_RATING, "none", with, sizeof with));
        }
        tv_fail(err, TV_ERR_INPUT, "it has the columns %s; none is known to be the rating, and %s could be it",
                all_columns(l, all, sizeof all), c->name);
        return tv_hint(err, "say which is: --columns %s (or plays=%s), with values that are numbers; rating=none takes each line as "
                            "one play",
                       tv_given_with(l->given, TV_COLUMN_RATING, c->name, with, sizeof with), tv_shell_word(word, sizeof word, c->name));
    }
    return TV_OK;
}

/* Whether a column may say what kind of event each line is: by its name; or, where there are no names, by having a few words. */
static int may_be_kind(const struct looking *l, int i)
{
    const struct tv_sample_column *c = &l->sample->columns[i];
    const struct tv_field name = {c->name, strlen(c->name)};
    if (tv_columns_meaning(&l->found->columns, i) != TV_COLUMN_NONE)
        return 0;
    if (l->found->has_header)
        return tv_columns_names_kind(&name);
    return tv_sample_numbers(c) == 0 && c->n_words > 0 && c->n_words < TV_SAMPLE_WORDS && c->times[TV_TIME_UNKNOWN] == c->n;
}

/* Chooses the column whose values are gathered while the file is read, because events of several kinds, seen, put into the cart and bought,
 * are counted as one and the same. --columns rating=none does not say that this is meant: it is typed because of another column, too. */
static void find_kinds(struct looking *l)
{
    struct tv_events *events = &l->set->events;
    int several = 0;
    for (int i = 0; l->set->counts && !several && i < l->sample->n; i++) {
        const struct tv_sample_column *c = &l->sample->columns[i];
        if (!may_be_kind(l, i))
            continue;
        several = c->n_words > 1 || c->low < c->high;
        if (events->column >= 0 && !several)
            continue;
        events->column = i;
        snprintf(events->name, sizeof events->name, "%s%s", l->found->has_header ? "" : "column ", c->name);
    }
}

static int has_column(const struct looking *l, const char *name)
{
    for (int i = 0; i < l->sample->n; i++)
        if (strcasecmp(l->sample->columns[i].name, name) == 0)
            return 1;
    return 0;
}

/* Whether 0 is said of what nobody rated: Book-Crossing's word for seen, Anime's of later years, Goodreads', and Food.com's of reviews
 * without stars. */
static int zero_is_unrated(const struct looking *l, const struct tv_sample_column *rating)
{
    const struct tv_sample_column *item = column_of(l, TV_COLUMN_ITEM);
    return rating->low >= 1 && (strcasecmp(rating->name, "Book-Rating") == 0 || strcasecmp(rating->name, "book_rating") == 0 ||
                                has_column(l, "is_read") ||
                                (item && (strcasecmp(item->name, "anime_id") == 0 || strcasecmp(item->name, "recipe_id") == 0)));
}

/* Each line is one play, whatever its rating says. */
static enum tv_status take_as_plays(struct looking *l)
{
    l->found->columns.at[TV_COLUMN_RATING] = -1;
    l->found->kind = &tv_kind_given_plays;
    l->set->counts = 1;
    return TV_OK;
}

/* Values that say that there is no rating: what becomes of their lines has to be said. On a scale of -1 and 1 they say
 * something else. */
static enum tv_status understand_unrated(struct looking *l, struct tv_error *err)
{
    const struct tv_sample_column *c = column_of(l, TV_COLUMN_RATING);
    const char *choice = l->choices->unrated;
    char low[TV_TEXT_FLOAT], high[TV_TEXT_FLOAT];
    char n[64];
    l->found->forms.absent_left_out = strcmp(choice, "drop") == 0;
    int has_others = c && c->low <= c->high;
    if (c == NULL || strcmp(choice, "keep") == 0)
        return TV_OK;
    if (strcmp(choice, "plays") == 0)
        return take_as_plays(l);
    if (has_others && (c->low < 0 || c->high <= 1))
        return TV_OK;
    int zero = zero_is_unrated(l, c) && c->minus_one == 0;
    long long unrated = zero ? c->zero : c->minus_one;
    char rows[64];
    struct tv_forms *forms = &l->found->forms;
    if (strcmp(choice, "drop") == 0) {
        forms->unrated = TV_UNRATED_LEFT_OUT;
        forms->unrated_value = zero ? 0 : -1;
        return TV_OK;
    }
    if (unrated == 0) {
        forms->unrated = l->sample->rows == TV_SAMPLE_ROWS ? TV_UNRATED_REFUSED : TV_UNRATED_IS_RATING;
        forms->unrated_value = zero ? 0 : -1;
        return TV_OK;
    }
    if (has_others)
        tv_fail(err, TV_ERR_INPUT, "in the column %s %s %d, which is no rating like the others (%s to %s)", c->name,
                tv_text_are(n, unrated, "value"), zero ? 0 : -1, tv_text_float(low, c->low), tv_text_float(high, c->high));
    else
        tv_fail(err, TV_ERR_INPUT, "in the column %s %s %d, which says that there is no rating, and no other is among the first %s", c->name,
                tv_text_are(n, unrated, "value"), zero ? 0 : -1, tv_text_count(rows, l->sample->rows, "line"));
    return tv_hint(err, "--unrated drop leaves these lines out, --unrated plays takes every line of the file as one play, "
                        "--unrated keep takes %d as a rating", zero ? 0 : -1);
}

/* --- times ------------------------------------------------------------------------------------------------------ */

/* What can be done about times; --columns speaks of the ratings alone. */
static unsigned hint_time(const struct looking *l, struct tv_error *err)
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
static enum tv_status understand_order(struct looking *l, const struct tv_sample_column *c, struct tv_error *err)
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
static enum tv_status understand_time(struct looking *l, struct tv_error *err)
{
    const struct tv_sample_column *c = column_of(l, TV_COLUMN_TIME);
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

/* --- ids -------------------------------------------------------------------------------------------------------- */

/* Whether the file's numbers have decimal commas, or decimal points, as --decimal or its values say. */
static int has_decimal(const struct looking *l, const char *sign)
{
    const struct tv_found *found = l->found;
    const struct tv_sample_column *ratings = column_of(l, TV_COLUMN_RATING), *plays = column_of(l, TV_COLUMN_PLAYS);
    const struct tv_sample_column *values = ratings ? ratings : plays;
    const char *decimal = l->choices->decimal ? l->choices->decimal : "auto";
    int comma = strcmp(sign, "comma") == 0;
    if (strcmp(decimal, "auto") != 0)
        return strcmp(decimal, sign) == 0;
    if (comma)
        return found->forms.value == TV_NUMBER_DECIMAL_COMMA || found->forms.value == TV_NUMBER_POINT_GROUPS;
    return values && values->fractions > 0 && found->forms.value != TV_NUMBER_DECIMAL_COMMA;
}

/* How the numbers of a column of ids are written. Points divide thousands where no id and no rating says otherwise, and one shows it: 1.001
 * is no whole number else, and nobody writes 1.000 for 1 beside 2 and 3. Only where all ids have such a point and three zeros are they
 * whole numbers with a fraction; beside ratings with decimal commas nobody knows, and *doubt is 1. */
static enum tv_id_form id_form_of(const struct looking *l, const struct tv_sample_column *c, int *doubt)
{
    int comma = has_decimal(l, "comma"), point = has_decimal(l, "point");
    long long by_commas = c->commas[TV_NUMBER_GROUPS] + c->commas[TV_NUMBER_EITHER], by_points = c->grouped + c->point_groups;
    *doubt = 0;
    if (by_commas > 0) {
        *doubt = comma && 2 * by_commas > c->n;
        return comma || c->commas[TV_NUMBER_DECIMAL] > 0 ? TV_ID_CLEAR : TV_ID_COMMA_GROUPS;
    }
    int shown = c->point_groups + c->uneven + c->pointless > 0;
    int may_be = !point && c->fractions == 0 && c->long_ones == 0 && (comma || strcmp(l->found->dialect.separator, ";") == 0);
    if (by_points > 0 && may_be && shown)
        return TV_ID_POINT_GROUPS;
    if (by_points > 0 && !comma && !shown)
        return TV_ID_FRACTIONS;
    *doubt = 2 * by_points > c->n;
    return TV_ID_CLEAR;
}

static enum tv_status refuse_doubtful(const struct tv_sample_column *c, enum tv_column meaning, struct tv_error *err)
{
    tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds ids such as %s, which could be thousands or a fraction, and nothing that shows "
                               "which", c->name, tv_columns_word(meaning), c->either);
    return tv_hint(err, "write them without that sign; --ids codes takes all ids as text, as they stand there");
}

/* Book numbers are text, though most of them look like integers: a zero in front counts, and some end in X. */
static int is_text_by_name(const struct tv_sample_column *c)
{
    return strcasecmp(c->name, "isbn") == 0 || strcasecmp(c->name, "asin") == 0 || strcasecmp(c->name, "parent_asin") == 0;
}

/* With "auto" more than half of the ids must be text: a few damaged ids among integers must be refused as such, and not turn
 * a set of numbers into one of codes. Where they are neither few nor most, nobody but the user knows. */
static enum tv_status understand_ids(struct looking *l, enum tv_code_kind kind, struct tv_error *err)
{
    enum { MANY = 20, ONE_IN = 50 };
    static const enum tv_column of_kind[TV_CODE_KINDS] = {
        [TV_CODE_USER] = TV_COLUMN_USER, [TV_CODE_ITEM] = TV_COLUMN_ITEM};
    const struct tv_sample_column *c = column_of(l, of_kind[kind]);
    const char *choice = l->choices->ids;
    struct tv_set *set = l->set;
    char n[32], rows[32];
    if (c == NULL)
        return TV_OK;
    if (2 * c->quoted_inside > set->n_sampled) {
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds ids such as %s, whose quotes would be part of them", c->name,
                tv_columns_word(of_kind[kind]), c->odd);
        return tv_hint(err, "take out what stands before the quotes: sed -E 's/(^|,)[ =]+\"/\\1\"/g'");
    }
    if (2 * c->single_quoted > set->n_sampled) {
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds ids such as %s, whose quotes would be part of them", c->name,
                tv_columns_word(of_kind[kind]), c->odd);
        return tv_hint(err, "write double quotes, or none: tr -d \"'\" takes all out");
    }
    if (ONE_IN * c->not_utf8 > set->n_sampled && 2 * (c->not_utf8 + c->texts) > set->n_sampled) {
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds ids that are no UTF-8, such as \"%s\"", c->name,
                tv_columns_word(of_kind[kind]), c->first_not_utf8);
        return tv_hint(err, "write the file as UTF-8: iconv -f ISO-8859-1 -t UTF-8, or from whatever encoding it has");
    }
    if (2 * c->rounded > set->n_sampled) {
        const struct tv_field rounded = {c->first_rounded, strlen(c->first_rounded)};
        int is_fraction = tv_number_has_lost_digits(&rounded);
        tv_fail(err, TV_ERR_INPUT, "the column %s, the %s, holds ids such as %s: %s has rounded them, and different ones have become "
                                   "the same", c->name, tv_columns_word(of_kind[kind]), c->first_rounded,
                is_fraction ? "a program that took them for fractions" : "a spreadsheet");
        return tv_hint(err, is_fraction ? "write the ids as whole numbers or text where the file is made: dtype=\"Int64\" in pandas"
                                        : "load the file as it was before a spreadsheet saved it");
    }
    int doubt;
    l->found->forms.ids[kind] = id_form_of(l, c, &doubt);
    long long texts = c->texts - (l->found->forms.ids[kind] == TV_ID_POINT_GROUPS ? c->point_texts : 0);
    int by_name = (is_text_by_name(c) && texts + c->zero_led > 0) || (kind == TV_CODE_ITEM && l->found->text_items);
    int is_auto = strcmp(choice, "auto") == 0;
    set->n_texts[kind] = texts;
    set->codes[kind] = strcmp(choice, "codes") == 0 || (is_auto && (by_name || 2 * texts > set->n_sampled));
    if (!set->codes[kind] && doubt)
        return refuse_doubtful(c, of_kind[kind], err);
    if (!is_auto || set->codes[kind] || texts < MANY || ONE_IN * texts < set->n_sampled)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "in the column %s, the %s, %s of the first %s ids are no integers, such as \"%s\"", c->name,
            tv_columns_word(of_kind[kind]), tv_text_number(n, texts), tv_text_number(rows, set->n_sampled), c->odd);
    return tv_hint(err, "--ids codes takes all of them as text, --ids numbers refuses the lines with these");
}

/* --- files ------------------------------------------------------------------------------------------------------ */

/* A header of fewer names than the lines have fields, as R writes it, would shift every field. */
static enum tv_status check_width(const struct looking *l, struct tv_error *err)
{
    char all[320];
    if (!l->found->has_header || l->sample->odd_rows <= l->sample->rows)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "its header has %d columns, %s, and most lines have %d fields", l->sample->n,
            all_columns(l, all, sizeof all), l->sample->odd_fields);
    return tv_hint(err, "write a header with a name for each field");
}

/* Appends to what is said of the file, as far as there is room. */
__attribute__((format(printf, 2, 3))) static void say(struct tv_found *found, const char *format, ...)
{
    size_t n = strlen(found->how), size = sizeof found->how;
    va_list list;
    va_start(list, format);
    tv_text_mark_cut(found->how + n, size - n, vsnprintf(found->how + n, size - n, format, list));
    va_end(list);
}

/* Says which column is what, how its values are written where that is not plain, and which have no meaning. */
static void describe(const struct looking *l)
{
    struct tv_found *found = l->found;
    const struct tv_forms *forms = &found->forms;
    const char *divider = ", with ";
    const struct tv_sample_column *time = column_of(l, TV_COLUMN_TIME);
    if (time)
        snprintf(found->time, sizeof found->time, "%s%s", found->has_header ? "" : "column ", time->name);
    if (found->layout)
        say(found, ", without a header, read as %s", found->layout);
    for (int m = TV_COLUMN_NONE + 1; m < TV_COLUMN_COUNT && !found->layout; m++) {
        const struct tv_sample_column *c = column_of(l, (enum tv_column)m);
        if (c == NULL)
            continue;
        say(found, "%s%s=%s", divider, tv_columns_word((enum tv_column)m), c->name);
        divider = ", ";
    }
    if (found->columns.at[TV_COLUMN_TIME] >= 0 && forms->time != TV_TIME_SECONDS)
        say(found, "; times are %s", tv_time_form_name(forms->time));
    if (forms->order_shown_by)
        say(found, ", as %s shows", column_of(l, TV_COLUMN_TIME)->dates[forms->time]);
    if (forms->value == TV_NUMBER_POINT_GROUPS)
        say(found, "; numbers such as 1.234,5 are read as 1234.5");
    else if (forms->value != TV_NUMBER_PLAIN)
        say(found, "; numbers such as 1,234 are read as %s", forms->value == TV_NUMBER_THOUSANDS ? "1234" : "1.234");
    for (int kind = 0; kind < TV_CODE_KINDS; kind++)
        if (!l->set->codes[kind] && (forms->ids[kind] == TV_ID_POINT_GROUPS || forms->ids[kind] == TV_ID_COMMA_GROUPS))
            say(found, "; %s such as 1%c234 are read as 1234", kind == TV_CODE_USER ? "users" : "items",
                forms->ids[kind] == TV_ID_POINT_GROUPS ? '.' : ',');
    divider = "; not used: ";
    for (int i = 0; found->has_header && i < l->sample->n; i++)
        if (tv_columns_meaning(&found->columns, i) == TV_COLUMN_NONE && l->sample->columns[i].name[0]) {
            say(found, "%s%s", divider, l->sample->columns[i].name);
            divider = ", ";
        }
}

/* Takes the meaning from columns that no load of ratings reads: a count beside a rating, the title of a review. */
static void drop_unread(struct tv_found *found)
{
    static const enum tv_column beside[] = {TV_COLUMN_TITLE, TV_COLUMN_YEAR, TV_COLUMN_GENRES, TV_COLUMN_IMDB, TV_COLUMN_TMDB,
                                            TV_COLUMN_TAG};
    int *at = found->columns.at;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        at[beside[i]] = -1;
    if (at[TV_COLUMN_RATING] >= 0 && at[TV_COLUMN_PLAYS] >= 0)
        at[found->kind->counts ? TV_COLUMN_RATING : TV_COLUMN_PLAYS] = -1;
}

static enum tv_status understand_ratings(struct looking *l, struct tv_error *err)
{
    drop_unread(l->found);
    enum tv_status status = check_width(l, err);
    l->set->n_sampled = l->sample->rows < TV_SAMPLE_IDS ? l->sample->rows : TV_SAMPLE_IDS;
    if (status == TV_OK)
        status = understand_value(l, TV_COLUMN_PLAYS, err);
    if (status == TV_OK)
        status = understand_value(l, TV_COLUMN_RATING, err);
    if (status == TV_OK)
        status = understand_rest(l, err);
    if (status == TV_OK)
        status = understand_unrated(l, err);
    if (status == TV_OK)
        status = understand_time(l, err);
    if (status == TV_OK)
        status = understand_ids(l, TV_CODE_USER, err);
    if (status == TV_OK)
        status = understand_ids(l, TV_CODE_ITEM, err);
    if (status == TV_OK)
        find_kinds(l);
    describe(l);
    return status;
}

/* A file whose items are other things than the ratings' is not used: its numbers would be those of anything. 1 if it is such. */
static int leave_out(struct looking *l, const char *item)
{
    struct tv_set *set = l->set;
    const struct tv_sample_column *c = column_of(l, TV_COLUMN_ITEM);
    if (item == NULL || c == NULL || !l->found->has_header || l->found->kind->item || l->found->columns.rival[TV_COLUMN_ITEM] >= 0)
        return 0;
    const struct tv_field ours = {item, strlen(item)}, theirs = {c->name, strlen(c->name)};
    if (tv_columns_may_be_one(&ours, &theirs))
        return 0;
    if (set->unlike[0] == '\0')
        snprintf(set->unlike, sizeof set->unlike, "%.120s is not used: it speaks of %s, and the ratings of %s. Where these are the same, give the "
                 "two columns one name", l->found->file->label, c->name, item);
    if (set->n_ignored < sizeof set->ignored / sizeof *set->ignored)
        set->ignored[set->n_ignored++] = l->found->file->label;
    *l->found = (struct tv_found){.file = NULL};
    return 1;
}

/* Of a file beside the ratings, the item's column is the one that has the same name there, and its ids are written alike. */
static enum tv_status understand_beside(struct looking *l, const char *item, struct tv_error *err)
{
    struct tv_columns *columns = &l->found->columns;
    for (int i = 0; l->found->has_header && item && l->found->kind->item == NULL && i < l->sample->n; i++)
        if (strcasecmp(l->sample->columns[i].name, item) == 0) {
            columns->at[TV_COLUMN_ITEM] = i;
            columns->rival[TV_COLUMN_ITEM] = -1;
        }
    if (leave_out(l, item))
        return TV_OK;
    enum tv_status status = l->found->kind->role == TV_ROLE_TAGS ? understand_time(l, err) : TV_OK;
    describe(l);
    if (columns->rival[TV_COLUMN_ITEM] < 0 || status != TV_OK)
        return status;
    tv_fail(err, TV_ERR_INPUT, "both %s and %s could be the item", l->sample->columns[columns->at[TV_COLUMN_ITEM]].name,
            l->sample->columns[columns->rival[TV_COLUMN_ITEM]].name);
    return tv_hint(err, "leave the one out that is not the item of the ratings, or the file");
}

/* A look at one file of the set. What describes items is read by the names of its columns alone. */
static enum tv_status look(struct looking *l, enum tv_role role, struct tv_error *err)
{
    int by_values = role == TV_ROLE_RATINGS || role == TV_ROLE_TAGS;
    l->found = &l->set->chosen[role];
    return tv_sample_take(&l->sample, l->set->input, l->found, by_values ? TV_SAMPLE_ROWS : 1, err);
}

/* Files that are read by place, or by readers that look for their columns themselves, are not looked at. */
static int has_columns(const struct tv_found *found)
{
    return tv_found_by_columns(found) || (found->file && found->kind->read == tv_read_names);
}

enum tv_status tv_understand(struct tv_set *set, const struct tv_choices *choices, const struct tv_given *given,
                             struct tv_error *err)
{
    struct looking l = {.set = set, .choices = choices, .given = given};
    char item[TV_SAMPLE_TEXT];
    enum tv_status status = look(&l, TV_ROLE_RATINGS, err);
    if (status != TV_OK)
        return status;
    status = understand_ratings(&l, err);
    const struct tv_sample_column *c = column_of(&l, TV_COLUMN_ITEM);
    int named = c && l.found->has_header;
    tv_text_copy(item, sizeof item, named ? c->name : "");
    free(l.sample);
    for (int role = TV_ROLE_RATINGS + 1; role < TV_ROLE_COUNT && status == TV_OK; role++) {
        if (!has_columns(&set->chosen[role]))
            continue;
        status = look(&l, (enum tv_role)role, err);
        if (status != TV_OK)
            return status;
        status = understand_beside(&l, named ? item : NULL, err);
        memcpy(l.found->forms.ids, set->chosen[TV_ROLE_RATINGS].forms.ids, sizeof l.found->forms.ids);
        free(l.sample);
    }
    return status == TV_OK ? TV_OK : tv_context(err, "%s", l.found->file->label);
}
