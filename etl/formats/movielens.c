/* movielens: GroupLens' own formats. Since 2014 they are CSV in UTF-8 with a header; ml-1m and ml-10m
 * have "::" between the fields and no header, ml-1m in ISO-8859-1. A line that is well-formed UTF-8 is taken
 * as such: Latin-1 text with an accent practically never is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "etl/formats/item.h"
#include "etl/formats/title.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"

enum { TEXT_MAX = 3 * TV_RECORD_MAX_BYTES + 16 };

/* What the fields of files without a header are; not all have the time. */
static const enum tv_column of_ratings[] = {TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_RATING, TV_COLUMN_TIME};
static const enum tv_column of_items[] = {TV_COLUMN_ITEM, TV_COLUMN_TITLE, TV_COLUMN_GENRES};
static const enum tv_column of_tags[] = {TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_TAG, TV_COLUMN_TIME};

/* --- ratings -------------------------------------------------------------------------------------------- */

/* The reading, and the lines that say that there is no rating. */
struct ratings {
    const struct tv_file_reading *reading;
    long long left_out, empty;
};

/* Whether a value says that there is no rating. -1 is refused beside 0, too. */
static int is_unrated(const struct tv_file_reading *reading, float value)
{
    const struct tv_forms *forms = &reading->forms;
    return forms->unrated != TV_UNRATED_IS_RATING &&
           (value == forms->unrated_value || (value == -1 && forms->unrated == TV_UNRATED_REFUSED));
}

/* A line that says that there is no rating. */
static enum tv_status without_rating(struct ratings *t, float value, struct tv_error *err)
{
    if (t->reading->forms.unrated == TV_UNRATED_REFUSED)
        return tv_fail(err, TV_ERR_RECORD, value == 0 ? "0 where no rating before is 0 (see --unrated)"
                                                      : "-1 where no rating before is negative (see --unrated)");
    t->left_out++;
    return TV_OK;
}

/* Hands one rating on. */
static enum tv_status rating_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                                 struct tv_error *err)
{
    struct ratings *t = context;
    const struct tv_file_reading *reading = t->reading;
    struct tv_rating_row row = {.time = TV_NUMBER_NO_TIME};
    enum tv_status status =
        tv_file_reading_id(reading, TV_CODE_USER, &record->fields[c->at[TV_COLUMN_USER]], &row.user, err);
    if (status == TV_OK)
        status = tv_file_reading_id(reading, TV_CODE_ITEM, &record->fields[c->at[TV_COLUMN_ITEM]], &row.item, err);
    const struct tv_field *value = &record->fields[c->at[TV_COLUMN_RATING]];
    int is_absent = status == TV_OK && reading->forms.absent_left_out && tv_number_is_absent(value);
    if (status == TV_OK && !is_absent)
        status = tv_file_reading_value(reading, value, &row.value, err);
    if (status == TV_OK)
        status = tv_file_reading_time(reading, c, record, &row.time, err);
    if (is_absent && status == TV_OK) {
        t->empty++;
        return TV_OK;
    }
    if (status == TV_OK && is_unrated(reading, row.value))
        return without_rating(t, row.value, err);
    if (status == TV_OK)
        status = reading->sink->rating(reading->sink->context, &row, err);
    return status;
}

enum tv_status tv_read_ratings(const struct tv_file_reading *reading, struct tv_error *err)
{
    struct tv_columns columns;
    struct ratings t = {.reading = reading};
    char n[64];
    tv_columns_in_order(&columns, of_ratings, 4, 3);
    enum tv_status status = tv_file_reading_run(reading, &columns, rating_row, NULL, &t, err);
    if (status == TV_OK && t.left_out > 0)
        tv_log_info("%s: %s left out, with no rating but %g", reading->file->name,
                    tv_text_are(n, t.left_out, "line"), (double)reading->forms.unrated_value);
    if (status == TV_OK && t.empty > 0)
        tv_log_info("%s: %s left out, without a rating", reading->file->name, tv_text_are(n, t.empty, "line"));
    return status;
}

/* --- items ---------------------------------------------------------------------------------------------- */

/* Buffers that are used again for every record. */
struct texts {
    const struct tv_file_reading *reading;
    struct tv_buffer raw, title;
    struct tv_item_texts item;
};

static enum tv_status item_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                               struct tv_error *err)
{
    struct texts *t = context;
    struct tv_item_row row;
    struct tv_field title = tv_columns_field(c, record, TV_COLUMN_TITLE);
    enum tv_status status = tv_item_read(&row, &t->item, t->reading, c, record, 0, err);
    if (status == TV_OK)
        status = tv_file_reading_text(&t->raw, &title, t->reading->latin1, err);
    if (status != TV_OK)
        return status;
    tv_buffer_clear(&t->title);
    status = tv_title_tidy(&t->title, tv_buffer_string(&t->raw), t->raw.size, err);
    row.title = t->title.size > 0 ? tv_buffer_string(&t->title) : NULL;
    row.listed = row.title ? tv_title_listed(tv_buffer_string(&t->raw), row.title) : NULL;
    int in_title = tv_title_year(tv_buffer_string(&t->title), t->title.size);
    if (in_title > 0)
        row.year = in_title;
    if (status == TV_OK)
        status = t->reading->sink->item(t->reading->sink->context, &row, err);
    return status;
}

enum tv_status tv_read_movielens_items(const struct tv_file_reading *reading, struct tv_error *err)
{
    struct tv_columns columns;
    struct texts t = {reading, TV_BUFFER_INIT(TEXT_MAX), TV_BUFFER_INIT(TEXT_MAX), {.genres = TV_BUFFER_INIT(TEXT_MAX)}};
    tv_columns_in_order(&columns, of_items, 3, 3);
    enum tv_status status = tv_file_reading_run(reading, &columns, item_row, NULL, &t, err);
    tv_buffer_free(&t.raw);
    tv_buffer_free(&t.title);
    tv_item_texts_free(&t.item);
    return status;
}

/* --- links ---------------------------------------------------------------------------------------------- */

/* Hands one item's numbers elsewhere on; either of the two may be missing. */
static enum tv_status link_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                               struct tv_error *err)
{
    const struct tv_file_reading *reading = context;
    struct tv_item_row row = {.has_item = 1};
    struct tv_field imdb = tv_columns_field(c, record, TV_COLUMN_IMDB),
                    tmdb = tv_columns_field(c, record, TV_COLUMN_TMDB);
    char id[32];
    enum tv_status status =
        tv_file_reading_id(reading, TV_CODE_ITEM, &record->fields[c->at[TV_COLUMN_ITEM]], &row.item, err);
    if (status == TV_OK)
        status = tv_item_imdb_id(&imdb, id, sizeof id, err);
    if (status == TV_OK && id[0])
        row.imdb_id = id;
    if (status == TV_OK)
        status = tv_item_tmdb_id(&tmdb, &row.tmdb_id, err);
    if (status == TV_OK)
        status = reading->sink->item(reading->sink->context, &row, err);
    return status;
}

enum tv_status tv_read_links(const struct tv_file_reading *reading, struct tv_error *err)
{
    struct tv_columns columns;
    return tv_file_reading_run(reading, &columns, link_row, NULL, (void *)reading, err);
}

/* --- tags ----------------------------------------------------------------------------------------------- */

static enum tv_status tag_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                              struct tv_error *err)
{
    struct texts *t = context;
    struct tv_tag_row row = {.time = TV_NUMBER_NO_TIME};
    enum tv_status status =
        tv_file_reading_id(t->reading, TV_CODE_USER, &record->fields[c->at[TV_COLUMN_USER]], &row.user, err);
    if (status == TV_OK)
        status = tv_file_reading_id(t->reading, TV_CODE_ITEM, &record->fields[c->at[TV_COLUMN_ITEM]], &row.item, err);
    if (status == TV_OK)
        status = tv_file_reading_text(&t->raw, &record->fields[c->at[TV_COLUMN_TAG]], t->reading->latin1, err);
    if (status == TV_OK)
        status = tv_file_reading_time(t->reading, c, record, &row.time, err);
    row.tag = tv_buffer_string(&t->raw);
    if (status == TV_OK)
        status = t->reading->sink->tag(t->reading->sink->context, &row, err);
    return status;
}

enum tv_status tv_read_tags(const struct tv_file_reading *reading, struct tv_error *err)
{
    struct tv_columns columns;
    struct texts t = {.reading = reading, .raw = TV_BUFFER_INIT(TEXT_MAX)};
    tv_columns_in_order(&columns, of_tags, 4, 3);
    enum tv_status status = tv_file_reading_run(reading, &columns, tag_row, NULL, &t, err);
    tv_buffer_free(&t.raw);
    return status;
}
