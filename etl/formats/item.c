/* item: the columns of tables of items beside their titles. Genres come divided by bars (MovieLens), by commas (Kaggle's sets of animes and
 * of games), as Python lists (Goodreads, Steam), or by blanks (RecBole). */
#include "etl/formats/item.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "etl/formats/literal.h"

void tv_item_texts_free(struct tv_item_texts *t)
{
    tv_buffer_free(&t->genres);
    json_decref(t->list);
}

/* --- genres --------------------------------------------------------------------------------------------------------- */

/* No genre at all is said in words, and differs from a file without genres. */
static void add_genre(struct tv_item_row *row, const char *name)
{
    int is_none = *name == '\0' || strcmp(name, "(no genres listed)") == 0 || strcmp(name, "unknown") == 0;
    if (!is_none && row->n_genres < TV_ITEM_MAX_GENRES)
        row->genres[row->n_genres++] = name;
}

/* Cuts the text; blanks at either end of a name belong to none. */
static void split(struct tv_item_row *row, char *text, const char *separator)
{
    char *rest = text;
    for (char *name; (name = strsep(&rest, separator)) != NULL;) {
        name += strspn(name, " \t");
        for (size_t n = strlen(name); n > 0 && strchr(" \t", name[n - 1]); n--)
            name[n - 1] = '\0';
        add_genre(row, name);
    }
}

/* ['Action', 'Drama'], or [{'id': 16, 'name': 'Animation'}]; 0 where it is no such list. */
static int take_list(struct tv_item_row *row, struct tv_item_texts *t)
{
    size_t i;
    json_t *genre;
    json_decref(t->list);
    t->list = t->genres.data[0] == '[' ? tv_literal_parse(t->genres.data, t->genres.size) : NULL;
    json_array_foreach(t->list, i, genre)
    {
        const char *name = json_string_value(json_is_object(genre) ? json_object_get(genre, "name") : genre);
        if (name)
            add_genre(row, name);
    }
    return json_is_array(t->list);
}

/* A comma divides where no bar does: names with one are rarer than lists with commas. */
static void take_genres(struct tv_item_row *row, struct tv_item_texts *t, int by_blanks)
{
    row->has_genres = 1;
    if (!take_list(row, t))
        split(row, t->genres.data, by_blanks ? " " : strchr(t->genres.data, '|') ? "|" : ",");
}

/* --- numbers -------------------------------------------------------------------------------------------------------- */

/* 1995, 1995.0, or the year that a date begins with. */
static int year_of(struct tv_field f)
{
    int64_t year;
    if (f.n > 5 && f.text[4] == '-')
        f.n = 4;
    return tv_number_id_written(TV_ID_CLEAR, &f, &year, NULL) == TV_OK && year > 0 && year < 10000 ? (int)year : 0;
}

enum tv_status tv_item_imdb_id(const struct tv_field *f, char *out, size_t size, struct tv_error *err)
{
    int64_t number;
    int letters = f->n > 2 && strncasecmp(f->text, "tt", 2) == 0;
    const struct tv_field digits = {.text = f->text + 2 * letters, .n = f->n - 2 * (size_t)letters};
    *out = '\0';
    if (tv_number_is_absent(f))
        return TV_OK;
    if (tv_number_id_written(TV_ID_CLEAR, &digits, &number, NULL) != TV_OK || number < 0)
        return tv_fail(err, TV_ERR_RECORD, "IMDb id is not a number");
    snprintf(out, size, "tt%07" PRId64, number);
    return TV_OK;
}

enum tv_status tv_item_tmdb_id(const struct tv_field *f, int64_t *out, struct tv_error *err)
{
    *out = 0;
    return tv_number_is_absent(f) ? TV_OK : tv_number_id_written(TV_ID_CLEAR, f, out, err);
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */

enum tv_status tv_item_read(struct tv_item_row *row, struct tv_item_texts *t, const struct tv_file_reading *reading,
                            const struct tv_columns *c, const struct tv_record *record, int by_blanks, struct tv_error *err)
{
    struct tv_field genres = tv_columns_field(c, record, TV_COLUMN_GENRES), imdb = tv_columns_field(c, record, TV_COLUMN_IMDB),
                    tmdb = tv_columns_field(c, record, TV_COLUMN_TMDB);
    *row = (struct tv_item_row){.has_item = 1, .year = year_of(tv_columns_field(c, record, TV_COLUMN_YEAR))};
    enum tv_status status =
        tv_file_reading_id(reading, TV_CODE_ITEM, &record->fields[c->at[TV_COLUMN_ITEM]], &row->item, err);
    if (status == TV_OK)
        status = tv_file_reading_text(&t->genres, &genres, reading->latin1, err);
    if (status != TV_OK)
        return status;
    if (t->genres.size > 0)
        take_genres(row, t, by_blanks);
    if (tv_item_imdb_id(&imdb, t->imdb_id, sizeof t->imdb_id, NULL) == TV_OK && t->imdb_id[0])
        row->imdb_id = t->imdb_id;
    if (tv_item_tmdb_id(&tmdb, &row->tmdb_id, NULL) != TV_OK)
        row->tmdb_id = 0;
    return TV_OK;
}

int tv_item_keeps(const char *column)
{
    return strcasecmp(column, "url") == 0 || strcasecmp(column, "pictureURL") == 0;
}
