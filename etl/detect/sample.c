/* sample: counts what the fields of the first records can be. */
#include "etl/detect/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "etl/formats/encoding.h"
#include "trivet/base/code.h"
#include "trivet/base/text.h"

/* A field as it can be shown anywhere, cut to what fits. */
static void show(char *out, const struct tv_field *f)
{
    struct tv_buffer text = TV_BUFFER_INIT(4 * TV_SAMPLE_TEXT + 16);
    *out = '\0';
    if (tv_encoding_printable(&text, f->text, f->n, TV_SAMPLE_TEXT - 1, NULL) == TV_OK)
        tv_text_copy(out, TV_SAMPLE_TEXT, tv_buffer_string(&text));
    tv_buffer_free(&text);
}

/* Widens the range of the column's values; -1 and 0 may say that there is none. */
static void add_to_range(struct tv_sample_column *c, float value)
{
    if (value == -1 || value == 0)
        return;
    if (c->low > c->high)
        c->low = c->high = value;
    else if (value < c->low)
        c->low = value;
    else if (value > c->high)
        c->high = value;
}

/* A plain number. */
static void add_number(struct tv_sample_column *c, const struct tv_field *f, float value)
{
    int points = tv_number_points(f);
    c->numbers++;
    c->minus_one += value == -1;
    c->zero += value == 0;
    int64_t id;
    c->fractions += points == TV_NUMBER_DECIMAL;
    c->grouped += points == TV_NUMBER_EITHER;
    c->uneven += points == TV_NUMBER_EITHER && tv_number_id(f, &id, NULL) != TV_OK;
    c->pointless += points == TV_NUMBER_NO_COMMA;
    c->long_ones += points == TV_NUMBER_NO_COMMA && (value >= 1000 || value <= -1000);
    if (points == TV_NUMBER_EITHER && c->either[0] == '\0')
        show(c->either, f);
    if (points == TV_NUMBER_DECIMAL && c->fraction[0] == '\0')
        show(c->fraction, f);
    add_to_range(c, value);
}

/* A number with commas, or with groups divided by points. Whichever it is, its range is of no other side of 0 and 1. */
static void add_written(struct tv_sample_column *c, const struct tv_field *f, int commas)
{
    char text[TV_NUMBER_MAX_TEXT];
    struct tv_field plain;
    float value;
    int points = tv_number_points(f) == TV_NUMBER_GROUPS;
    c->point_groups += points;
    c->commas[commas] += !points && commas != TV_NUMBER_NO_COMMA;
    if ((commas == TV_NUMBER_EITHER || points) && c->either[0] == '\0')
        show(c->either, f);
    if (!points && commas == TV_NUMBER_GROUPS && c->divided[0] == '\0')
        show(c->divided, f);
    if (!points && commas == TV_NUMBER_DECIMAL && c->by_comma[0] == '\0')
        show(c->by_comma, f);
    enum tv_number_form form = points                         ? TV_NUMBER_POINT_GROUPS
                               : commas == TV_NUMBER_GROUPS ? TV_NUMBER_THOUSANDS
                                                              : TV_NUMBER_DECIMAL_COMMA;
    if (!tv_number_plain(form, f, text, sizeof text, &plain) || tv_number_rating(&plain, &value, NULL) != TV_OK)
        return;
    c->minus_one += value == -1;
    c->zero += value == 0;
    add_to_range(c, value);
}

/* A text that says yes or no. */
static int is_yes_or_no(const struct tv_field *f)
{
    static const char *const words[] = {"true", "false", "yes", "no", "like", "dislike"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (f->n == strlen(words[i]) && strncasecmp(f->text, words[i], f->n) == 0)
            return 1;
    return 0;
}

/* A number with something behind it that makes it a mark: "85%", "4/5", "4 stars". */
static int is_mark(const struct tv_field *f)
{
    static const char *const units[] = {"%", "/5", "/10", "/100", "star", "stars", "points"};
    size_t i = 0;
    while (i < f->n && ((f->text[i] >= '0' && f->text[i] <= '9') || f->text[i] == '.' || f->text[i] == ','))
        i++;
    size_t digits = i;
    while (i < f->n && f->text[i] == ' ')
        i++;
    for (size_t u = 0; u < sizeof units / sizeof *units && digits > 0; u++)
        if (f->n - i == strlen(units[u]) && strncasecmp(f->text + i, units[u], f->n - i) == 0)
            return 1;
    return 0;
}

/* Whether quotes are part of the value, because a blank, or Excel's sign of a formula, stands before them: ="001". */
static int is_quoted_inside(const struct tv_field *f)
{
    size_t i = f->n > 0 && f->text[0] == '=';
    while (i < f->n && f->text[i] == ' ')
        i++;
    return i > 0 && i + 1 < f->n && f->text[i] == '"' && f->text[f->n - 1] == '"';
}

/* Whether an integer is written with zeros in front that a number would lose. */
static int has_leading_zero(const struct tv_field *f)
{
    return f->n > 1 && f->text[0] == '0' && f->text[1] >= '0' && f->text[1] <= '9';
}

/* Most columns of text are full after a few lines. */
static void add_word(struct tv_sample_column *c, const struct tv_field *f)
{
    char word[TV_SAMPLE_TEXT];
    if (c->n_words == TV_SAMPLE_WORDS)
        return;
    show(word, f);
    for (int i = 0; i < c->n_words; i++)
        if (strcmp(c->words[i], word) == 0)
            return;
    tv_text_copy(c->words[c->n_words++], TV_SAMPLE_TEXT, word);
}

/* Keeps the first date of each form; of those that could be read in two ways one that is not the same day in both. */
static void add_date(struct tv_sample_column *c, const struct tv_field *f, enum tv_time_form form)
{
    int64_t day = 0, month = 0;
    int either = form == TV_TIME_EITHER_FIRST && tv_time_read(TV_TIME_DAY_FIRST, f, &day, NULL) == TV_OK &&
                 tv_time_read(TV_TIME_MONTH_FIRST, f, &month, NULL) == TV_OK;
    if (c->dates[form][0] == '\0' || (either && !c->two_days && day != month))
        show(c->dates[form], f);
    c->two_days |= either && day != month;
    if (form == TV_TIME_TEXT)
        return;
    if (c->divider == 0)
        c->divider = tv_time_divider(f);
    else if (c->odd_divider[0] == '\0' && c->divider != tv_time_divider(f))
        show(c->odd_divider, f);
}

static void add_field(struct tv_sample_column *c, const struct tv_field *f, int may_be_id)
{
    float value;
    int64_t id;
    int commas = tv_number_commas(f);
    if (may_be_id) {
        int integer = tv_number_id(f, &id, NULL) == TV_OK;
        int grouped = commas == TV_NUMBER_GROUPS || commas == TV_NUMBER_EITHER || tv_number_is_whole_by_comma(f);
        int points = tv_number_points(f);
        int text = !integer && !grouped && tv_code_refusal(f->text, f->n) == NULL;
        c->texts += text;
        c->point_texts += text && (points == TV_NUMBER_EITHER || (points == TV_NUMBER_GROUPS && commas == TV_NUMBER_NO_COMMA));
        c->zero_led += integer && has_leading_zero(f);
        c->quoted_inside += is_quoted_inside(f);
        c->single_quoted += f->n > 2 && f->text[0] == '\'' && f->text[f->n - 1] == '\'';
        if (!tv_text_is_utf8(f->text, f->n) && c->not_utf8++ == 0)
            show(c->first_not_utf8, f);
        if ((tv_number_is_rounded(f) || tv_number_has_lost_digits(f)) && c->rounded++ == 0)
            show(c->first_rounded, f);
    }
    if (tv_number_is_absent(f)) {
        c->absent++;
        return;
    }
    c->n++;
    long long numbers = tv_sample_numbers(c);
    int number = tv_number_rating(f, &value, NULL) == TV_OK;
    if (number)
        add_number(c, f, value);
    else
        add_written(c, f, commas);
    if (tv_sample_numbers(c) == numbers)
        add_word(c, f);
    if (c->odd[0] == '\0' && c->n > tv_sample_numbers(c))
        show(c->odd, f);
    c->marks += !number && (is_yes_or_no(f) || is_mark(f));
    enum tv_time_form form = tv_time_form_of(f);
    c->times[form]++;
    if (tv_time_is_date(form))
        add_date(c, f, form);
    if (form == TV_TIME_UNKNOWN && c->odd_time[0] == '\0')
        show(c->odd_time, f);
    if (tv_time_is_calendar(f) && c->calendars++ == 0)
        show(c->calendar, f);
}

/* The names of the columns, and how many there are. */
static void begin(struct tv_sample *s, const struct tv_found *found, const struct tv_record *first)
{
    s->n = first->n;
    for (int i = 0; i < s->n; i++) {
        s->columns[i].low = 1;
        if (found->has_header)
            show(s->columns[i].name, &first->fields[i]);
        else
            snprintf(s->columns[i].name, TV_SAMPLE_TEXT, "%d", i + 1);
    }
}

static void add_record(struct tv_sample *s, const struct tv_record *record)
{
    if (record->n != s->n) {
        if (s->odd_rows++ == 0)
            s->odd_fields = record->n;
        return;
    }
    for (int i = 0; i < s->n; i++)
        add_field(&s->columns[i], &record->fields[i], s->rows < TV_SAMPLE_IDS);
    s->rows++;
}

static enum tv_status read_sample(struct tv_sample *s, const struct tv_found *found, long long rows,
                                  struct tv_records *records, struct tv_error *err)
{
    struct tv_record *record;
    while (s->rows + s->odd_rows < rows) {
        enum tv_status status = tv_records_next(records, &record, err);
        if (status != TV_OK || record == NULL)
            return status;
        int usable = record->reason == NULL && record->n >= found->columns.least;
        int first = s->n == 0 && record->reason == NULL && (found->has_header || usable);
        if (first)
            begin(s, found, record);
        if (s->n > 0 && record->reason == NULL && !(first && found->has_header))
            add_record(s, record);
    }
    return TV_OK;
}

enum tv_status tv_sample_take(struct tv_sample **out, const struct tv_input *input, const struct tv_found *found,
                              long long rows, struct tv_error *err)
{
    struct tv_byte_source *source = NULL;
    struct tv_records *records = NULL;
    struct tv_sample *s = tv_alloc(1, sizeof *s, "a look at a file", err);
    *out = NULL;
    if (s == NULL)
        return TV_ERR_NO_MEMORY;
    enum tv_status status = tv_byte_source_open(&source, input, found->file, err);
    if (status == TV_OK)
        status = tv_records_open(&records, source, &found->dialect, err);
    if (status == TV_OK)
        status = read_sample(s, found, rows, records, err);
    tv_records_close(records);
    if (status != TV_OK) {
        free(s);
        return tv_context(err, "%s", found->file->name);
    }
    *out = s;
    return TV_OK;
}

const struct tv_sample_column *tv_sample_of(const struct tv_sample *s, const struct tv_columns *columns, enum tv_column meaning)
{
    int at = columns->at[meaning];
    return at >= 0 && at < s->n ? &s->columns[at] : NULL;
}

const char *tv_sample_names(const struct tv_sample *s, char *out, size_t size)
{
    size_t n = 0;
    *out = '\0';
    for (int i = 0; i < s->n && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "", s->columns[i].name[0] ? s->columns[i].name : "\"\"");
    return tv_text_mark_cut(out, size, (int)n);
}

long long tv_sample_numbers(const struct tv_sample_column *c)
{
    return c->numbers + c->point_groups + c->commas[TV_NUMBER_GROUPS] + c->commas[TV_NUMBER_DECIMAL] + c->commas[TV_NUMBER_EITHER];
}

long long tv_sample_years_last(const struct tv_sample_column *c)
{
    return c->times[TV_TIME_DAY_FIRST] + c->times[TV_TIME_MONTH_FIRST] + c->times[TV_TIME_EITHER_FIRST];
}

const char *tv_sample_type(const struct tv_sample_column *c)
{
    if (c->n == 0)
        return "empty";
    if (2 * tv_sample_numbers(c) > c->n)
        return "numbers";
    return 2 * (c->times[TV_TIME_TEXT] + tv_sample_years_last(c)) > c->n ? "dates" : "text";
}
