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

/* The names of algorithms (algorithm.h), as a choice of flags. */
#define LEARN_NAMES "svd|als|als-implicit"
struct learn_algorithm;

/* How to learn. Members that an algorithm does not use stay at their defaults. */
struct learn_settings {
    const struct learn_algorithm *algorithm;
    int factors;       /* k without biases; what was used, once learned */
    int factors_given; /* asked for by name, so not to be shrunk */
    double sigma;      /* svd: the exponent of sigma on the item side */
    int iterations;    /* als: at the most */
    double lambda, alpha;
    int biases;
    uint64_t seed;
    int threads;       /* 0: as OpenMP decides */
    int quiet;         /* no progress: several are learned at once */
};

/* Things worth telling of a training. */
struct learn_report {
    int steps;         /* Lanczos steps, or iterations */
    double residual;   /* svd: the largest one, relative to sigma_1 */
    double *objective; /* als: (steps) after each iteration; owned */
    struct tv_named beyond; /* items whose factors leave float16: the model does without them */
};

/* The rows of a command's option table that say how to learn. */
extern const struct tv_option learn_options[];

/* Every default of an algorithm. */
void learn_defaults(struct learn_settings *out, const struct learn_algorithm *algorithm);
enum tv_status learn_read_settings(struct learn_settings *out, const struct tv_settings *s, struct tv_error *err);
/* Sets one by the name of its flag, from the text that the flag would take; "off" and "on" for a switch. TV_ERR_USAGE
 * for a text out of range, and for a setting that the algorithm does not use. */
enum tv_status learn_set(struct learn_settings *s, const char *name, const char *text, struct tv_error *err);
const char *learn_algorithm_name(const struct learn_settings *s);
const struct learn_algorithm *learn_algorithm_of(const char *name); /* NULL: none is called so */
/* {"factors": 50, "sigma": 0.5}: every value the algorithm uses. */
enum tv_status learn_json(const struct learn_settings *s, struct tv_buffer *json, struct tv_error *err);
/* Reads what learn_json wrote, older journals' {"factors": 50} too. */
enum tv_status learn_from_json(struct learn_settings *out, const char *algorithm, const char *json, struct tv_error *err);
/* " --algorithm als --factors 20": the flags that say the same. */
enum tv_status learn_flags(const struct learn_settings *s, struct tv_buffer *line, struct tv_error *err);

/* Shrinks a default number of factors to what the matrix allows; one that was asked for is refused instead. */
enum tv_status learn_fit_factors(struct learn_settings *s, const struct tv_dense *d, struct tv_error *err);
/* Bytes beside the matrix. */
double learn_memory(const struct learn_settings *s, const struct tv_dense *d);

/* Makes a model without number, users or description: item ids and factors, what fold-in needs, checksum. The matrix
 * stays the caller's. *s gets the number of factors in the end. */
enum tv_status learn(struct tv_model **out, struct learn_report *report, const struct tv_dense *d,
                     struct learn_settings *s, struct tv_error *err);
void learn_report_free(struct learn_report *r);

#endif
