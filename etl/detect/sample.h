/* sample: what the first records of a file hold, column by column. How a file is to be read is decided from it, once, so
 * that nothing has to be decided for each row. */
#ifndef TRIVET_ETL_DETECT_SAMPLE_H
#define TRIVET_ETL_DETECT_SAMPLE_H

#include "etl/detect/detect.h"

enum { TV_SAMPLE_ROWS = 10000, TV_SAMPLE_IDS = 1000, TV_SAMPLE_TEXT = 64, TV_SAMPLE_WORDS = 6 };

/* One column. Fields that are absent (tv_number_is_absent) are in no count but their own. */
struct tv_sample_column {
    char name[TV_SAMPLE_TEXT]; /* from the header, fit to be shown; its number without one */
    char odd[TV_SAMPLE_TEXT];  /* the first value that is no number, fit to be shown */
    char odd_time[TV_SAMPLE_TEXT]; /* the first that is no time in any form */
    char dates[TV_TIME_EITHER_FIRST + 1][TV_SAMPLE_TEXT]; /* the first of each form of dates (tv_time_is_date) */
    int two_days; /* the one in TV_TIME_EITHER_FIRST is not the same day in both ways */
    char divider; /* of the first date with the year last (tv_time_divider); 0: there was none */
    char odd_divider[TV_SAMPLE_TEXT]; /* the first such date with another one */
    char calendar[TV_SAMPLE_TEXT]; /* the first number that is a calendar's (tv_time_is_calendar) */
    long long n, absent, calendars;
    long long numbers;        /* plain ones */
    long long fractions, grouped; /* of these, 4.5, and 1.234, which could be thousands */
    long long pointless, long_ones; /* of the others of these, all, and those of a thousand and more */
    long long uneven;         /* of the grouped, those that are no whole number as fractions: 1.234, and not 1.000 */
    long long commas[5];      /* of the others, by what their commas can be (tv_number_commas) */
    long long point_groups;   /* no plain numbers: 1.234.567 and 1.234,5 */
    char fraction[TV_SAMPLE_TEXT]; /* the first such as 4.5 */
    char divided[TV_SAMPLE_TEXT];  /* the first with commas between groups alone: 1,234,567 */
    char by_comma[TV_SAMPLE_TEXT]; /* the first with a decimal comma alone: 4,5 */
    char either[TV_SAMPLE_TEXT]; /* the first that could be thousands or not: 1,234, or 1.234 */
    long long times[TV_TIME_UNKNOWN + 1];
    long long minus_one, zero;
    long long marks;          /* texts that say what a rating says: yes, dislike, 85%, 4/5 */
    float low, high;          /* of the numbers but -1 and 0; low > high: none */
    char words[TV_SAMPLE_WORDS][TV_SAMPLE_TEXT]; /* the first different values that are no numbers */
    int n_words;              /* TV_SAMPLE_WORDS: these, and perhaps more */
    long long texts;          /* of the first TV_SAMPLE_IDS, those that are no integers but could be codes */
    long long point_texts;    /* of these, those that are integers if points divide thousands: 1.234 */
    long long not_utf8;       /* of the same, those that could be codes if they were UTF-8 */
    char first_not_utf8[TV_SAMPLE_TEXT];
    long long single_quoted;  /* of the same, those in the quotes of SQL: '1' */
    long long quoted_inside;  /* of the same, those whose quotes are part of them */
    long long rounded;        /* of the same, those that have lost digits (tv_number_is_rounded, tv_number_has_lost_digits) */
    char first_rounded[TV_SAMPLE_TEXT];
    long long zero_led;       /* of these, integers that begin with a zero they could do without */
};

struct tv_sample {
    long long rows; /* records with as many fields as the first */
    long long odd_rows; /* records with another number of fields */
    int odd_fields;     /* of the first such record */
    int n;
    struct tv_sample_column columns[TV_RECORD_MAX_FIELDS];
};

/* Reads the first records of a file, TV_SAMPLE_ROWS at most; 1 is enough for the names of its columns. *out is the caller's to
 * free. */
enum tv_status tv_sample_take(struct tv_sample **out, const struct tv_input *input, const struct tv_found *found,
                              long long rows, struct tv_error *err);

/* The column of a meaning; NULL where the file has none. */
const struct tv_sample_column *tv_sample_of(const struct tv_sample *s, const struct tv_columns *columns, enum tv_column meaning);

/* All columns by name, for messages. Returns `out`. */
const char *tv_sample_names(const struct tv_sample *s, char *out, size_t size);

/* How many values are numbers, however they are written. */
long long tv_sample_numbers(const struct tv_sample_column *column);

/* How many values are dates with day and month before the year. */
long long tv_sample_years_last(const struct tv_sample_column *column);

/* What most values of a column are, for people: "whole numbers", "numbers", "dates", "text". */
const char *tv_sample_type(const struct tv_sample_column *column);

#endif
