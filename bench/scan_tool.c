/* scan_tool: lists by the scan in the order of lengths beside lists by scoring every item, on the model of a file of
 * ratings.
 *
 *   scan_tool [options] RATINGS.csv
 *     --als | --implicit   alternating least squares with biases, or for counts, instead of the SVD
 *     --factors K  --iterations N  --threads T   of the model
 *     --top N              how long a list is (50: what a server keeps of one)
 *     --users N            how many users, spread over all of them (500; all, where there are fewer)
 *     --keep SHARE         a filter leaves this share of the items, drawn by lot
 *
 * The file has lines user,item,rating[,...] with or without a header line. Items that a user has rated are in no list.
 * Both ways take turns, a few users at a time, on one thread, whose processor time is what counts. Prints lists a second of
 * both, their ratio, and the share of items scored; ends with status 1 where two lists differ in a bit.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rating_file.h"
#include "trivet/base/buffer.h"
#include "trivet/core/als/als.h"
#include "trivet/core/fold_in.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/scan/scan.h"
#include "trivet/core/svd/svd.h"
#include "trivet/core/top_n.h"

enum algorithm { SVD, ALS, IMPLICIT };

/* TURN: users between two changes of the way. */
enum { TURN = 16 };

struct arguments {
    enum algorithm algorithm;
    int factors, iterations, threads, top, users;
    double keep;
    const char *ratings;
};

/* The model as it is stored and served. */
struct model {
    int columns, biases;
    uint16_t *items;
    float *wide; /* for the full scan */
    double *sigma;
    struct tv_fold_in fold_in;
    struct tv_scan scan;
};

/* The users of one turn, and what becomes of them. */
struct turn {
    int n;
    int32_t user[TURN];
    float *factors;        /* (TURN, columns) */
    struct tv_scored *best[2]; /* (TURN, top) of each way */
    size_t found[2][TURN];
};

struct totals {
    double seconds[2];
    double *share; /* (users) of the items looked at */
    double scored; /* share of the items scored, mean */
    int n, differ;
    size_t n_kept; /* by the filter */
};

static int parse(struct arguments *a, int argc, char **argv)
{
    enum { FACTORS = 1, ITERATIONS, THREADS, TOP, USERS, KEEP, AS_ALS, AS_IMPLICIT };
    static const struct option names[] = {
        {"factors", required_argument, NULL, FACTORS}, {"iterations", required_argument, NULL, ITERATIONS},
        {"threads", required_argument, NULL, THREADS}, {"top", required_argument, NULL, TOP},
        {"users", required_argument, NULL, USERS},     {"keep", required_argument, NULL, KEEP},
        {"als", no_argument, NULL, AS_ALS},            {"implicit", no_argument, NULL, AS_IMPLICIT},
        {NULL, 0, NULL, 0}};
    int option;
    *a = (struct arguments){.factors = 50, .iterations = 10, .threads = 1, .top = 50, .users = 500, .keep = 1};
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (option) {
        case FACTORS:
            a->factors = atoi(optarg);
            break;
        case ITERATIONS:
            a->iterations = atoi(optarg);
            break;
        case THREADS:
            a->threads = atoi(optarg);
            break;
        case TOP:
            a->top = atoi(optarg);
            break;
        case USERS:
            a->users = atoi(optarg);
            break;
        case KEEP:
            a->keep = atof(optarg);
            break;
        case AS_ALS:
        case AS_IMPLICIT:
            a->algorithm = option == AS_ALS ? ALS : IMPLICIT;
            break;
        default:
            return 0;
        }
    a->ratings = optind < argc ? argv[optind] : NULL;
    return a->ratings && optind + 1 == argc && a->top > 0 && a->users > 0;
}

/* --- the model --------------------------------------------------------------------------------------------- */

static enum tv_status pack(struct model *m, const float *factors, int32_t n_items, struct tv_error *err)
{
    size_t n = (size_t)n_items * (size_t)m->columns;
    m->items = tv_alloc(n, sizeof *m->items, "item factors", err);
    m->wide = tv_alloc(n, sizeof *m->wide, "item factors", err);
    if (!m->items || !m->wide)
        return TV_ERR_NO_MEMORY;
    if (tv_half_from_floats(m->items, factors, n) > 0)
        return tv_fail(err, TV_ERR_NUMERIC, "an item factor is beyond float16");
    tv_half_to_floats(m->wide, m->items, n);
    return TV_OK;
}

/* Items get V S^(1/2), as the trainer's default is. */
static enum tv_status learn_svd(struct model *m, const struct tv_csr *matrix, const struct arguments *a, struct tv_error *err)
{
    struct tv_svd svd = {0};
    struct tv_svd_options o;
    tv_svd_defaults(&o);
    o.factors = a->factors;
    o.threads = a->threads;
    enum tv_status status = tv_svd(&svd, matrix, &o, err);
    if (status != TV_OK)
        return status;
    for (size_t i = 0; i < (size_t)svd.cols * (size_t)svd.factors; i++)
        svd.v[i] = (float)((double)svd.v[i] * sqrt(svd.sigma[i % (size_t)svd.factors]));
    m->columns = svd.factors;
    m->sigma = svd.sigma;
    svd.sigma = NULL;
    status = pack(m, svd.v, svd.cols, err);
    if (status == TV_OK)
        status = tv_fold_in_svd(&m->fold_in, m->items, svd.cols, svd.factors, m->sigma, .5, err);
    tv_svd_free(&svd);
    return status;
}

static enum tv_status learn_als(struct model *m, const struct tv_csr *matrix, const struct arguments *a, struct tv_error *err)
{
    struct tv_als als = {0};
    struct tv_als_options o = {.factors = a->factors, .iterations = a->iterations, .lambda = .1, .alpha = 1, .seed = 1,
                               .threads = a->threads, .implicit = a->algorithm == IMPLICIT};
    o.biases = m->biases = !o.implicit;
    enum tv_status status = tv_als(&als, matrix, &o, err);
    if (status != TV_OK)
        return status;
    m->columns = als.columns;
    status = pack(m, als.item_factors, als.items, err);
    if (status == TV_OK)
        status = o.implicit ? tv_fold_in_als_implicit(&m->fold_in, m->items, als.items, m->columns, o.lambda, o.alpha, err)
                            : tv_fold_in_als(&m->fold_in, m->items, als.items, m->columns, 1, o.lambda, err);
    tv_als_free(&als);
    return status;
}

static void free_model(struct model *m)
{
    tv_fold_in_free(&m->fold_in);
    tv_scan_free(&m->scan);
    free(m->items);
    free(m->wide);
    free(m->sigma);
}

/* --- both ways --------------------------------------------------------------------------------------------- */

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void mark(uint8_t *skip, const struct tv_csr *matrix, int32_t user, uint8_t by)
{
    for (int64_t p = matrix->start[user]; p < matrix->start[user + 1]; p++)
        skip[matrix->column[p]] ^= by;
}

static enum tv_status fold_in(struct turn *t, const struct model *m, const struct tv_csr *matrix, struct tv_error *err)
{
    size_t k = (size_t)m->columns;
    uint16_t *value = tv_alloc(k, sizeof *value, "a user", err);
    enum tv_status status = value ? TV_OK : TV_ERR_NO_MEMORY;
    for (int i = 0; status == TV_OK && i < t->n; i++) {
        int64_t from = matrix->start[t->user[i]];
        struct tv_user_ratings rated = {matrix->column + from, matrix->value + from,
                                        (size_t)(matrix->start[t->user[i] + 1] - from)};
        status = tv_fold_in_factors(&m->fold_in, value, &rated, err);
        tv_half_to_floats(t->factors + (size_t)i * k, value, k);
    }
    free(value);
    return status;
}

/* Way 0 scores every item, way 1 scans. Marks of the user's own items are worth 2, those of the filter 1. */
static void make_lists(struct turn *t, int way, const struct model *m, const struct tv_csr *matrix, double *scores,
                       uint8_t *skip, const struct arguments *a, struct totals *totals)
{
    double started = processor_seconds();
    size_t k = (size_t)m->columns, n_items = (size_t)matrix->n_cols;
    for (int i = 0; i < t->n; i++) {
        struct tv_scored *best = t->best[way] + (size_t)i * (size_t)a->top;
        const float *user = t->factors + (size_t)i * k;
        struct tv_scan_work work;
        mark(skip, matrix, t->user[i], 2);
        if (way == 0) {
            tv_scores(scores, m->wide, n_items, m->columns, user);
            t->found[0][i] = tv_top_n(best, (size_t)a->top, scores, skip, n_items);
        } else {
            t->found[1][i] = tv_scan_top(best, (size_t)a->top, &m->scan, user, skip, totals->n_kept, &work);
            totals->scored += (double)work.scored / (double)n_items / a->users;
            totals->share[totals->n++] = (double)(work.coded + work.scored) / (double)n_items;
        }
        mark(skip, matrix, t->user[i], 2);
    }
    totals->seconds[way] += processor_seconds() - started;
}

static int same(const struct turn *t, int i, size_t top)
{
    const struct tv_scored *a = t->best[0] + (size_t)i * top, *b = t->best[1] + (size_t)i * top;
    int equal = t->found[0][i] == t->found[1][i];
    for (size_t j = 0; equal && j < t->found[0][i]; j++)
        equal = a[j].item == b[j].item && memcmp(&a[j].score, &b[j].score, sizeof a[j].score) == 0;
    return equal;
}

/* Users as far apart as their number allows, from both ends of the matrix. */
static enum tv_status compare(struct totals *totals, const struct model *m, const struct tv_csr *matrix,
                              const struct arguments *a, struct tv_error *err)
{
    size_t n_items = (size_t)matrix->n_cols, rows = TURN * (size_t)a->top;
    double *scores = tv_alloc(n_items, sizeof *scores, "scores", err);
    uint8_t *skip = tv_alloc(n_items, 1, "marks", err);
    struct turn t = {.factors = tv_alloc(TURN * (size_t)m->columns, sizeof *t.factors, "users", err)};
    t.best[0] = tv_alloc(rows, sizeof **t.best, "lists", err);
    t.best[1] = tv_alloc(rows, sizeof **t.best, "lists", err);
    totals->share = tv_alloc((size_t)a->users, sizeof *totals->share, "shares", err);
    enum tv_status status =
        scores && skip && t.factors && t.best[0] && t.best[1] && totals->share ? TV_OK : TV_ERR_NO_MEMORY;
    srandom(1);
    for (size_t i = 0; status == TV_OK && i < n_items; i++)
        totals->n_kept += !(skip[i] = (double)random() / RAND_MAX >= a->keep && a->keep < 1);
    for (int from = 0; status == TV_OK && from < a->users; from += TURN) {
        t.n = a->users - from < TURN ? a->users - from : TURN;
        for (int i = 0; i < t.n; i++)
            t.user[i] = (int32_t)((int64_t)(from + i) * matrix->n_rows / a->users);
        status = fold_in(&t, m, matrix, err);
        for (int way = 0; status == TV_OK && way < 2; way++)
            make_lists(&t, way, m, matrix, scores, skip, a, totals);
        for (int i = 0; status == TV_OK && i < t.n; i++)
            totals->differ += !same(&t, i, (size_t)a->top);
    }
    free(scores);
    free(skip);
    free(t.factors);
    free(t.best[0]);
    free(t.best[1]);
    return status;
}

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void print(struct totals *t, const struct tv_csr *matrix, double prepared)
{
    double mean = 0;
    for (int i = 0; i < t->n; i++)
        mean += t->share[i] / t->n;
    qsort(t->share, (size_t)t->n, sizeof *t->share, ascending);
    printf("items %d\nusers %d\nprepared %.6f\nfull %.1f\nscan %.1f\nratio %.2f\n", matrix->n_cols, t->n, prepared,
           t->n / t->seconds[0], t->n / t->seconds[1], t->seconds[0] / t->seconds[1]);
    printf("scored %.5f\nlooked_at %.5f\nmedian %.5f\np99 %.5f\ndiffer %d\n", t->scored, mean, t->share[t->n / 2], t->share[t->n * 99 / 100], t->differ);
}

static enum tv_status run(struct arguments *a, struct tv_matrix *d, struct model *m, struct totals *totals, struct tv_error *err)
{
    enum tv_status status = rating_file_matrix(d, a->ratings, err);
    a->users = a->users < d->csr.n_rows ? a->users : d->csr.n_rows;
    if (status == TV_OK)
        status = a->algorithm == SVD ? learn_svd(m, &d->csr, a, err) : learn_als(m, &d->csr, a, err);
    double started = processor_seconds();
    if (status == TV_OK)
        status = tv_scan_create(&m->scan, m->items, d->csr.n_cols, m->columns, m->biases ? 2 : 0, err);
    double prepared = processor_seconds() - started;
    if (status == TV_OK)
        status = compare(totals, m, &d->csr, a, err);
    if (status == TV_OK)
        print(totals, &d->csr, prepared);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments a;
    if (!parse(&a, argc, argv)) {
        fprintf(stderr, "usage: scan_tool [--als | --implicit] [--factors K] [--iterations N] [--threads T] [--top N]\n"
                        "                 [--users N] [--keep SHARE] RATINGS.csv\n");
        return 2;
    }
    struct tv_error err = {0};
    struct tv_matrix matrix = {0};
    struct model model = {0};
    struct totals totals = {0};
    enum tv_status status = run(&a, &matrix, &model, &totals, &err);
    if (status != TV_OK)
        fprintf(stderr, "scan_tool: %s\n", err.message);
    free(totals.share);
    free_model(&model);
    tv_matrix_free(&matrix);
    return status == TV_OK ? totals.differ > 0 : tv_exit_code(status);
}
