/* reading: the ratings that a command works on: which rows, as one snapshot of Postgres has them. Fit, evaluate,
 * search and similar share it, and none of them sees another.
 *
 * A caller fills `settings` and, before it is opened, `with_times`; tv_reading_close gives back all the rest and
 * may be called at any time.
 */
#ifndef TRIVET_TRAIN_SOURCE_READING_H
#define TRIVET_TRAIN_SOURCE_READING_H

#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/cli/options.h"
#include "trivet/core/evidence.h"
#include "trivet/model/filter.h"
#include "trivet/store/pg.h"
#include "trivet/store/pg_copy.h"

/* One reading. Members below `with_times` are its own. */
struct tv_reading {
    const struct tv_settings *settings; /* lent */
    int with_times;                     /* the ratings' times are wanted, too */

    struct tv_filter *filter;
    struct tv_buffer source;        /* "trivet.user_item(...)": the rows to learn from */
    int own_source;                 /* it is an analyst's own SQL, */
    int same_rows;                  /* and users are folded in from those very rows */
    struct tv_buffer evidence_rows; /* "SELECT user, item, rating FROM ...": what everybody is folded in from */
    struct tv_buffer values;        /* the filter's values, JSON */

    struct tv_pg *snapshot;         /* REPEATABLE READ: whatever is asked here agrees */
    struct tv_pg *reader;           /* sees the same, and runs an analyst's own SQL; NULL for the filter */
    char *moment;                   /* pg_current_snapshot() there; NULL where ratings come from files */
    char *data;                     /* trivet.data_state(): what stands in trivet.rating, JSON */
    int64_t dataset;                /* which data set that is; 0: none, or ratings come from files */
    char *fingerprint;              /* of the rows there, and of what the source means; NULL where ratings come from files */
    char *doubt;                    /* why an equal fingerprint does not say that nothing changed; NULL: it does */

    struct tv_evidence evidence;    /* all ratings that meet the filter's conditions on rows, user after user */
    double *times; /* (evidence.n_pairs) the latest of a pair's rows, seconds since 1970; NaN: a row has none */
};

/* The rows of a command's option table that say what is read. */
extern const struct tv_option tv_reading_options[];

/* The filter, from the settings: all there is where ratings come from files. From here on signals are taken. */
enum tv_status tv_reading_begin(struct tv_reading *r, struct tv_error *err);
/* After that: a snapshot, and which rows of it, with their fingerprint, for which no row is read. From here on a signal
 * cancels what the snapshot's connections do. */
enum tv_status tv_reading_look(struct tv_reading *r, struct tv_error *err);
/* After that: what the snapshot holds, into r->data. For a reader of rows; who only compares goes without. */
enum tv_status tv_reading_describe_data(struct tv_reading *r, struct tv_error *err);
void tv_reading_close(struct tv_reading *r);

/* snapshot.c: connections that see the data as they were at one moment. *source_state is what the source meant before
 * that (trivet.source_state), to be freed; NULL where nobody asks. */
enum tv_status tv_reading_open_snapshot(struct tv_reading *r, char **source_state, struct tv_error *err);
/* A second connection with the same view of the data. */
enum tv_status tv_reading_join(struct tv_reading *r, struct tv_pg **out, struct tv_error *err);
/* The same, logged in as --reader (trivet/model/reader.h), for SQL that people write. */
enum tv_status tv_reading_join_as_reader(struct tv_reading *r, struct tv_pg **out, struct tv_error *err);
/* The connection that runs the rows' SQL: the reader's for an analyst's own, else the snapshot's. */
struct tv_pg *tv_reading_connection(const struct tv_reading *r);

/* row_source.c */
/* Opens r->reader and makes sure that SQL of one's own has the columns of a row source. */
enum tv_status tv_reading_open_row_source(struct tv_reading *r, const char *source, struct tv_error *err);
/* r->source and r->evidence_rows, from the settings; without --source once more, after r->filter has changed. */
enum tv_status tv_reading_choose_row_source(struct tv_reading *r, struct tv_error *err);
void tv_reading_describe(const struct tv_reading *r, char *out, size_t size);

/* rows.c: runs a SELECT of (bigint, bigint, real). Rows that are no ratings are left out, counted and told; with any_value
 * only those without a user or an item. */
typedef enum tv_status (*tv_take_row)(void *context, const struct tv_pg_triple *row, struct tv_error *err);
enum tv_status tv_reading_rows(const struct tv_reading *r, const char *select, int any_value, tv_take_row take, void *context,
                               struct tv_error *err);

/* evidence.c */
enum tv_status tv_reading_read(struct tv_reading *r, struct tv_error *err);
/* Says how many users the conditions on rows leave without any rating, and so without factors. */
enum tv_status tv_reading_tell_left_out(const struct tv_reading *r, struct tv_error *err);
/* Gives back what tv_reading_read has read, for a caller that has made something else of it. */
void tv_reading_drop(struct tv_reading *r);

#endif
