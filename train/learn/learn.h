/* learn: a matrix of ratings becomes a model's item side, by whatever algorithm is asked for. No stores: fit publishes
 * what comes out, evaluate and search judge it. */
#ifndef TRIVET_TRAIN_LEARN_LEARN_H
#define TRIVET_TRAIN_LEARN_LEARN_H

#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/base/named.h"
#include "trivet/cli/options.h"
#include "trivet/core/ratings.h"
#include "trivet/model/model.h"

/* The names of algorithms (algorithms.c), in the order of their rows, as a choice of flags. */
#define TV_LEARN_NAMES "svd|als|als-implicit"
struct tv_learn_algorithm;

/* How to learn. Members that an algorithm does not use stay at their defaults. */
struct tv_learn_settings {
    const struct tv_learn_algorithm *algorithm;
    int factors;       /* k without biases; what was used, once learned */
    int factors_given; /* asked for by name, so not to be shrunk */
    double sigma;      /* svd: the exponent of sigma on the item side */
    int iterations;    /* als: at the most */
    double lambda, alpha;
    int biases;
    uint64_t seed;
    int threads; /* 0: as OpenMP decides */
    int quiet;   /* no progress: several are learned at once */
};

/* The numbers that a training gives beside its model. tv_learn_report_free gives back `objective`. */
struct tv_learn_report {
    int steps;              /* Lanczos steps, or iterations */
    double residual;        /* svd: the largest one, relative to sigma_1 */
    double *objective;      /* als: (steps) after each iteration; owned */
    struct tv_named beyond; /* items whose factors leave float16: the model does without them */
};

/* The rows of a command's option table that say how to learn. */
extern const struct tv_option tv_learn_options[];

/* Every default of an algorithm. */
void tv_learn_defaults(struct tv_learn_settings *out, const struct tv_learn_algorithm *algorithm);
enum tv_status tv_learn_read_settings(struct tv_learn_settings *out, const struct tv_settings *s, struct tv_error *err);
/* Sets one by the name of its flag, from the text that the flag would take; "off" and "on" for a switch. TV_ERR_USAGE
 * for a text out of range, and for a setting that the algorithm does not use. */
enum tv_status tv_learn_set(struct tv_learn_settings *s, const char *name, const char *text, struct tv_error *err);
const char *tv_learn_algorithm_name(const struct tv_learn_settings *s);
const struct tv_learn_algorithm *tv_learn_algorithm_of(const char *name); /* NULL: none is called so */
/* {"factors": 50, "sigma": 0.5}: every value the algorithm uses. */
enum tv_status tv_learn_json(const struct tv_learn_settings *s, struct tv_buffer *json, struct tv_error *err);
/* Reads what tv_learn_json wrote, older journals' {"factors": 50} too. */
enum tv_status tv_learn_from_json(struct tv_learn_settings *out, const char *algorithm, const char *json,
                                  struct tv_error *err);
/* " --algorithm als --factors 20": the flags that say the same. */
enum tv_status tv_learn_flags(const struct tv_learn_settings *s, struct tv_buffer *line, struct tv_error *err);

/* Shrinks a default number of factors to what the matrix allows; one that was asked for is refused instead. */
enum tv_status tv_learn_fit_factors(struct tv_learn_settings *s, const struct tv_matrix *d, struct tv_error *err);
/* Bytes beside the matrix. */
double tv_learn_memory(const struct tv_learn_settings *s, const struct tv_matrix *d);

/* Makes a model without number, users or description: item ids and factors, what fold-in needs, checksum. The matrix
 * stays the caller's. *s gets the number of factors in the end. */
enum tv_status tv_learn(struct tv_model **out, struct tv_learn_report *report, const struct tv_matrix *d,
                        struct tv_learn_settings *s, struct tv_error *err);
void tv_learn_report_free(struct tv_learn_report *r);

#endif
