/* model: one model's item side in memory, and its life in the stores.
 *
 * A model has a run number N, the id of its row in trivet.run. It is written under N while nobody looks, checked by
 * reading it back, then shown by one switch in Redis (trivet:live). docs/design.md tells the whole life;
 * docs/formats.md has the keys and bytes.
 */
#ifndef TRIVET_MODEL_MODEL_H
#define TRIVET_MODEL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/fold_in.h"
#include "trivet/store/mongo.h"
#include "trivet/store/redis.h"

/* A model's item side; all arrays are owned. */
struct tv_model {
    int64_t run_number;  /* N */
    int64_t dataset;     /* D, the data set it was learned from: trivet.dataset.id; 0: not known, as of older models */
    char algorithm[16];  /* a name of tv_model_foldings */
    char score_kind[16]; /* what a score is: "relevance", or "rating" on the scale of the ratings */
    int factors;         /* k, the columns of a row; biases are two of them */
    int32_t n_items;
    int64_t n_users;        /* documents in user_<N> */
    int64_t n_learned;      /* of them learned from */
    int64_t *item_ids;      /* (n_items) raw ids, ascending */
    uint16_t *item_factors; /* (n_items, factors) row-major float16 */
    double *sigma;          /* (factors) singular values; NULL when the algorithm has none */
    double sigma_power;     /* svd: a, the exponent of sigma on the item side */
    double lambda, alpha;   /* als: what users are folded in with (fold_in.h) */
    int biases;             /* als: the last two columns of a row are biases */
    double created_at;      /* seconds since 1970 */
    char *description;      /* JSON object: parameters, filter, counts, data, examples (docs/formats.md); owned */
    uint64_t checksum;      /* over item_ids, item_factors and sigma */
};

/* The factors without the columns of biases: what --factors asked for. */
int tv_model_rank(const struct tv_model *m);
void tv_model_free(struct tv_model *m); /* frees *m itself, too; NULL is fine */
uint64_t tv_model_checksum(const struct tv_model *m);
/* Ids ascend, factors are finite, and the checksum is that of the arrays. TV_ERR_CORRUPT otherwise. */
enum tv_status tv_model_check(const struct tv_model *m, struct tv_error *err);
/* How users are folded into models of an algorithm. */
struct tv_model_folding {
    const char *algorithm;
    int takes_sigma; /* with the singular values */
    enum tv_status (*prepare)(struct tv_fold_in *out, const struct tv_model *m, struct tv_error *err);
};
extern const struct tv_model_folding tv_model_foldings[]; /* foldings.c; ends with a row without a name */
/* TV_ERR_CORRUPT for a model of an algorithm that has no row. */
enum tv_status tv_model_fold_in(struct tv_fold_in *out, const struct tv_model *m, struct tv_error *err);

/* "user_12", "parts_12" (of users' documents), "model_12"; `out` holds TV_MODEL_NAME bytes. */
enum { TV_MODEL_NAME = 56 };
char *tv_model_users(char *out, int64_t run_number);
char *tv_model_user_parts(char *out, int64_t run_number);
char *tv_model_parts(char *out, int64_t run_number);
/* "catalogue_3": the item documents of a data set, which all its models share; "catalogue_3_12": those that run 12
 * brings, until its model is whole. */
char *tv_model_catalogue(char *out, int64_t dataset);
char *tv_model_new_catalogue(char *out, int64_t dataset, int64_t run_number);

#endif
