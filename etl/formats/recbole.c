/* recbole: RecBole's .item files: a header of name:type, tabs between fields, words in a sequence
 * separated by blanks, the year in a column of its own. The ratings (.inter) are read as any table with a
 * header. */
#include <string.h>

#include "etl/formats/item.h"
#include "etl/formats/title.h"

enum { TEXT_MAX = 3 * TV_RECORD_MAX_BYTES + 16 };

/* Buffers that are used again for every record. */
struct items {
    const struct tv_file_reading *reading;
    struct tv_buffer raw, title;
    struct tv_item_texts item;
};

/* "Toy Story" and 1995 -> "Toy Story (1995)" */
static enum tv_status whole_title(struct items *t, struct tv_item_row *row, struct tv_error *err)
{
    tv_buffer_clear(&t->title);
    enum tv_status status = tv_title_tidy(&t->title, tv_buffer_string(&t->raw), t->raw.size, err);
    int in_title = tv_title_year(tv_buffer_string(&t->title), t->title.size);
    struct tv_buffer *both[] = {&t->title, &t->raw};
    for (int i = 0; i < 2 && status == TV_OK && t->title.size > 0 && row->year > 0 && in_title == 0; i++)
        status = tv_buffer_format(both[i], err, " (%d)", row->year);
    if (row->year == 0)
        row->year = in_title;
    row->title = t->title.size > 0 ? tv_buffer_string(&t->title) : NULL;
    row->listed = row->title ? tv_title_listed(tv_buffer_string(&t->raw), row->title) : NULL;
    return status;
}

/* Genres are divided by blanks, as RecBole writes sequences; a genre of two words cannot be told from two genres. */
static enum tv_status item_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                               struct tv_error *err)
{
    struct items *t = context;
    struct tv_item_row row;
    struct tv_field title = tv_columns_field(c, record, TV_COLUMN_TITLE);
    enum tv_status status = tv_item_read(&row, &t->item, t->reading, c, record, 1, err);
    if (status == TV_OK)
        status = tv_file_reading_text(&t->raw, &title, t->reading->latin1, err);
    if (status == TV_OK)
        status = whole_title(t, &row, err);
    if (status == TV_OK)
        status = t->reading->sink->item(t->reading->sink->context, &row, err);
    return status;
}

enum tv_status tv_read_recbole_items(const struct tv_file_reading *reading, struct tv_error *err)
{
    struct tv_columns columns;
    struct items t = {reading, TV_BUFFER_INIT(TEXT_MAX), TV_BUFFER_INIT(TEXT_MAX), {.genres = TV_BUFFER_INIT(TEXT_MAX)}};
    enum tv_status status = tv_file_reading_run(reading, &columns, item_row, NULL, &t, err);
    tv_buffer_free(&t.raw);
    tv_buffer_free(&t.title);
    tv_item_texts_free(&t.item);
    return status;
}
