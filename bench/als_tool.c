/* als_tool: alternating least squares on a file of ratings, and what becomes of it: users folded in from float16
 * item factors, predictions for a second file, the best items of everybody.
 *
 *   als_tool [options] TRAIN.csv [TEST.csv]
 *     --implicit  --biases  --factors K  --iterations N  --lambda L  --alpha A  --seed S  --threads T
 *     --repeat R       times are the best of R runs
 *     --top FILE       writes a line "user item item ..." for each user: the ten best they have not rated
 *
 * The files have lines user,item,rating[,...] with or without a header line. Prints the objective after each
 * iteration and seconds: "fit" is tv_als, "fold_in" the users of TRAIN.csv, "top" their lists. With TEST.csv it
 * prints "rmse" and over how many ratings; those of unknown users and items are left out.
 */
#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "rating_file.h"
#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/core/als/als.h"
#include "trivet/core/fold_in.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/scan/scan.h"
#include "trivet/core/top_n.h"

enum { TOP = 10 };

struct arguments {
    struct tv_als_options als;
    int repeat;
    const char *train, *test, *top;
};

/* The model as it would be served: float16 factors, widened for scoring. */
struct model {
    int columns;
    uint16_t *item_half, *user_half;
    float *items, *users;
    struct tv_scan scan;
    struct tv_scored *best; /* (users, TOP) */
};

static int parse(struct arguments *a, int argc, char **argv)
{
    enum { FACTORS = 1, ITERATIONS, LAMBDA, ALPHA, SEED, THREADS, REPEAT, TOP_FILE };
    struct tv_als_options *o = &a->als;
    const struct option names[] = {
        {"implicit", no_argument, &o->implicit, 1},    {"biases", no_argument, &o->biases, 1},
        {"factors", required_argument, NULL, FACTORS}, {"iterations", required_argument, NULL, ITERATIONS},
        {"lambda", required_argument, NULL, LAMBDA},   {"alpha", required_argument, NULL, ALPHA},
        {"seed", required_argument, NULL, SEED},       {"threads", required_argument, NULL, THREADS},
        {"repeat", required_argument, NULL, REPEAT},   {"top", required_argument, NULL, TOP_FILE},
        {NULL, 0, NULL, 0}};
    int option;
    a->repeat = 1;
    *o = (struct tv_als_options){.factors = 50, .iterations = 15, .lambda = 0.065, .alpha = 1, .seed = 1};
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (option) {
        case FACTORS:
            o->factors = atoi(optarg);
            break;
        case ITERATIONS:
            o->iterations = atoi(optarg);
            break;
        case LAMBDA:
            o->lambda = atof(optarg);
            break;
        case ALPHA:
            o->alpha = atof(optarg);
            break;
        case SEED:
            o->seed = strtoull(optarg, NULL, 10);
            break;
        case THREADS:
            o->threads = atoi(optarg);
            break;
        case REPEAT:
            a->repeat = atoi(optarg);
            break;
        case TOP_FILE:
            a->top = optarg;
            break;
        case '?':
            return 0;
        }
    a->train = optind < argc ? argv[optind] : NULL;
    a->test = optind + 1 < argc ? argv[optind + 1] : NULL;
    if (o->threads < 1)
        o->threads = omp_get_max_threads();
    return a->train && optind + 2 >= argc && a->repeat > 0;
}

/* Keeps the best of several times. */
static void keep(double *best, double started)
{
    double took = tv_clock() - started;
    if (*best == 0 || took < *best)
        *best = took;
}

static enum tv_status fit(struct tv_als *als, const struct tv_matrix *d, const struct arguments *a,
                          struct tv_error *err)
{
    double seconds = 0;
    for (int i = 0; i < a->repeat; i++) {
        tv_als_free(als);
        double started = tv_clock();
        enum tv_status status = tv_als(als, &d->csr, &a->als, err);
        if (status != TV_OK)
            return status;
        keep(&seconds, started);
    }
    for (int i = 0; i < als->iterations; i++)
        printf("objective %.9g\n", als->objective[i]);
    printf("users %d\nitems %d\nratings %lld\nfit %.6f\n", als->users, als->items, (long long)d->csr.n_values, seconds);
    return TV_OK;
}

static void free_model(struct model *m)
{
    free(m->item_half);
    free(m->user_half);
    free(m->items);
    free(m->users);
    free(m->best);
    tv_scan_free(&m->scan);
}

static enum tv_status make_model(struct model *m, const struct tv_als *als, int biases, struct tv_error *err)
{
    size_t users = (size_t)als->users, items = (size_t)als->items, k = (size_t)als->columns;
    *m = (struct model){.columns = als->columns};
    m->item_half = tv_alloc(items * k, sizeof *m->item_half, "item factors", err);
    m->user_half = tv_alloc(users * k, sizeof *m->user_half, "user factors", err);
    m->items = tv_alloc(items * k, sizeof *m->items, "item factors", err);
    m->users = tv_alloc(users * k, sizeof *m->users, "user factors", err);
    m->best = tv_alloc(users * TOP, sizeof *m->best, "the best items", err);
    if (!m->item_half || !m->user_half || !m->items || !m->users || !m->best)
        return TV_ERR_NO_MEMORY;
    if (tv_half_from_floats(m->item_half, als->item_factors, items * k) > 0)
        return tv_fail(err, TV_ERR_NUMERIC, "an item factor is beyond float16");
    tv_half_to_floats(m->items, m->item_half, items * k);
    return tv_scan_create(&m->scan, m->item_half, als->items, als->columns, biases ? 2 : 0, err);
}

/* Threads share no error to fill, so a failure is only noted. */
static enum tv_status fold_in_all(struct model *m, const struct tv_fold_in *f, const struct tv_csr *matrix,
                                  int threads, struct tv_error *err)
{
    int failed = 0;
#pragma omp parallel for schedule(dynamic, 16) num_threads(threads) reduction(| : failed)
    for (int32_t u = 0; u < matrix->n_rows; u++) {
        int64_t from = matrix->start[u];
        size_t k = (size_t)m->columns, n = (size_t)(matrix->start[u + 1] - from);
        uint16_t *user = m->user_half + (size_t)u * k;
        failed |= tv_fold_in_factors(f, user, &(struct tv_user_ratings){matrix->column + from, matrix->value + from, n},
                                     NULL) != TV_OK;
        tv_half_to_floats(m->users + (size_t)u * k, user, k);
    }
    return failed ? tv_fail(err, TV_ERR_NUMERIC, "a user cannot be folded in") : TV_OK;
}

static enum tv_status fold_in(struct model *m, const struct tv_matrix *d, const struct arguments *a,
                              struct tv_error *err)
{
    double seconds = 0;
    enum tv_status status = TV_OK;
    const struct tv_als_options *o = &a->als;
    int32_t n_items = d->csr.n_cols;
    for (int i = 0; status == TV_OK && i < a->repeat; i++) {
        struct tv_fold_in f = {0};
        double started = tv_clock();
        status = o->implicit
                     ? tv_fold_in_als_implicit(&f, m->item_half, n_items, m->columns, o->lambda, o->alpha, err)
                     : tv_fold_in_als(&f, m->item_half, n_items, m->columns, o->biases, o->lambda, err);
        if (status == TV_OK)
            status = fold_in_all(m, &f, &d->csr, o->threads, err);
        keep(&seconds, started);
        tv_fold_in_free(&f);
    }
    printf("fold_in %.6f\n", seconds);
    return status;
}

static void rank_user(struct model *m, uint8_t *rated, const struct tv_csr *matrix, int32_t u)
{
    struct tv_scored *best = m->best + (size_t)u * TOP;
    for (int64_t p = matrix->start[u]; p < matrix->start[u + 1]; p++)
        rated[matrix->column[p]] = 1;
    size_t n = tv_scan_top(best, TOP, &m->scan, m->users + (size_t)u * (size_t)m->columns, rated, (size_t)matrix->n_cols, NULL);
    for (int64_t p = matrix->start[u]; p < matrix->start[u + 1]; p++)
        rated[matrix->column[p]] = 0;
    for (; n < TOP; n++)
        best[n].item = -1;
}

/* Each thread has marks of its own. */
static enum tv_status rank_all(struct model *m, const struct tv_matrix *d, const struct arguments *a,
                               struct tv_error *err)
{
    size_t n_items = (size_t)d->csr.n_cols, threads = (size_t)a->als.threads;
    double seconds = 0;
    uint8_t *rated = tv_alloc(threads * n_items, 1, "marks", err);
    for (int i = 0; rated && i < a->repeat; i++) {
        double started = tv_clock();
#pragma omp parallel for schedule(dynamic, 16) num_threads(a->als.threads)
        for (int32_t u = 0; u < d->csr.n_rows; u++)
            rank_user(m, rated + (size_t)omp_get_thread_num() * n_items, &d->csr, u);
        keep(&seconds, started);
    }
    enum tv_status status = rated ? TV_OK : TV_ERR_NO_MEMORY;
    printf("top %.6f\n", seconds);
    free(rated);
    return status;
}

static enum tv_status write_lists(const struct model *m, const struct tv_matrix *d, const char *path,
                                  struct tv_error *err)
{
    FILE *f = fopen(path, "w");
    if (f == NULL)
        return tv_fail(err, TV_ERR_IO, "cannot open %s", path);
    for (size_t u = 0; u < (size_t)d->csr.n_rows; u++) {
        fprintf(f, "%lld", (long long)d->users[u]);
        for (size_t i = 0; i < TOP && m->best[u * TOP + i].item >= 0; i++)
            fprintf(f, " %lld", (long long)d->items[m->best[u * TOP + i].item]);
        fputc('\n', f);
    }
    return fclose(f) == 0 ? TV_OK : tv_fail(err, TV_ERR_IO, "cannot write %s", path);
}

/* Single predictions need no vectors; the reference gives the same bits. */
static double predict(const struct model *m, int64_t user, int64_t item)
{
    double score;
    size_t k = (size_t)m->columns;
    tv_scores_reference(&score, m->items + (size_t)item * k, 1, m->columns, m->users + (size_t)user * k);
    return score;
}

/* Predictions are made from what would be served: float16 item factors and users folded in. */
static enum tv_status test(const struct model *m, const struct tv_matrix *d, const char *path, struct tv_error *err)
{
    struct tv_matrix held_out = {0};
    enum tv_status status = rating_file_matrix(&held_out, path, err);
    if (status != TV_OK)
        return status;
    double sum = 0;
    long long n = 0;
    const struct tv_csr *t = &held_out.csr;
    for (int32_t row = 0; row < t->n_rows; row++) {
        int64_t user = tv_dense_find(d->users, (size_t)d->csr.n_rows, held_out.users[row]);
        for (int64_t p = t->start[row]; p < t->start[row + 1]; p++) {
            int64_t item = tv_dense_find(d->items, (size_t)d->csr.n_cols, held_out.items[t->column[p]]);
            if (user < 0 || item < 0)
                continue;
            double e = predict(m, user, item) - (double)t->value[p];
            sum += e * e;
            n++;
        }
    }
    printf("rmse %.6f\ntested %lld\n", sqrt(sum / (double)n), n);
    tv_matrix_free(&held_out);
    return TV_OK;
}

static enum tv_status run(const struct arguments *a, struct tv_matrix *d, struct tv_als *als, struct model *m,
                          struct tv_error *err)
{
    enum tv_status status = rating_file_matrix(d, a->train, err);
    if (status == TV_OK)
        status = fit(als, d, a, err);
    if (status == TV_OK)
        status = make_model(m, als, a->als.biases && !a->als.implicit, err);
    if (status == TV_OK)
        status = fold_in(m, d, a, err);
    if (status == TV_OK)
        status = rank_all(m, d, a, err);
    if (status == TV_OK && a->top)
        status = write_lists(m, d, a->top, err);
    if (status == TV_OK && a->test)
        status = test(m, d, a->test, err);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    if (!parse(&a, argc, argv)) {
        fprintf(stderr, "usage: als_tool [--implicit] [--biases] [--factors K] [--iterations N] [--lambda L]\n"
                        "                [--alpha A] [--seed S] [--threads T] [--repeat R] [--top FILE]\n"
                        "                TRAIN.csv [TEST.csv]\n");
        return 2;
    }
    struct tv_error err = {0};
    struct tv_matrix matrix = {0};
    struct tv_als als = {0};
    struct model model = {0};
    enum tv_status status = run(&a, &matrix, &als, &model, &err);
    if (status != TV_OK)
        fprintf(stderr, "als_tool: %s\n", err.message);
    free_model(&model);
    tv_als_free(&als);
    tv_matrix_free(&matrix);
    return tv_exit_code(status);
}
