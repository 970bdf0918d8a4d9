/* copy_text: writes rows in the text format of COPY (PostgreSQL manual, "COPY", "Text Format"): columns separated by
 * tabs, special characters behind a backslash, \N for null. A column puts a tab behind itself, and the end of the row
 * turns the last tab into a line feed, so no caller has to know which column is the last one.
 */
#include "etl/load/copy_text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trivet/read/number.h"

/* The escape of a character that would end a column or a row, and of the one that escapes; NULL for any other. */
static const char *escape_of(char c)
{
    switch (c) {
    case '\\':
        return "\\\\";
    case '\t':
        return "\\t";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    default:
        return NULL;
    }
}

/* Appends a text; whole runs without special characters at once, for most texts have none. */
static enum tv_status escaped(struct tv_buffer *out, const char *text, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    while (status == TV_OK && *text) {
        size_t plain = strcspn(text, "\\\t\n\r");
        status = tv_buffer_append(out, text, plain, err);
        text += plain;
        if (status == TV_OK && *text)
            status = tv_buffer_text(out, escape_of(*text++), err);
    }
    return status;
}

enum tv_status tv_copy_text_text(struct tv_buffer *out, const char *text, struct tv_error *err)
{
    enum tv_status status = text ? escaped(out, text, err) : tv_buffer_text(out, "\\N", err);
    return status == TV_OK ? tv_buffer_text(out, "\t", err) : status;
}

enum tv_status tv_copy_text_int(struct tv_buffer *out, int64_t value, int is_null, struct tv_error *err)
{
    return is_null ? tv_buffer_text(out, "\\N\t", err)
                   : tv_buffer_format(out, err, "%lld\t", (long long)value);
}

/* Writes a moment of UTC with its offset, so that the session's time zone plays no part. Division rounds towards zero,
 * and a moment before 1970 with a fraction belongs to the second before: -0.5 s is 23:59:59.5. */
enum tv_status tv_copy_text_time(struct tv_buffer *out, int64_t microseconds, struct tv_error *err)
{
    if (microseconds == TV_NUMBER_NO_TIME)
        return tv_buffer_text(out, "\\N\t", err);
    int64_t seconds = microseconds / 1000000, fraction = microseconds % 1000000;
    if (fraction < 0) {
        fraction += 1000000;
        seconds--;
    }
    /* Postgres has no year 0 and writes the years before 1 as BC. No tag is that old; whether such a time is taken is
     * for tv_number_time and Postgres to decide. */
    struct tm t;
    time_t clock = (time_t)seconds;
    gmtime_r(&clock, &t);
    long year = t.tm_year + 1900L;
    return tv_buffer_format(out, err, "%04ld-%02d-%02d %02d:%02d:%02d.%06d+00%s\t",
                            year > 0 ? year : 1 - year, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
                            t.tm_sec, (int)fraction, year > 0 ? "" : " BC");
}

/* An array's literal has escapes of its own, for quotes and backslashes, and as a whole it is escaped once more for
 * COPY. */
enum tv_status tv_copy_text_array(struct tv_buffer *out, const char *const *texts, int n, int is_null,
                                  struct tv_error *err)
{
    if (is_null)
        return tv_buffer_text(out, "\\N\t", err);
    struct tv_buffer literal = TV_BUFFER_INIT(out->max);
    enum tv_status status = tv_buffer_text(&literal, "{", err);
    for (int i = 0; i < n && status == TV_OK; i++) {
        status = tv_buffer_text(&literal, i ? "," : "", err);
        if (status == TV_OK)
            status = tv_buffer_quoted(&literal, texts[i], strlen(texts[i]), err);
    }
    if (status == TV_OK)
        status = tv_buffer_text(&literal, "}", err);
    if (status == TV_OK)
        status = tv_copy_text_text(out, tv_buffer_string(&literal), err);
    tv_buffer_free(&literal);
    return status;
}

/* Every column has put a tab behind itself; the last one becomes the end of the row. */
enum tv_status tv_copy_text_end(struct tv_buffer *out, struct tv_error *err)
{
    if (out->size == 0)
        return tv_buffer_text(out, "\n", err);
    out->data[out->size - 1] = '\n';
    return TV_OK;
}
