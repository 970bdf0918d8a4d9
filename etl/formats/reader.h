/* reader: what every format reader turns its file into, and the loop they share.
 *
 * A reader calls the sink once a row. Strings in a row live until the call returns. A record that cannot be read is
 * refused with a reason and counted (--max-rejects), and the rest goes on; an error of the sink or of the file ends
 * the reading.
 */
#ifndef TRIVET_ETL_FORMATS_READER_H
#define TRIVET_ETL_FORMATS_READER_H

#include <stdint.h>

#include "etl/formats/events.h"
#include "etl/load/codes.h"
#include "trivet/base/buffer.h"
#include "trivet/read/columns.h"
#include "trivet/read/number.h"
#include "trivet/read/record.h"
#include "trivet/read/time.h"

/* A rating, or a count of plays. */
struct tv_rating_row {
    int64_t user, item;
    float value;
    int64_t time; /* microseconds since 1970, or TV_NUMBER_NO_TIME */
};

/* A word that a user gave an item; the text is lent. */
struct tv_tag_row {
    int64_t user, item;
    const char *tag;
    int64_t time;
};

enum { TV_ITEM_MAX_GENRES = 64 };

/* An item as far as one file knows it. Rows of several files meet in Postgres: by `item`, or, where a file knows
 * only The Movie Database's number, by that. */
struct tv_item_row {
    int64_t item; /* 0 with has_item 0 */
    int has_item;
    const char *title; /* NULL: this file has none */
    const char *listed; /* as the file has it, where that is another title; else NULL */
    int year;          /* 0: unknown */
    int has_genres;    /* 0: this file has none; 1 with no names: none is known */
    int n_genres;
    const char *genres[TV_ITEM_MAX_GENRES];
    const char *imdb_id; /* "tt0114709" or NULL */
    int64_t tmdb_id;     /* 0: unknown */
    const char *extra;   /* a JSON object or NULL */
};

/* Where the rows go: a load sends them to Postgres. Any member returns an error to end the reading. */
struct tv_sink {
    void *context;
    enum tv_status (*rating)(void *context, const struct tv_rating_row *row, struct tv_error *err);
    enum tv_status (*item)(void *context, const struct tv_item_row *row, struct tv_error *err);
    enum tv_status (*tag)(void *context, const struct tv_tag_row *row, struct tv_error *err);
    /* The number of an id that is text (NUL-free, n bytes). */
    enum tv_status (*code)(void *context, enum tv_code_kind kind, const char *text, size_t n, int64_t *id,
                           struct tv_error *err);
    /* A record that is refused, with what the error says. */
    enum tv_status (*reject)(void *context, const char *file, const struct tv_record *record,
                             const struct tv_error *why, struct tv_error *err);
    /* Now and then: bytes of this file read so far. Returning an error stops the reading. */
    enum tv_status (*progress)(void *context, double bytes, struct tv_error *err);
};

/* What becomes of a value that is no rating, such as the -1 of who only watched: it is a rating, after all; its line is
 * left out; or, where the first lines had none, refused. */
enum tv_unrated { TV_UNRATED_IS_RATING, TV_UNRATED_LEFT_OUT, TV_UNRATED_REFUSED };

/* How the values of a file are written, which is decided before it is read (etl/detect). All zeros is the plain way. */
struct tv_forms {
    enum tv_time_form time;
    char order_shown_by; /* the sign between the parts of the file's first dates, which show whether day or month stands first; 0 where
                          * nothing has to be shown, or --dates says it */
    enum tv_number_form value;
    int clear_points;   /* values such as 1.234 are refused: no other shows whether points divide thousands, or others contradict */
    char either[24];    /* the first of the values such as 1,234, which are read as 1234 while none says otherwise; or "" */
    enum tv_id_form ids[TV_CODE_KINDS];
    int absent_left_out; /* lines without a rating are left out, and not refused */
    enum tv_unrated unrated;
    float unrated_value;
};

/* One reading of one file. */
struct tv_file_reading {
    const struct tv_input *input;
    const struct tv_input_file *file;
    struct tv_dialect dialect;
    int has_header;
    int latin1; /* text that is no UTF-8 is ISO-8859-1 */
    const struct tv_columns *columns;   /* NULL: as the header says, or the reader */
    struct tv_forms forms;
    int codes[TV_CODE_KINDS];           /* 1: ids of that kind may be text */
    const struct tv_input_file *genres; /* u.genre of a ml-100k folder, or NULL */
    const struct tv_input_file *words;  /* tags.dat of a lastfm folder, or NULL */
    struct tv_events *events;           /* filled with what the rows say; NULL: nobody asks */
    const struct tv_sink *sink;
};

/* A reader's function for one record. TV_ERR_RECORD refuses it, for one of a few reasons that are always in the same
 * words; any other failure ends the reading. */
typedef enum tv_status (*tv_row_fn)(void *context, const struct tv_columns *c, const struct tv_record *record,
                                    struct tv_error *err);

/* Reads the whole file. `columns` is filled from the reading's, or else from the header if there is one, or else it is as given; where columns->n is
 * 0, the first record of at least columns->least fields sets it. `on_header` may be NULL. */
enum tv_status tv_file_reading_run(const struct tv_file_reading *reading, struct tv_columns *columns, tv_row_fn row,
                                   void (*on_header)(void *context, const struct tv_record *header), void *context,
                                   struct tv_error *err);

/* Text of a field into `out` (emptied first, NUL-terminated): UTF-8 as it is; other bytes are ISO-8859-1
 * where `latin1` allows it, else TV_ERR_RECORD. */
enum tv_status tv_file_reading_text(struct tv_buffer *out, const struct tv_field *f, int latin1, struct tv_error *err);

/* An id: a number; or a code, where the reading allows such; else TV_ERR_RECORD. */
enum tv_status tv_file_reading_id(const struct tv_file_reading *reading, enum tv_code_kind kind,
                                  const struct tv_field *f, int64_t *id, struct tv_error *err);

/* A rating, or a count of plays: a finite number, written as the file writes them. */
enum tv_status tv_file_reading_value(const struct tv_file_reading *reading, const struct tv_field *f, float *value,
                                     struct tv_error *err);

/* The time of a record, TV_NUMBER_NO_TIME where the file or the record has none. */
enum tv_status tv_file_reading_time(const struct tv_file_reading *reading, const struct tv_columns *c,
                                    const struct tv_record *record, int64_t *time, struct tv_error *err);

/* --- the readers ---------------------------------------------------------------------------------------- */

/* movielens.c: comma separated with a header, and ml-1m's "::" without */
enum tv_status tv_read_ratings(const struct tv_file_reading *reading, struct tv_error *err);
enum tv_status tv_read_movielens_items(const struct tv_file_reading *reading, struct tv_error *err);
enum tv_status tv_read_links(const struct tv_file_reading *reading, struct tv_error *err);
enum tv_status tv_read_tags(const struct tv_file_reading *reading, struct tv_error *err);
/* ml100k.c */
enum tv_status tv_read_ml100k_items(const struct tv_file_reading *reading, struct tv_error *err);
/* recbole.c */
enum tv_status tv_read_recbole_items(const struct tv_file_reading *reading, struct tv_error *err);
/* kaggle.c */
enum tv_status tv_read_kaggle_metadata(const struct tv_file_reading *reading, struct tv_error *err);
/* plays.c: any table of plays with a header, and the names of what was played */
enum tv_status tv_read_plays(const struct tv_file_reading *reading, struct tv_error *err);
enum tv_status tv_read_names(const struct tv_file_reading *reading, struct tv_error *err);
/* lastfm.c: HetRec's words on artists, by their numbers */
enum tv_status tv_read_tagged(const struct tv_file_reading *reading, struct tv_error *err);

#endif
