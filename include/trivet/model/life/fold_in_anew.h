/* fold_in_anew: users' documents anew, after their ratings changed (sql/004_live.sql).
 *
 * A user is folded in from all of the user's evidence, with the very function that the trainer uses, and replaces
 * only a document of a lower rev: so it does not matter who does it, in what order, or how often.
 *
 * Three things can go wrong, and are told apart. A store is away: that is a status, and all there is to do is to come
 * again. The row source that the ratings are read from cannot be read, because it was dropped, or there is no login to
 * read it as: all users wait. One user's rows cannot be read, because one of them divides by zero: that user is
 * refused, and the others go on. So they do when MongoDB refuses one user's document; that user waits.
 */
#ifndef TRIVET_MODEL_LIFE_FOLD_IN_ANEW_H
#define TRIVET_MODEL_LIFE_FOLD_IN_ANEW_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/named.h"
#include "trivet/model/fold_in_document.h"
#include "trivet/model/model.h"
#include "trivet/store/mongo.h"
#include "trivet/store/pg.h"

/* A model that users can be folded into, and where their ratings are read. Nothing in it changes, so threads
 * may share it. */
struct tv_fold_in_anew {
    int64_t model; /* its run number */
    struct tv_fold_in_model fold_in_model;
    char *query;              /* users' rows and their revs, in one statement, so that they agree */
    char *query_of_everybody; /* the same of any users, with single ratings or without */
    char *probe;              /* a row of the row source: whether it can be read at all */
    int own_source;           /* 1: part of it is an analyst's SQL, and read on a login that can only read */
};

/* Makes it of model N. The item ids, and `fold_in`, must live as long. TV_ERR_NOT_FOUND: the journal does not know
 * what ratings its users are folded in from. */
enum tv_status tv_fold_in_anew_create(struct tv_fold_in_anew **out, int64_t model, const struct tv_fold_in *fold_in,
                                      const int64_t *item_ids, struct tv_pg *pg, struct tv_error *err);
void tv_fold_in_anew_free(struct tv_fold_in_anew *r); /* NULL is fine */

/* Where users' rows are read and their documents written; one thread's. */
struct tv_fold_in_stores {
    struct tv_mongo *mongo; /* lent */
    struct tv_pg *pg;       /* the program's own login, which may write; lent */
    const char *uri;        /* of a login that can only read (reader.h); NULL: none */
    int seconds;            /* how long a statement may take there */
    struct tv_pg *reader;   /* opened when an analyst's row source is first read; tv_fold_in_end_reading closes it */
};
void tv_fold_in_end_reading(struct tv_fold_in_stores *stores);

enum tv_fold_in_state { TV_FOLD_IN_WAITING, TV_FOLD_IN_DONE, TV_FOLD_IN_REFUSED };

/* The outcomes of folding users in, added up over calls. Begin with zeros. */
struct tv_fold_in_told {
    int64_t done;
    struct tv_named refused;
    struct tv_named unwritten;  /* whose documents MongoDB refuses, while it takes others */
    struct tv_error unwritable; /* why, of the first */
    struct tv_error source;     /* its status is TV_OK unless the row source cannot be read */
};

/* Folds n users in from what stands in PostgreSQL now, into user_<N>: states (n) become TV_FOLD_IN_DONE, or _REFUSED,
 * or stay _WAITING where MongoDB refuses the document, or the row source cannot be read; then nothing more is tried
 * with these `told`. Users without single ratings are done. */
enum tv_status tv_fold_in_users(const struct tv_fold_in_anew *r, struct tv_fold_in_stores *stores,
                                const int64_t *user_ids, size_t n, uint8_t *states, struct tv_fold_in_told *told,
                                struct tv_error *err);
enum tv_fold_in_difference { TV_FOLD_IN_SAME, TV_FOLD_IN_OTHER, TV_FOLD_IN_OTHER_CODE, TV_FOLD_IN_LOST_CODE };
/* Compares the documents of n users, ascending, with what their ratings in PostgreSQL make of them now: differs (n)
 * becomes TV_FOLD_IN_OTHER where factors, seen items, ratings or `why` are others, or the document cannot be read, and
 * TV_FOLD_IN_OTHER_CODE or TV_FOLD_IN_LOST_CODE (PostgreSQL has none) where only the code is. A document of another rev
 * than PostgreSQL has is left out: its ratings have changed. Not for an analyst's row source (r->own_source). */
enum tv_status tv_fold_in_compare(const struct tv_fold_in_anew *r, struct tv_pg *pg, struct tv_mongo *mongo,
                                  const int64_t *user_ids, size_t n, char *differs, struct tv_error *err);
/* Integers as PostgreSQL writes arrays of them: '{1,2,3}'. */
enum tv_status tv_int_array(struct tv_buffer *out, const int64_t *values, size_t n, struct tv_error *err);
/* Users and their revs, with the data set that has both (0: not known): another one may be loaded by the time that they are
 * spoken of, in which the same ids are other users. */
struct tv_fold_in_revs {
    const int64_t *user_ids, *revs; /* (n) */
    size_t n;
    int64_t dataset;
};
/* Notes in PostgreSQL that documents of the live model are there, each up to a rev. */
enum tv_status tv_fold_in_done(struct tv_pg *pg, const struct tv_fold_in_revs *users, struct tv_error *err);
/* Notes that they are not there, so the users wait; with `refused` until their ratings change or another model is
 * live. */
enum tv_status tv_fold_in_not_done(struct tv_pg *pg, const struct tv_fold_in_revs *users, int refused, struct tv_error *err);

#endif
