/* test_als: alternating least squares on matrices whose answer is known, against plain solves, and on hopeless
 * input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "../als_fixture.h"
#include "lib/core/als/step.h"

enum kind { PLAIN, BIASED, IMPLICIT, KINDS };

static struct tv_als_options options_of(enum kind kind, int factors, int iterations, double lambda)
{
    return (struct tv_als_options){.implicit = kind == IMPLICIT,
                                   .biases = kind == BIASED,
                                   .factors = factors,
                                   .iterations = iterations,
                                   .lambda = lambda,
                                   .alpha = 1,
                                   .seed = 1,
                                   .threads = 2};
}

static struct tv_als run(const struct tv_csr *m, const struct tv_als_options *o)
{
    struct tv_als a;
    struct tv_error err = {0};
    if (tv_als(&a, m, o, &err) != TV_OK)
        fail_msg("%s", err.message);
    assert_int_equal(a.columns, tv_als_columns(o));
    assert_int_equal(a.users, m->n_rows);
    assert_int_equal(a.items, m->n_cols);
    return a;
}

/* Two thirds of a matrix of rank 3 are enough to find the rest. */
static void completes_a_low_rank_matrix(void **state)
{
    (void)state;
    enum { M = 60, N = 40, RANK = 3 };
    float u[M * RANK], v[N * RANK], whole[M * N], known[M * N];
    random_state = 1;
    for (int i = 0; i < M * RANK; i++)
        u[i] = (float)next_random() + 0.2f;
    for (int i = 0; i < N * RANK; i++)
        v[i] = (float)next_random() + 0.2f;
    for (int r = 0; r < M; r++)
        for (int c = 0; c < N; c++) {
            whole[r * N + c] = 0;
            for (int f = 0; f < RANK; f++)
                whole[r * N + c] += u[r * RANK + f] * v[c * RANK + f];
            known[r * N + c] = next_random() < 0.67 ? whole[r * N + c] : NAN;
        }
    struct tv_csr m = csr_of(known, M, N);
    for (enum kind kind = PLAIN; kind <= BIASED; kind++) {
        struct tv_als_options o = options_of(kind, RANK, 100, 1e-5);
        struct tv_als a = run(&m, &o);
        for (int r = 0; r < M; r++)
            for (int c = 0; c < N; c++)
                assert_true(fabs(score(&a, r, c) - (double)whole[r * N + c]) < 0.02);
        tv_als_free(&a);
    }
    tv_csr_free(&m);
}

/* Users like the items of their own parity. What they have not seen of those, the diagonal, must come first. Two
 * factors are what it takes; more of them learn the gaps of implicit feedback by heart. */
static void completes_a_checkerboard(void **state)
{
    (void)state;
    enum { N = 40 };
    float board[N * N];
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        for (int i = 0; i < N * N; i++) {
            int same = (i / N + i % N) % 2 == 0;
            board[i] = i / N == i % N ? NAN : kind == IMPLICIT ? (same ? 1.0f : NAN) : (same ? 5.0f : 1.0f);
        }
        struct tv_csr m = csr_of(board, N, N);
        struct tv_als_options o = options_of(kind, 2, 15, 0.001);
        struct tv_als a = run(&m, &o);
        for (int u = 0; u < N; u++) {
            double own = score(&a, u, u);
            if (kind != IMPLICIT)
                assert_true(fabs(own - 5) < 0.2);
            for (int i = (u + 1) % 2; i < N; i += 2)
                assert_true(score(&a, u, i) < own - 0.5);
        }
        tv_als_free(&a);
        tv_csr_free(&m);
    }
}

/* The worked example's ratings, 4 users and 5 items with gaps: three factors come as close to the 13 known ones as those
 * printed there do. */
static void fits_the_worked_example(void **state)
{
    (void)state;
    static const float r[4 * 5] = {2, NAN, NAN, 1, 4, 5, 1, 2, NAN, 2, 3, NAN, NAN, 3, NAN, 1, NAN, 4, 2, 1};
    struct tv_csr m = csr_of(r, 4, 5);
    struct tv_als_options o = options_of(PLAIN, 3, 100, 0.001);
    struct tv_als a = run(&m, &o);
    assert_int_equal(m.n_values, 13);
    for (int i = 0; i < 4 * 5; i++)
        assert_true(isnan(r[i]) || fabs(score(&a, i / 5, i % 5) - (double)r[i]) < 0.05);
    tv_als_free(&a);
    tv_csr_free(&m);
}

/* One row of the explicit half-step by LAPACK in float64: regressors are the other side's factors, and 1 for
 * a bias. */
static void expected_explicit(double *x, const struct tv_als_step *s, int r)
{
    int k = s->options->factors, biased = s->solved->bias >= 0, n = k + biased;
    int64_t from = s->ratings->start[r], end = s->ratings->start[r + 1];
    double *a = calloc((size_t)(n * n), sizeof *a), *b = calloc((size_t)n, sizeof *b);
    for (int64_t p = from; p < end; p++) {
        const float *row = s->fixed->factors + (size_t)s->ratings->column[p] * s->stride;
        double target = (double)s->ratings->value[p];
        if (biased)
            target -= (double)row[s->fixed->bias] + s->solved->mean;
        for (int i = 0; i < n; i++) {
            double left = i < k ? (double)row[i] : 1;
            b[i] += left * target;
            for (int j = 0; j < n; j++)
                a[i * n + j] += left * (j < k ? (double)row[j] : 1);
        }
    }
    for (int i = 0; i < n; i++)
        a[i * n + i] += s->options->lambda * (double)(end - from);
    assert_int_equal(solve_plainly(x, a, b, n), 0);
    free(a);
    free(b);
}

static void expected_implicit(double *x, const struct tv_als_step *s, int r)
{
    int k = s->options->factors;
    double *a = calloc((size_t)(k * k), sizeof *a), *b = calloc((size_t)k, sizeof *b);
    for (int c = 0; c < s->fixed->n; c++) {
        const float *row = s->fixed->factors + (size_t)c * s->stride;
        double w = 0, wanted = 0;
        for (int64_t p = s->ratings->start[r]; p < s->ratings->start[r + 1]; p++)
            if (s->ratings->column[p] == c) {
                w = s->options->alpha * (double)s->ratings->value[p];
                wanted = 1;
            }
        for (int i = 0; i < k; i++) {
            b[i] += (1 + w) * wanted * (double)row[i];
            for (int j = 0; j < k; j++)
                a[i * k + j] += (1 + w) * (double)row[i] * (double)row[j];
        }
    }
    for (int i = 0; i < k; i++)
        a[i * k + i] += s->options->lambda;
    assert_int_equal(solve_plainly(x, a, b, k), 0);
    free(a);
    free(b);
}

static void assert_rows_solved(const struct tv_als_step *s)
{
    int k = s->options->factors, biased = s->solved->bias >= 0;
    double *x = calloc((size_t)k + 1, sizeof *x);
    for (int r = 0; r < s->solved->n; r++) {
        const float *row = s->solved->factors + (size_t)r * s->stride;
        if (s->ratings->start[r] == s->ratings->start[r + 1])
            memset(x, 0, ((size_t)k + 1) * sizeof *x);
        else if (s->options->implicit)
            expected_implicit(x, s, r);
        else
            expected_explicit(x, s, r);
        double size = 0;
        for (int f = 0; f < k; f++)
            size = fmax(size, fabs(x[f]));
        for (int f = 0; f < k; f++)
            assert_true(fabs((double)row[f] - x[f]) <= 2e-4 * size);
        if (biased) {
            assert_true(fabs((double)row[s->solved->bias] - s->solved->mean - x[k]) <= 2e-4 * (size + fabs(x[k])));
            assert_true(row[s->fixed->bias] == 1);
        }
        for (size_t f = (size_t)tv_als_columns(s->options); f < s->stride; f++)
            assert_true(row[f] == 0);
    }
    free(x);
}

/* Both directions of biases, since the columns of bias and of ones change places; lengths around the widths of
 * vectors, tiles and groups. */
static void check_half_step(enum kind kind, int k, int users, int items, double density)
{
    struct tv_csr m = random_ratings(users, items, density);
    struct tv_als_options o = options_of(kind, k, 1, 0.3);
    size_t stride = tv_als_stride(&o);
    for (int of_users = 0; of_users < 2; of_users++) {
        struct tv_als_side solved = {.n = users, .bias = -1}, fixed = {.n = items, .bias = -1};
        if (kind == BIASED) {
            solved.bias = of_users ? k + 1 : k;
            fixed.bias = of_users ? k : k + 1;
            solved.mean = of_users ? 0 : 2.75;
        }
        solved.factors = calloc((size_t)users * stride, sizeof(float));
        fixed.factors = calloc((size_t)items * stride, sizeof(float));
        for (int i = 0; i < items; i++)
            for (int f = 0; f < tv_als_columns(&o); f++)
                fixed.factors[(size_t)i * stride + (size_t)f] =
                    kind == BIASED && f == solved.bias ? 1 : (float)(2 * next_random() - 1);
        double *gram = calloc((size_t)(k * k), sizeof *gram), *penalty = calloc((size_t)users, sizeof *penalty);
        assert_int_equal(tv_als_gram(gram, &fixed, stride, k, 2, NULL), TV_OK);
        struct tv_als_step s = {.options = &o,
                                .stride = stride,
                                .ratings = &m,
                                .solved = &solved,
                                .fixed = &fixed,
                                .gram = gram,
                                .cg_steps = 6 * k,
                                .penalty = penalty};
        assert_int_equal(tv_als_step(&s, NULL), TV_OK);
        assert_rows_solved(&s);
        free(solved.factors);
        free(fixed.factors);
        free(gram);
        free(penalty);
    }
    tv_csr_free(&m);
}

static void half_steps_solve_the_equations(void **state)
{
    (void)state;
    const int ks[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50};
    random_state = 2;
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof ks / sizeof *ks; i++)
            check_half_step(kind, ks[i], 12, 70, 0.4);
        check_half_step(kind, 10, 4, 700, 0.6); /* many groups of ratings */
        check_half_step(kind, 6, 9, 5, 0.2);    /* rows without any */
    }
}

/* Such a lambda is lost in float32. */
static void float64_takes_over(void **state)
{
    (void)state;
    struct tv_csr m = random_ratings(20, 15, 0.5);
    struct tv_als_options o = options_of(PLAIN, 30, 3, 1e-10);
    struct tv_als a = run(&m, &o);
    for (int u = 0; u < m.n_rows; u++)
        for (int64_t p = m.start[u]; p < m.start[u + 1]; p++)
            assert_true(fabs(score(&a, u, m.column[p]) - (double)m.value[p]) < 1e-3);
    tv_als_free(&a);
    tv_csr_free(&m);
}

static double expected_objective(const struct tv_csr *m, const struct tv_als *a, const struct tv_als_options *o)
{
    int k = o->factors;
    double total = 0;
    int *n_of_item = calloc((size_t)m->n_cols, sizeof *n_of_item);
    for (int u = 0; u < m->n_rows; u++) {
        int64_t p = m->start[u], n = m->start[u + 1] - p;
        for (int i = 0; i < m->n_cols; i++) {
            int rated = p < m->start[u + 1] && m->column[p] == i;
            double value = rated ? (double)m->value[p] : 0, s = score(a, u, i);
            p += rated;
            n_of_item[i] += rated;
            if (o->implicit)
                total += (1 + o->alpha * value) * (rated - s) * (rated - s);
            else
                total += rated ? (value - s) * (value - s) : 0;
        }
        for (int f = 0; f < a->columns; f++) {
            double x = f == k ? 0 : (double)a->user_factors[u * a->columns + f];
            total += o->lambda * (o->implicit ? 1 : (double)n) * x * x;
        }
    }
    for (int i = 0; i < m->n_cols; i++)
        for (int f = 0; f < a->columns && f <= k; f++) {
            double x = (double)a->item_factors[i * a->columns + f] - (f == k ? a->mean : 0);
            total += o->lambda * (o->implicit ? 1 : n_of_item[i]) * x * x;
        }
    free(n_of_item);
    return total;
}

static void objective_never_rises(void **state)
{
    (void)state;
    random_state = 3;
    struct tv_csr m = random_ratings(150, 90, 0.2);
    const double lambdas[] = {1e-3, 0.1, 2};
    for (enum kind kind = PLAIN; kind < KINDS; kind++)
        for (int l = 0; l < 3; l++) {
            struct tv_als_options o = options_of(kind, 12, 25, lambdas[l]);
            struct tv_als a = run(&m, &o);
            assert_int_equal(a.iterations, o.iterations);
            for (int i = 1; i < a.iterations; i++)
                assert_true(a.objective[i] <= a.objective[i - 1] * (1 + 1e-6));
            double expected = expected_objective(&m, &a, &o);
            assert_true(fabs(a.objective[a.iterations - 1] - expected) <= 1e-5 * expected);
            tv_als_free(&a);
        }
    tv_csr_free(&m);
}

static int same_bytes(const struct tv_als *a, const struct tv_als *b)
{
    size_t columns = (size_t)a->columns;
    return a->iterations == b->iterations &&
           memcmp(a->objective, b->objective, (size_t)a->iterations * sizeof *a->objective) == 0 &&
           memcmp(a->user_factors, b->user_factors, (size_t)a->users * columns * sizeof(float)) == 0 &&
           memcmp(a->item_factors, b->item_factors, (size_t)a->items * columns * sizeof(float)) == 0;
}

static void threads_change_no_byte_but_seeds_do(void **state)
{
    (void)state;
    random_state = 4;
    struct tv_csr m = random_ratings(300, 200, 0.1);
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct tv_als_options o = options_of(kind, 19, 4, 0.05);
        struct tv_als first = run(&m, &o);
        for (int threads = 1; threads <= 3; threads++) {
            o.threads = threads;
            struct tv_als again = run(&m, &o);
            assert_true(same_bytes(&first, &again));
            tv_als_free(&again);
        }
        o.seed++;
        struct tv_als other = run(&m, &o);
        assert_false(same_bytes(&first, &other));
        tv_als_free(&other);
        tv_als_free(&first);
    }
    tv_csr_free(&m);
}

static uint64_t hash(const float *x, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n * sizeof *x; i++)
        h = (h ^ ((const unsigned char *)x)[i]) * 0x100000001b3u;
    return h;
}

/* The bytes a known run gives, on every processor and in builds without AVX2 (those with sanitizers). */
static void every_processor_gives_the_same_bytes(void **state)
{
    (void)state;
    const uint64_t known[KINDS] = {0x0aa7e00c24b6ba7d, 0xec7d792cfd697c0e, 0x360b1c2296771898};
    random_state = 5;
    struct tv_csr m = random_ratings(100, 130, 0.3);
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct tv_als_options o = options_of(kind, 21, 3, 0.05);
        struct tv_als a = run(&m, &o);
        uint64_t got = hash(a.user_factors, (size_t)(a.users * a.columns)) ^
                       hash(a.item_factors, (size_t)(a.items * a.columns));
        if (got != known[kind])
            fail_msg("kind %d gives 0x%016llx", (int)kind, (unsigned long long)got);
        tv_als_free(&a);
    }
    tv_csr_free(&m);
}

static void small_and_odd_matrices(void **state)
{
    (void)state;
    const float one[] = {3}, row[] = {1, NAN, 5}, constant[] = {4, 4, 4, 4, 4, 4}, zeros[] = {0, 0, 0, 0};
    const struct {
        const float *values;
        int rows, cols;
    } cases[] = {{one, 1, 1}, {row, 1, 3}, {row, 3, 1}, {constant, 2, 3}, {zeros, 2, 2}};
    for (enum kind kind = PLAIN; kind < KINDS; kind++)
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
            for (int k = 1; k <= 70; k = k * 2 + 3) {
                struct tv_csr m = csr_of(cases[c].values, cases[c].rows, cases[c].cols);
                struct tv_als_options o = options_of(kind, k, 10, 1e-4);
                struct tv_als a = run(&m, &o);
                for (int u = 0; u < m.n_rows; u++)
                    for (int64_t p = m.start[u]; p < m.start[u + 1]; p++) {
                        double wanted = kind == IMPLICIT ? 1 : (double)m.value[p];
                        assert_true(fabs(score(&a, u, m.column[p]) - wanted) < 0.05);
                    }
                tv_als_free(&a);
                tv_csr_free(&m);
            }
}

/* A user and an item nobody knows anything about: no factors, and with biases the mean. */
static void rows_without_ratings(void **state)
{
    (void)state;
    const float known[] = {1, NAN, 2, NAN, NAN, NAN, 3, NAN, 6};
    struct tv_csr m = csr_of(known, 3, 3);
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct tv_als_options o = options_of(kind, 2, 5, 0.01);
        struct tv_als a = run(&m, &o);
        for (int f = 0; f < 2; f++) {
            assert_true(a.user_factors[1 * a.columns + f] == 0);
            assert_true(a.item_factors[1 * a.columns + f] == 0);
        }
        assert_true(fabs(score(&a, 1, 1) - (kind == BIASED ? 3 : 0)) < 1e-6);
        tv_als_free(&a);
    }
    tv_csr_free(&m);
}

struct watch {
    int calls, stop_at;
    double last;
};

static int watch(void *context, int iteration, double objective)
{
    struct watch *w = context;
    assert_int_equal(iteration, ++w->calls);
    w->last = objective;
    return iteration == w->stop_at;
}

static void progress_and_interruption(void **state)
{
    (void)state;
    random_state = 6;
    struct tv_csr m = random_ratings(20, 20, 0.5);
    struct tv_als_options o = options_of(PLAIN, 3, 7, 0.1);
    struct watch w = {0};
    o.progress = watch;
    o.context = &w;
    struct tv_als a = run(&m, &o);
    assert_int_equal(w.calls, 7);
    assert_true(w.last == a.objective[6]);
    tv_als_free(&a);
    w = (struct watch){.stop_at = 2};
    struct tv_error err = {0};
    assert_int_equal(tv_als(&a, &m, &o, &err), TV_ERR_INTERRUPTED);
    assert_int_equal(w.calls, 2);
    assert_null(a.user_factors);
    assert_null(a.objective);
    tv_csr_free(&m);
}

static void stops_without_improvement(void **state)
{
    (void)state;
    random_state = 7;
    struct tv_csr m = random_ratings(30, 20, 0.5);
    struct tv_als_options o = options_of(PLAIN, 2, 1000, 0.5);
    o.tolerance = 1e-4;
    struct tv_als a = run(&m, &o);
    int n = a.iterations;
    assert_in_range(n, 2, 999);
    assert_true(a.objective[n - 2] - a.objective[n - 1] < 1e-4 * a.objective[n - 2]);
    for (int i = 1; i < n - 1; i++)
        assert_true(a.objective[i - 1] - a.objective[i] >= 1e-4 * a.objective[i - 1]);
    tv_als_free(&a);
    tv_csr_free(&m);
}

static void options_out_of_range(void **state)
{
    (void)state;
    const float values[] = {1, 2, 3, 4};
    struct tv_csr m = csr_of(values, 2, 2), empty = csr_of((const float[]){NAN}, 1, 1);
    struct tv_als a;
    struct tv_error err = {0};
    struct tv_als_options bad[6];
    for (int i = 0; i < 6; i++)
        bad[i] = options_of(IMPLICIT, 2, 2, 0.1);
    bad[0].factors = 0;
    bad[1].iterations = 0;
    bad[2].lambda = 0;
    bad[3].lambda = NAN;
    bad[4].alpha = -1;
    bad[5].tolerance = -1;
    for (int i = 0; i < 6; i++)
        assert_int_equal(tv_als(&a, &m, &bad[i], &err), TV_ERR_USAGE);
    struct tv_als_options good = options_of(PLAIN, 2, 2, 0.1);
    assert_int_equal(tv_als(&a, &empty, &good, &err), TV_ERR_USAGE);
    assert_non_null(strstr(err.message, "1 x 1"));
    tv_csr_free(&m);
    tv_csr_free(&empty);
}

static void impossible_values(void **state)
{
    (void)state;
    const float endless[] = {1, INFINITY}, huge[] = {3e38f, -3e38f, 3e38f, 3e38f}, below[] = {1, -1};
    struct tv_csr a_ratings = csr_of(endless, 1, 2), b_ratings = csr_of(huge, 2, 2), c_ratings = csr_of(below, 2, 1);
    struct tv_als a;
    struct tv_error err = {0};
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct tv_als_options o = options_of(kind, 2, 3, 1e-3);
        assert_int_equal(tv_als(&a, &a_ratings, &o, &err), TV_ERR_NUMERIC);
        assert_non_null(strstr(err.message, "value 2"));
        assert_string_not_equal(err.hint, "");
        assert_int_equal(tv_als(&a, &a_ratings, &o, NULL), TV_ERR_NUMERIC);
        assert_null(a.item_factors);
    }
    struct tv_als_options o = options_of(PLAIN, 2, 3, 1e-3);
    assert_int_equal(tv_als(&a, &b_ratings, &o, &err), TV_ERR_NUMERIC);
    assert_string_not_equal(err.hint, "");
    assert_int_equal(tv_als(&a, &b_ratings, &o, NULL), TV_ERR_NUMERIC);
    o = options_of(IMPLICIT, 2, 3, 1e-3);
    assert_int_equal(tv_als(&a, &c_ratings, &o, &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.message, "value 2 of the matrix is -1"));
    tv_csr_free(&a_ratings);
    tv_csr_free(&b_ratings);
    tv_csr_free(&c_ratings);
}

static void memory_grows_with_everything(void **state)
{
    (void)state;
    struct tv_als_options o = options_of(PLAIN, 50, 1, 0.1), wide = options_of(PLAIN, 100, 1, 0.1);
    double base = tv_als_memory(1000, 500, 100000, &o);
    assert_true(base > 8.0 * 100000 + 2 * 4.0 * 1500 * 50);
    assert_true(tv_als_memory(2000, 500, 100000, &o) > base);
    assert_true(tv_als_memory(1000, 600, 100000, &o) > base);
    assert_true(tv_als_memory(1000, 500, 200000, &o) > base);
    assert_true(tv_als_memory(1000, 500, 100000, &wide) > base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes_a_low_rank_matrix),
        cmocka_unit_test(completes_a_checkerboard),
        cmocka_unit_test(fits_the_worked_example),
        cmocka_unit_test(half_steps_solve_the_equations),
        cmocka_unit_test(float64_takes_over),
        cmocka_unit_test(objective_never_rises),
        cmocka_unit_test(threads_change_no_byte_but_seeds_do),
        cmocka_unit_test(every_processor_gives_the_same_bytes),
        cmocka_unit_test(small_and_odd_matrices),
        cmocka_unit_test(rows_without_ratings),
        cmocka_unit_test(progress_and_interruption),
        cmocka_unit_test(stops_without_improvement),
        cmocka_unit_test(options_out_of_range),
        cmocka_unit_test(impossible_values),
        cmocka_unit_test(memory_grows_with_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
