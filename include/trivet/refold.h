/* refold: a user's document anew, after the user's ratings changed (sql/004_live.sql).
 *
 * It is folded in from all of the user's evidence, with the very function that the trainer uses, and replaces
 * only one of a lower rev: so it does not matter who does it, in what order, or how often.
 */
#ifndef TRIVET_REFOLD_H
#define TRIVET_REFOLD_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/model.h"
#include "trivet/mongo.h"
#include "trivet/pg.h"
#include "trivet/user_fold.h"

/* A model that users can be folded into, and where their ratings are read. Nothing in it changes, so threads
 * may share it, each with a connection and a space of its own. */
struct tv_refold {
    int64_t model; /* its number */
    struct tv_folding folding;
    char *query;    /* the user's rows and their rev, in one statement, so that they agree */
    int own_source; /* 1: part of it is an analyst's SQL, run as a reader */
};

/* Of model N, whose item ids and what users are folded in with must live as long. TV_ERR_NOT_FOUND: the
 * journal does not know what ratings they are folded in from. */
enum tv_status tv_refold_create(struct tv_refold **out, int64_t model, const struct tv_fold_in *fold_in,
                                const int64_t *item_ids, struct tv_pg *pg, struct tv_error *err);
void tv_refold_free(struct tv_refold *r); /* NULL is fine */

/* Folds one user in from what stands in PostgreSQL now, into user_<N>. *rev is the change that the
 * document has got to. TV_ERR_NOT_FOUND: the user never rated live. */
enum tv_status tv_refold_user(const struct tv_refold *r, struct tv_fold_space *s, struct tv_pg *pg,
                              struct tv_mongo *mongo, int64_t user_id, int64_t *rev, struct tv_error *err);
/* Integers as PostgreSQL writes arrays of them: '{1,2,3}'. */
enum tv_status tv_int_array(struct tv_buffer *out, const int64_t *values, size_t n, struct tv_error *err);
/* Notes in PostgreSQL that documents of the live model are there, each up to a rev. */
enum tv_status tv_refold_done(struct tv_pg *pg, const int64_t *user_ids, const int64_t *revs, size_t n,
                              struct tv_error *err);

#endif
