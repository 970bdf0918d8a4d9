/* learn: settings of the algorithms, and the call of the one that is asked for. */
#include "train/learn/learn.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/core/als/als.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/svd/svd.h"

static const double LAMBDA[] = {0, 0.1, 0.01}; /* defaults: explicit per rating, implicit on the whole */

const struct tv_option learn_options[] = {
    {.name = "algorithm", .kind = TV_OPTION_CHOICE, .value = "NAME", .preset = "svd", .choices = "svd|als|als-implicit",
     .help = "how to factorise: svd takes missing ratings as zeros and ranks well; als fits the ratings there are and "
             "predicts them; als-implicit takes values as counts (plays)"},
    {.name = "factors", .alias = "rank", .kind = TV_OPTION_INT, .value = "K", .preset = "50", .min = 1, .max = 4096,
     .help = "factors a user and an item; without this flag a small matrix gets fewer"},
    {.name = "sigma", .kind = TV_OPTION_REAL, .value = "A", .preset = "0.5", .min = 0, .max = 1,
     .help = "svd: how much of the singular values goes to the item side: an exponent from 0 to 1, "
             "of which 0, 0.5 and 1 are usual"},
    {.name = "iterations", .alias = "maxIter", .kind = TV_OPTION_INT, .value = "N", .preset = "15", .min = 1, .max = 1000,
     .help = "als: passes over users and items, at the most"},
    {.name = "lambda", .alias = "regParam", .kind = TV_OPTION_REAL, .value = "L", .min = 1e-9, .max = 1e9,
     .help = "als: regularisation; a user's or item's is L times the number of their ratings (default 0.1); with "
             "als-implicit it is L itself (default 0.01)"},
    {.name = "alpha", .kind = TV_OPTION_REAL, .value = "A", .preset = "1", .min = 0, .max = 1e6,
     .help = "als-implicit: the confidence in a value r is 1 + A r"},
    {.name = "biases", .kind = TV_OPTION_SWITCH, .help = "als: also learn how generous each user and how liked each item is"},
    {.name = "seed", .kind = TV_OPTION_INT, .value = "S", .preset = "1", .min = 0, .max = 9e18,
     .help = "als: the same seed gives the same model, byte for byte"},
    {.name = NULL},
};

void learn_defaults(struct learn_settings *out, enum learn_algorithm algorithm)
{
    *out = (struct learn_settings){.algorithm = algorithm,
                                   .factors = 50,
                                   .sigma = 0.5,
                                   .iterations = 15,
                                   .lambda = LAMBDA[algorithm],
                                   .alpha = algorithm == LEARN_ALS_IMPLICIT,
                                   .seed = 1};
}

static enum tv_status refuse_foreign(const struct learn_settings *s, const char *name, struct tv_error *err)
{
    static const struct {
        const char *flag;
        unsigned algorithms;
    } rows[] = {{"sigma", 1u << LEARN_SVD},
                {"iterations", 1u << LEARN_ALS | 1u << LEARN_ALS_IMPLICIT},
                {"lambda", 1u << LEARN_ALS | 1u << LEARN_ALS_IMPLICIT},
                {"seed", 1u << LEARN_ALS | 1u << LEARN_ALS_IMPLICIT},
                {"alpha", 1u << LEARN_ALS_IMPLICIT},
                {"biases", 1u << LEARN_ALS}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(name, rows[i].flag) == 0 && !(rows[i].algorithms & 1u << s->algorithm)) {
            tv_fail(err, TV_ERR_USAGE, "--%s means nothing to --algorithm %s", name, learn_algorithm_name(s->algorithm));
            return tv_hint(err, "--help says which algorithm takes what");
        }
    return TV_OK;
}

static const struct tv_option *find_option(const char *name)
{
    const struct tv_option *row = learn_options;
    while (row->name && strcmp(row->name, name) != 0)
        row++;
    return row;
}

static enum tv_status set_switch(int *out, const char *name, const char *text, struct tv_error *err)
{
    *out = strcmp(text, "on") == 0;
    if (!*out && strcmp(text, "off") != 0)
        return tv_fail(err, TV_ERR_USAGE, "--%s is \"%s\", but must be off or on", name, text);
    return TV_OK;
}

enum tv_status learn_set(struct learn_settings *s, const char *name, const char *text, struct tv_error *err)
{
    enum tv_status status = refuse_foreign(s, name, err);
    if (status == TV_OK && strcmp(name, "biases") == 0)
        return set_switch(&s->biases, name, text, err);
    if (status == TV_OK)
        status = tv_option_check(find_option(name), text, err);
    if (status != TV_OK)
        return status;
    if (strcmp(name, "factors") == 0) {
        s->factors = (int)strtol(text, NULL, 10);
        s->factors_given = 1;
    } else if (strcmp(name, "iterations") == 0) {
        s->iterations = (int)strtol(text, NULL, 10);
    } else if (strcmp(name, "seed") == 0) {
        s->seed = strtoull(text, NULL, 10);
    } else {
        double *place = strcmp(name, "sigma") == 0 ? &s->sigma : strcmp(name, "lambda") == 0 ? &s->lambda : &s->alpha;
        *place = strtod(text, NULL);
    }
    return TV_OK;
}

enum tv_status learn_read_settings(struct learn_settings *out, const struct tv_settings *s, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    learn_defaults(out, (enum learn_algorithm)learn_algorithm_of(tv_settings_text(s, "algorithm")));
    out->threads = (int)tv_settings_int(s, "threads");
    for (const struct tv_option *row = learn_options; row->name && status == TV_OK; row++)
        if (row->kind != TV_OPTION_CHOICE && tv_settings_given(s, row->name))
            status = learn_set(out, row->name, row->kind == TV_OPTION_SWITCH ? "on" : tv_settings_text(s, row->name), err);
    return status;
}

enum tv_status learn_json(const struct learn_settings *s, struct tv_buffer *json, struct tv_error *err)
{
    enum tv_status status = tv_buffer_format(json, err, "{\"factors\": %d", s->factors);
    if (status == TV_OK && s->algorithm == LEARN_SVD)
        status = tv_buffer_format(json, err, ", \"sigma\": %.17g", s->sigma);
    if (status == TV_OK && s->algorithm != LEARN_SVD)
        status = tv_buffer_format(json, err, ", \"iterations\": %d, \"lambda\": %.17g, \"seed\": %" PRIu64, s->iterations,
                                  s->lambda, s->seed);
    if (status == TV_OK && s->algorithm == LEARN_ALS_IMPLICIT)
        status = tv_buffer_format(json, err, ", \"alpha\": %.17g", s->alpha);
    if (status == TV_OK && s->algorithm == LEARN_ALS)
        status = tv_buffer_format(json, err, ", \"biases\": %s", s->biases ? "true" : "false");
    return status == TV_OK ? tv_buffer_text(json, "}", err) : status;
}

static double number_of(const json_t *object, const char *name, double otherwise)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

enum tv_status learn_from_json(struct learn_settings *out, const char *algorithm, const char *json, struct tv_error *err)
{
    int number = learn_algorithm_of(algorithm);
    json_t *object = json_loads(json, 0, NULL);
    if (number < 0 || !json_is_object(object)) {
        json_decref(object);
        return tv_fail(err, TV_ERR_CORRUPT, "the settings of an algorithm \"%s\" cannot be read: %s", algorithm, json);
    }
    learn_defaults(out, (enum learn_algorithm)number);
    out->factors = (int)number_of(object, "factors", out->factors);
    out->factors_given = 1;
    out->sigma = number_of(object, "sigma", out->sigma);
    out->iterations = (int)number_of(object, "iterations", out->iterations);
    out->lambda = number_of(object, "lambda", out->lambda);
    out->alpha = number_of(object, "alpha", out->alpha);
    out->biases = json_is_true(json_object_get(object, "biases"));
    out->seed = (uint64_t)number_of(object, "seed", (double)out->seed);
    json_decref(object);
    return TV_OK;
}

void learn_flags(const struct learn_settings *s, struct tv_buffer *line)
{
    tv_buffer_format(line, NULL, " --algorithm %s", learn_algorithm_name(s->algorithm));
    if (s->factors_given)
        tv_buffer_format(line, NULL, " --factors %d", s->factors);
    if (s->algorithm == LEARN_SVD && s->sigma != 0.5)
        tv_buffer_format(line, NULL, " --sigma %g", s->sigma);
    if (s->algorithm != LEARN_SVD)
        tv_buffer_format(line, NULL, " --iterations %d --lambda %.15g --seed %" PRIu64, s->iterations, s->lambda, s->seed);
    if (s->algorithm == LEARN_ALS_IMPLICIT)
        tv_buffer_format(line, NULL, " --alpha %.15g", s->alpha);
    if (s->biases)
        tv_buffer_text(line, " --biases", NULL);
}

/* A truncated SVD has at most one less than the shorter side; alternating least squares takes any number. */
static int largest_factors(const struct tv_dense *d)
{
    int shorter = d->matrix.n_rows < d->matrix.n_cols ? d->matrix.n_rows : d->matrix.n_cols;
    return shorter > 1 ? shorter - 1 : 1;
}

enum tv_status learn_fit_factors(struct learn_settings *s, const struct tv_dense *d, struct tv_error *err)
{
    int largest = largest_factors(d);
    if (s->factors <= largest || (s->factors_given && s->algorithm != LEARN_SVD))
        return TV_OK;
    if (s->factors_given) {
        tv_fail(err, TV_ERR_USAGE, "--factors is %d, but a matrix of %d users and %d items has at most %d", s->factors,
                (int)d->matrix.n_rows, (int)d->matrix.n_cols, largest);
        return tv_hint(err, "use --factors %d or less, or a wider filter", largest);
    }
    if (!s->quiet)
        tv_log_info("%d users and %d items allow %d factors, not the default of %d", (int)d->matrix.n_rows,
                    (int)d->matrix.n_cols, largest, s->factors);
    s->factors = largest;
    return TV_OK;
}

double learn_memory(const struct learn_settings *s, const struct tv_dense *d)
{
    const struct tv_csr *m = &d->matrix;
    if (s->algorithm == LEARN_SVD)
        return tv_svd_memory(m->n_rows, m->n_cols, m->n_values, s->factors);
    struct tv_als_options options;
    tv_als_defaults(&options, s->algorithm == LEARN_ALS_IMPLICIT);
    options.factors = s->factors;
    options.biases = s->biases;
    options.threads = s->threads;
    return tv_als_memory(m->n_rows, m->n_cols, m->n_values, &options);
}

enum tv_status learn(struct tv_model **out, struct learn_report *report, const struct tv_dense *d,
                     struct learn_settings *s, struct tv_error *err)
{
    char memory[32];
    *report = (struct learn_report){0};
    if (!s->quiet)
        tv_log_info("learning needs about %s beside the ratings", tv_text_bytes(memory, learn_memory(s, d)));
    enum tv_status status = s->algorithm == LEARN_SVD ? learn_svd(out, report, d, s, err) : learn_als(out, report, d, s, err);
    if (status == TV_OK)
        (*out)->checksum = tv_model_checksum(*out);
    else
        learn_report_free(report);
    return status;
}

void learn_report_free(struct learn_report *r)
{
    free(r->objective);
    *r = (struct learn_report){0};
}
