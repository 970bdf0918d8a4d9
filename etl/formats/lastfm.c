/* lastfm: HetRec's user_taggedartists.dat, where a tag is a number that tags.dat has the word for, and its time is
 * a day, a month and a year, or, in user_taggedartists-timestamps.dat, milliseconds since 1970. Words that are no UTF-8
 * are ISO-8859-1. */
#include <stdlib.h>
#include <time.h>

#include "etl/formats/reader.h"

enum { TEXT_MAX = 3 * TV_RECORD_MAX_BYTES + 16, MAX_WORDS = 1 << 20 };

/* The words by number, and the columns of the file. */
struct tagged {
    const struct tv_file_reading *reading;
    struct tv_buffer words; /* one after the other, each with its NUL */
    size_t *at;             /* (MAX_WORDS) by number: where the word begins + 1; 0: none */
    struct tv_buffer raw;
    int tag, day, month, year, milliseconds; /* columns, or -1 */
};

/* --- tags.dat ------------------------------------------------------------------------------------------- */

/* A line of tags.dat: number and word. */
static enum tv_status word_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                               struct tv_error *err)
{
    (void)c;
    struct tagged *t = context;
    int64_t number;
    enum tv_status status = tv_number_id_written(TV_ID_CLEAR, &record->fields[0], &number, err);
    if (status == TV_OK && (number < 0 || number >= MAX_WORDS))
        status = tv_fail(err, TV_ERR_RECORD, "tag number out of range");
    if (status == TV_OK)
        status = tv_file_reading_text(&t->raw, &record->fields[1], 1, err);
    if (status != TV_OK)
        return status;
    t->at[number] = t->words.size + 1;
    return tv_buffer_append(&t->words, tv_buffer_string(&t->raw), t->raw.size + 1, err);
}

/* tags.dat is read whole before the first tag: MAX_WORDS bounds what a wrong file can ask for. */
static enum tv_status read_words(struct tagged *t, struct tv_error *err)
{
    struct tv_file_reading reading = *t->reading;
    struct tv_columns columns;
    reading.file = t->reading->words;
    reading.columns = NULL;
    return reading.file ? tv_file_reading_run(&reading, &columns, word_row, NULL, t, err) : TV_OK;
}

/* --- user_taggedartists.dat -------------------------------------------------------------------------------- */

static void on_header(void *context, const struct tv_record *header)
{
    struct tagged *t = context;
    t->tag = tv_columns_find(header, "tagID");
    t->day = tv_columns_find(header, "day");
    t->month = tv_columns_find(header, "month");
    t->year = tv_columns_find(header, "year");
    t->milliseconds = tv_columns_find(header, "timestamp");
}

/* Some days of the release are none: the tag stays, without a time. */
static int64_t time_of(const struct tagged *t, const struct tv_record *record)
{
    int64_t day = 0, month = 0, year = 0, milliseconds;
    if (t->milliseconds >= 0)
        return tv_number_id(&record->fields[t->milliseconds], &milliseconds, NULL) == TV_OK && milliseconds >= 0 &&
                       milliseconds < TV_NUMBER_END_SECOND * 1000
                   ? milliseconds * 1000
                   : TV_NUMBER_NO_TIME;
    if (t->day < 0 || t->month < 0 || t->year < 0 || tv_number_id(&record->fields[t->day], &day, NULL) != TV_OK ||
        tv_number_id(&record->fields[t->month], &month, NULL) != TV_OK ||
        tv_number_id(&record->fields[t->year], &year, NULL) != TV_OK)
        return TV_NUMBER_NO_TIME;
    if (day < 1 || day > 31 || month < 1 || month > 12 || year < 1970 || year > 9999)
        return TV_NUMBER_NO_TIME;
    struct tm date = {.tm_mday = (int)day, .tm_mon = (int)month - 1, .tm_year = (int)year - 1900};
    return (int64_t)timegm(&date) * 1000000;
}

/* A tag whose word is not there is refused, since its number means nothing here. */
static enum tv_status tagged_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                                 struct tv_error *err)
{
    struct tagged *t = context;
    const struct tv_file_reading *reading = t->reading;
    struct tv_tag_row row = {.time = time_of(t, record)};
    int64_t number = 0;
    enum tv_status status =
        tv_file_reading_id(reading, TV_CODE_USER, &record->fields[c->at[TV_COLUMN_USER]], &row.user, err);
    if (status == TV_OK)
        status = tv_file_reading_id(reading, TV_CODE_ITEM, &record->fields[c->at[TV_COLUMN_ITEM]], &row.item, err);
    if (status == TV_OK)
        status = tv_number_id_written(TV_ID_CLEAR, &record->fields[t->tag], &number, err);
    if (status == TV_OK && (number < 0 || number >= MAX_WORDS || t->at[number] == 0))
        status = tv_fail(err, TV_ERR_RECORD, "no such tag in tags.dat");
    if (status != TV_OK)
        return status;
    row.tag = t->words.data + t->at[number] - 1;
    return reading->sink->tag(reading->sink->context, &row, err);
}

enum tv_status tv_read_tagged(const struct tv_file_reading *reading, struct tv_error *err)
{
    struct tv_columns columns;
    struct tagged t = {
        .reading = reading, .words = TV_BUFFER_INIT(64 << 20), .raw = TV_BUFFER_INIT(TEXT_MAX), .tag = -1};
    t.at = tv_alloc(MAX_WORDS, sizeof *t.at, "the words of tags", err);
    enum tv_status status = t.at ? read_words(&t, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = tv_file_reading_run(reading, &columns, tagged_row, on_header, &t, err);
    tv_buffer_free(&t.words);
    tv_buffer_free(&t.raw);
    free(t.at);
    return status;
}
