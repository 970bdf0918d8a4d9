/* plays: reads tables of plays (which user played which item how often) and of the names of what was played. A table of
 * plays is any with a header that names a user and an item, and perhaps a count; without a count each row is one play.
 * Names are taken as they are: a name has no year, and its "The" stays where it is.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "etl/formats/item.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"

enum { TEXT_MAX = 3 * TV_RECORD_MAX_BYTES + 16 };

/* --- plays ---------------------------------------------------------------------------------------------- */

/* The column of plays, or, in a file that calls its counts ratings and is read as counts because --format plays-csv says so, that column; -1 in a
 * file with neither. */
static int count_at(const struct tv_columns *c)
{
    return c->at[TV_COLUMN_PLAYS] >= 0 ? c->at[TV_COLUMN_PLAYS] : c->at[TV_COLUMN_RATING];
}

/* The count of a row, 1 in a file without any. */
static enum tv_status count_of(const struct tv_file_reading *reading, const struct tv_columns *c, const struct tv_record *record,
                               float *value, struct tv_error *err)
{
    int at = count_at(c);
    *value = 1;
    enum tv_status status = at >= 0 ? tv_file_reading_value(reading, &record->fields[at], value, err) : TV_OK;
    return status == TV_OK && *value < 0 ? tv_fail(err, TV_ERR_RECORD, "a count below 0") : status;
}

/* The reading, and the lines that are left out. */
struct plays {
    const struct tv_file_reading *reading;
    long long empty;
};

static int has_no_count(const struct tv_file_reading *reading, const struct tv_columns *c, const struct tv_record *record)
{
    int at = count_at(c);
    return at >= 0 && reading->forms.absent_left_out && tv_number_is_absent(&record->fields[at]);
}

/* A play is kept as a rating whose value is the count. */
static enum tv_status play_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                               struct tv_error *err)
{
    struct plays *t = context;
    const struct tv_file_reading *reading = t->reading;
    struct tv_rating_row row = {.time = TV_NUMBER_NO_TIME};
    enum tv_status status =
        tv_file_reading_id(reading, TV_CODE_USER, &record->fields[c->at[TV_COLUMN_USER]], &row.user, err);
    if (status == TV_OK)
        status = tv_file_reading_id(reading, TV_CODE_ITEM, &record->fields[c->at[TV_COLUMN_ITEM]], &row.item, err);
    if (status == TV_OK && has_no_count(reading, c, record)) {
        t->empty++;
        return TV_OK;
    }
    if (status == TV_OK)
        status = count_of(reading, c, record, &row.value, err);
    if (status == TV_OK)
        status = tv_file_reading_time(reading, c, record, &row.time, err);
    if (status == TV_OK)
        status = reading->sink->rating(reading->sink->context, &row, err);
    return status;
}

enum tv_status tv_read_plays(const struct tv_file_reading *reading, struct tv_error *err)
{
    struct tv_columns columns;
    struct plays t = {.reading = reading};
    char lines[64];
    enum tv_status status = tv_file_reading_run(reading, &columns, play_row, NULL, &t, err);
    if (status == TV_OK && t.empty > 0)
        tv_log_info("%s: %s left out, without a count", reading->file->name, tv_text_are(lines, t.empty, "line"));
    return status;
}

/* --- names ---------------------------------------------------------------------------------------------- */

/* Columns that only some files have, and buffers that are used again for every record. */
struct names {
    const struct tv_file_reading *reading;
    int id, url, picture; /* columns of artists.dat, or -1 */
    struct tv_buffer name, url_text, picture_text;
    struct tv_item_texts item;
};

static void on_header(void *context, const struct tv_record *header)
{
    struct names *t = context;
    t->id = tv_columns_find(header, "id");
    t->url = tv_columns_find(header, "url");
    t->picture = tv_columns_find(header, "pictureURL");
}

/* Reads an optional column. Bytes there that are no text are no reason to lose the name. */
static enum tv_status optional(struct tv_buffer *out, const struct tv_record *record, int column, struct tv_error *err)
{
    tv_buffer_clear(out);
    enum tv_status status = column < 0 ? TV_OK : tv_file_reading_text(out, &record->fields[column], 0, err);
    return status == TV_ERR_RECORD ? TV_OK : status;
}

static const char *or_null(const struct tv_buffer *text)
{
    return text->size > 0 ? tv_buffer_string(text) : NULL;
}

static char *extra_json(const char *url, const char *picture)
{
    json_t *extra = json_object();
    if (url)
        json_object_set_new(extra, "url", json_string(url));
    if (picture)
        json_object_set_new(extra, "picture_url", json_string(picture));
    char *text = json_dumps(extra, JSON_COMPACT);
    json_decref(extra);
    return text;
}

/* In artists.dat the item's column is called "id", by which tv_columns knows no item. A name stays as it is, without the year behind it. */
static enum tv_status name_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                               struct tv_error *err)
{
    struct names *t = context;
    struct tv_item_row row;
    struct tv_columns columns = *c;
    if (columns.at[TV_COLUMN_ITEM] < 0)
        columns.at[TV_COLUMN_ITEM] = t->id;
    struct tv_field name = tv_columns_field(c, record, TV_COLUMN_TITLE);
    enum tv_status status = tv_item_read(&row, &t->item, t->reading, &columns, record, 0, err);
    if (status == TV_OK)
        status = tv_file_reading_text(&t->name, &name, t->reading->latin1, err);
    if (status != TV_OK)
        return status;
    row.title = or_null(&t->name);
    status = optional(&t->url_text, record, t->url, err);
    if (status == TV_OK)
        status = optional(&t->picture_text, record, t->picture, err);
    const char *url = or_null(&t->url_text), *picture = or_null(&t->picture_text);
    char *extra = url || picture ? extra_json(url, picture) : NULL;
    row.extra = extra;
    if (status == TV_OK)
        status = t->reading->sink->item(t->reading->sink->context, &row, err);
    free(extra);
    return status;
}

enum tv_status tv_read_names(const struct tv_file_reading *reading, struct tv_error *err)
{
    struct tv_columns columns;
    struct names t = {.reading = reading,
                      .id = -1,
                      .url = -1,
                      .picture = -1,
                      .name = TV_BUFFER_INIT(TEXT_MAX),
                      .url_text = TV_BUFFER_INIT(TEXT_MAX),
                      .picture_text = TV_BUFFER_INIT(TEXT_MAX),
                      .item = {.genres = TV_BUFFER_INIT(TEXT_MAX)}};
    enum tv_status status = tv_file_reading_run(reading, &columns, name_row, on_header, &t, err);
    tv_buffer_free(&t.name);
    tv_buffer_free(&t.url_text);
    tv_buffer_free(&t.picture_text);
    tv_item_texts_free(&t.item);
    return status;
}
