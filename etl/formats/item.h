/* item: what a record of any table of items says beside the title: genres, the year, the item's numbers elsewhere. All readers of such
 * tables ask here, so that a column that is understood is also read. */
#ifndef TRIVET_ETL_FORMATS_ITEM_H
#define TRIVET_ETL_FORMATS_ITEM_H

#include <jansson.h>

#include "etl/formats/reader.h"

/* The texts that a row points to, used again for every record. All zeros but for the buffer's limit is the start; freed by
 * tv_item_texts_free. */
struct tv_item_texts {
    struct tv_buffer genres;
    json_t *list; /* the genres, where they are a Python list */
    char imdb_id[32];
};

void tv_item_texts_free(struct tv_item_texts *t);

/* Fills the item's id, year, genres and numbers elsewhere as far as the file has such columns. TV_ERR_RECORD where the id or the bytes of
 * the genres cannot be read; a year or a number elsewhere that cannot is left unknown, as it is no reason to lose a title. A RecBole file
 * has its genres divided by blanks (`by_blanks`). */
enum tv_status tv_item_read(struct tv_item_row *row, struct tv_item_texts *t, const struct tv_file_reading *reading,
                            const struct tv_columns *c, const struct tv_record *record, int by_blanks, struct tv_error *err);

/* IMDb's id as "tt0114709", the form in which IMDb's addresses have it: with seven digits or more. Files have it so, or the number alone,
 * with its zeros or without, and pandas writes 114709.0 where some are missing. *out is empty where there is none. */
enum tv_status tv_item_imdb_id(const struct tv_field *f, char *out, size_t size, struct tv_error *err);
/* The Movie Database's number; 0 where there is none. */
enum tv_status tv_item_tmdb_id(const struct tv_field *f, int64_t *out, struct tv_error *err);
/* Whether tv_read_names (reader.h) keeps a column of that name as it is, in trivet.item.extra. */
int tv_item_keeps(const char *column);

#endif
