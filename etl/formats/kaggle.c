/* kaggle: movies_metadata.csv of The Movies Dataset. Its `id` is The Movie Database's number, not MovieLens';
 * links.csv brings the two together later, in Postgres. Genres are Python literals (literal.c).
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "etl/formats/literal.h"
#include "etl/formats/reader.h"
#include "trivet/base/text.h"

enum { TEXT_MAX = 3 * TV_RECORD_MAX_BYTES + 16 };
#define MAX_WHOLE 0x1p53 /* below it a double holds every whole number */

/* The columns that go to trivet.item.extra, and the names they get there. */
static const struct {
    const char *column, *name;
    int is_number;
} kept[] = {
    {"overview", "overview", 0},
    {"tagline", "tagline", 0},
    {"runtime", "runtime", 1},
    {"original_language", "language", 0},
    {"original_title", "original_title", 0},
    {"release_date", "release_date", 0},
    {"homepage", "homepage", 0},
    {"status", "status", 0},
    {"budget", "budget", 1},
    {"revenue", "revenue", 1},
    {"popularity", "popularity", 1},
    {"vote_average", "vote_average", 1},
    {"vote_count", "vote_count", 1},
    {"poster_path", "poster_path", 0},
};
enum { N_KEPT = sizeof kept / sizeof *kept };

/* Field indices, which come from the header, and buffers that are used again for every record. */
struct metadata {
    const struct tv_file_reading *reading;
    int id, genres, imdb, date, at[N_KEPT]; /* field indices, or -1 */
    struct tv_buffer text, title, imdb_text;
};

static void on_header(void *context, const struct tv_record *header)
{
    struct metadata *m = context;
    m->id = tv_columns_find(header, "id");
    m->genres = tv_columns_find(header, "genres");
    m->imdb = tv_columns_find(header, "imdb_id");
    m->date = tv_columns_find(header, "release_date");
    for (int i = 0; i < N_KEPT; i++)
        m->at[i] = tv_columns_find(header, kept[i].column);
}

/* A field by its index, empty where the file has no such column. */
static struct tv_field field(const struct tv_record *record, int at)
{
    return at < 0 ? (struct tv_field){"", 0} : record->fields[at];
}

/* "1995-10-30" -> 1995 */
static int year_of(const struct tv_field *date)
{
    int64_t year;
    struct tv_field first = {date->text, 4};
    return date->n >= 5 && date->text[4] == '-' && tv_number_id(&first, &year, NULL) == TV_OK && year > 0 ? (int)year
                                                                                                          : 0;
}

/* Fields for trivet.item.extra. Numbers that are whole become integers, because the file writes 81.0 for 81; below
 * 2^53 none is rounded. */
static enum tv_status add_extra(struct metadata *m, const struct tv_record *record, json_t *extra, struct tv_error *err)
{
    for (int i = 0; i < N_KEPT; i++) {
        struct tv_field f = field(record, m->at[i]);
        double number;
        if (f.n == 0)
            continue;
        enum tv_status status = tv_file_reading_text(&m->text, &f, m->reading->latin1, err);
        if (status != TV_OK)
            return status;
        if (!kept[i].is_number)
            json_object_set_new(extra, kept[i].name, json_stringn(tv_buffer_string(&m->text), m->text.size));
        else if (tv_text_double(f.text, f.n, &number) && fabs(number) < MAX_WHOLE &&
                 number == (double)(json_int_t)number)
            json_object_set_new(extra, kept[i].name, json_integer((json_int_t)number));
        else if (tv_text_double(f.text, f.n, &number))
            json_object_set_new(extra, kept[i].name, json_real(number));
    }
    return TV_OK;
}

/* [{'id': 16, 'name': 'Animation'}, ...]: the names point into `list`. */
static enum tv_status add_genres(json_t *list, struct tv_item_row *row, struct tv_error *err)
{
    size_t i;
    json_t *genre;
    if (!json_is_array(list))
        return tv_fail(err, TV_ERR_RECORD, "genres are no Python list");
    row->has_genres = 1;
    json_array_foreach(list, i, genre)
    {
        const char *name = json_string_value(json_object_get(genre, "name"));
        if (name && *name && row->n_genres < TV_ITEM_MAX_GENRES)
            row->genres[row->n_genres++] = name;
    }
    return TV_OK;
}

/* The title with the year of the release behind it, as MovieLens writes titles. The title is copied, because the
 * buffer it was read into is used again. */
static enum tv_status whole_title(struct metadata *m, struct tv_item_row *row, struct tv_error *err)
{
    tv_buffer_clear(&m->title);
    enum tv_status status = tv_buffer_append(&m->title, tv_buffer_string(&m->text), m->text.size, err);
    if (status == TV_OK && m->title.size > 0 && row->year > 0)
        status = tv_buffer_format(&m->title, err, " (%d)", row->year);
    row->title = m->title.size > 0 ? tv_buffer_string(&m->title) : NULL;
    return status;
}

/* Fills everything but genres and extra fields. The texts point into the buffers of *m. */
static enum tv_status fill_row(struct metadata *m, const struct tv_columns *c, const struct tv_record *record,
                               struct tv_item_row *row, struct tv_error *err)
{
    struct tv_field date = field(record, m->date), imdb = field(record, m->imdb);
    struct tv_field title = tv_columns_field(c, record, TV_COLUMN_TITLE);
    enum tv_status status = tv_number_id_written(TV_ID_CLEAR, &record->fields[m->id], &row->tmdb_id, err);
    row->year = year_of(&date);
    if (status == TV_OK)
        status = tv_file_reading_text(&m->imdb_text, &imdb, m->reading->latin1, err);
    if (status == TV_OK)
        status = tv_file_reading_text(&m->text, &title, m->reading->latin1, err);
    if (status != TV_OK)
        return status;
    row->imdb_id = m->imdb_text.size > 0 ? tv_buffer_string(&m->imdb_text) : NULL;
    return whole_title(m, row, err);
}

/* The row's texts point into the JSON values and into the buffers of *m, which all live until the sink has taken it. */
static enum tv_status metadata_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                                   struct tv_error *err)
{
    struct metadata *m = context;
    struct tv_item_row row = {.has_item = 0};
    struct tv_field literal = field(record, m->genres);
    json_t *extra = json_object(),
           *genres = literal.n > 0 ? tv_literal_parse(literal.text, literal.n) : json_array();
    enum tv_status status = fill_row(m, c, record, &row, err);
    if (status == TV_OK)
        status = add_genres(genres, &row, err);
    if (status == TV_OK)
        status = add_extra(m, record, extra, err);
    char *text = json_dumps(extra, JSON_COMPACT);
    row.extra = text;
    if (status == TV_OK)
        status = m->reading->sink->item(m->reading->sink->context, &row, err);
    free(text);
    json_decref(genres);
    json_decref(extra);
    return status;
}

enum tv_status tv_read_kaggle_metadata(const struct tv_file_reading *reading, struct tv_error *err)
{
    struct tv_columns columns;
    struct metadata m = {.reading = reading,
                         .text = TV_BUFFER_INIT(TEXT_MAX),
                         .title = TV_BUFFER_INIT(TEXT_MAX),
                         .imdb_text = TV_BUFFER_INIT(TEXT_MAX)};
    enum tv_status status = tv_file_reading_run(reading, &columns, metadata_row, on_header, &m, err);
    tv_buffer_free(&m.text);
    tv_buffer_free(&m.title);
    tv_buffer_free(&m.imdb_text);
    return status;
}
