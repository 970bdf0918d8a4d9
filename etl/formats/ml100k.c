/* ml100k: u.item of MovieLens 100K: id|title|release date|video date|IMDb address|one flag a genre, in
 * ISO-8859-1. The genres' names and order come from u.genre if it is there, else they are those of the
 * release. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "etl/formats/reader.h"
#include "etl/formats/title.h"

enum { FIRST_FLAG = 5, NAME_MAX_BYTES = 64, TEXT_MAX = 3 * TV_RECORD_MAX_BYTES + 16 };

static const char *const released_genres[] = {
    "unknown",     "Action", "Adventure", "Animation", "Children's", "Comedy",  "Crime",
    "Documentary", "Drama",  "Fantasy",   "Film-Noir", "Horror",     "Musical", "Mystery",
    "Romance",     "Sci-Fi", "Thriller",  "War",       "Western"};
enum { N_RELEASED = sizeof released_genres / sizeof *released_genres };

/* Genres by their numbers, and buffers that are used again for every record. */
struct items {
    const struct tv_file_reading *reading;
    int n_genres;
    char genres[TV_ITEM_MAX_GENRES][NAME_MAX_BYTES];
    struct tv_buffer raw, title, date, address;
};

/* --- u.genre -------------------------------------------------------------------------------------------- */

/* A line of u.genre: name|number. */
static enum tv_status genre_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                                struct tv_error *err)
{
    (void)c;
    struct items *t = context;
    int64_t at;
    const struct tv_field *name = &record->fields[0];
    if (tv_number_id(&record->fields[1], &at, err) != TV_OK || at < 0 || at >= TV_ITEM_MAX_GENRES ||
        name->n >= NAME_MAX_BYTES)
        return tv_fail(err, TV_ERR_RECORD, "not a genre and its number");
    memcpy(t->genres[at], name->text, name->n);
    t->genres[at][name->n] = '\0';
    if (at >= t->n_genres)
        t->n_genres = (int)at + 1;
    return TV_OK;
}

/* u.genre says which flag is which genre. Its refusals go to the sink like those of any file. */
static enum tv_status read_genres(struct items *t, struct tv_error *err)
{
    t->n_genres = 0;
    if (t->reading->genres) {
        struct tv_file_reading reading = *t->reading;
        struct tv_columns columns = {.n = 2};
        reading.file = t->reading->genres;
        reading.columns = NULL;
        return tv_file_reading_run(&reading, &columns, genre_row, NULL, t, err);
    }
    for (int i = 0; i < N_RELEASED; i++)
        strcpy(t->genres[i], released_genres[i]);
    t->n_genres = N_RELEASED;
    return TV_OK;
}

/* --- u.item --------------------------------------------------------------------------------------------- */

/* The flags of a record as names; "unknown" says that none is known. */
static enum tv_status flags(struct items *t, const struct tv_record *record, struct tv_item_row *row,
                            struct tv_error *err)
{
    if (record->n - FIRST_FLAG != t->n_genres)
        return tv_fail(err, TV_ERR_RECORD, "wrong number of fields");
    row->has_genres = 1;
    for (int i = 0; i < t->n_genres; i++) {
        const struct tv_field *f = &record->fields[FIRST_FLAG + i];
        if (f->n != 1 || (*f->text != '0' && *f->text != '1'))
            return tv_fail(err, TV_ERR_RECORD, "genre flag is not 0 or 1");
        if (*f->text == '1' && strcmp(t->genres[i], "unknown") != 0)
            row->genres[row->n_genres++] = t->genres[i];
    }
    return TV_OK;
}

/* Fields without a column in Postgres go to trivet.item.extra. */
static char *extra_json(const struct items *t)
{
    json_t *extra = json_object();
    if (t->date.size > 0)
        json_object_set_new(extra, "release_date", json_string(tv_buffer_string(&t->date)));
    if (t->address.size > 0)
        json_object_set_new(extra, "imdb_url", json_string(tv_buffer_string(&t->address)));
    char *text = json_dumps(extra, JSON_COMPACT);
    json_decref(extra);
    return text;
}

/* id|title|release date|video date|IMDb address|flags. The year is that of the title. */
static enum tv_status item_row(void *context, const struct tv_columns *c, const struct tv_record *record,
                               struct tv_error *err)
{
    (void)c;
    struct items *t = context;
    struct tv_item_row row = {.has_item = 1};
    enum tv_status status = tv_number_id_written(TV_ID_CLEAR, &record->fields[0], &row.item, err);
    if (status == TV_OK)
        status = tv_file_reading_text(&t->raw, &record->fields[1], 1, err);
    if (status == TV_OK)
        status = tv_file_reading_text(&t->date, &record->fields[2], 1, err);
    if (status == TV_OK)
        status = tv_file_reading_text(&t->address, &record->fields[4], 1, err);
    if (status == TV_OK)
        status = flags(t, record, &row, err);
    if (status != TV_OK)
        return status;
    tv_buffer_clear(&t->title);
    status = tv_title_tidy(&t->title, tv_buffer_string(&t->raw), t->raw.size, err);
    row.title = tv_buffer_string(&t->title);
    row.listed = tv_title_listed(tv_buffer_string(&t->raw), row.title);
    row.year = tv_title_year(row.title, t->title.size);
    char *extra = extra_json(t);
    row.extra = extra;
    if (status == TV_OK)
        status = t->reading->sink->item(t->reading->sink->context, &row, err);
    free(extra);
    return status;
}

/* The number of fields follows from the number of genres, so it is known before the first record. */
enum tv_status tv_read_ml100k_items(const struct tv_file_reading *reading, struct tv_error *err)
{
    struct items *t = tv_alloc(1, sizeof *t, "genre names", err);
    if (t == NULL)
        return TV_ERR_NO_MEMORY;
    struct tv_columns columns = {.n = 0};
    struct tv_file_reading by_place = *reading; /* its fields are known here */
    by_place.columns = NULL;
    t->reading = reading;
    tv_buffer_init(&t->raw, TEXT_MAX);
    tv_buffer_init(&t->title, TEXT_MAX);
    tv_buffer_init(&t->date, TEXT_MAX);
    tv_buffer_init(&t->address, TEXT_MAX);
    enum tv_status status = read_genres(t, err);
    columns.n = FIRST_FLAG + t->n_genres;
    if (status == TV_OK)
        status = tv_file_reading_run(&by_place, &columns, item_row, NULL, t, err);
    tv_buffer_free(&t->raw);
    tv_buffer_free(&t->title);
    tv_buffer_free(&t->date);
    tv_buffer_free(&t->address);
    free(t);
    return status;
}
