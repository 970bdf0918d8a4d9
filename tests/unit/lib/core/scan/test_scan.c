/* test_scan: lists of the scan against lists of all scores, bit for bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../numbers_fixture.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/scan/scan.h"

enum { CASES = 10000, MAX_K = 200, MAX_N = 1500, LARGE_N = 9000, MAX_TOP = 1000 };

static uint32_t below(uint32_t n)
{
    return next_random() % n;
}

static double unit(void)
{
    return (double)next_random() / (1 << 24) * 2 - 1;
}

/* Any half but infinities and NaNs. */
static uint16_t any_half(void)
{
    uint16_t h;
    do
        h = (uint16_t)next_random();
    while (!tv_half_is_finite(h));
    return h;
}

/* --- shapes of items and users ----------------------------------------------------------------------------- */

enum shape { PLAIN, FALLING, EQUAL, ZERO, SUBNORMAL, GIANT, TIES, ANY, SAME, NEIGHBOURS, SPARSE, SHAPES };

struct model {
    size_t n, k;
    int apart;
    uint16_t *items;
    float *wide;
};

/* One factor of a row; `at` is its place among all rows. */
static uint16_t factor(enum shape shape, size_t at, size_t n)
{
    switch (shape) {
    case FALLING:
        return tv_half_from_double(unit() * pow(.5, 10.0 * (double)at / (double)n));
    case EQUAL:
        return tv_half_from_double(below(2) ? .25 : -.25);
    case ZERO:
        return 0;
    case SUBNORMAL:
        return (uint16_t)(below(2) << 15 | below(4));
    case GIANT:
        return tv_half_from_double(at == n / 2 ? unit() * 65000 : unit() * 1e-3);
    case TIES:
        return tv_half_from_double((double)below(3) - 1);
    case ANY:
        return any_half();
    case SPARSE:
        return below(20) ? 0 : tv_half_from_double(unit());
    default:
        return tv_half_from_double(unit());
    }
}

/* SAME: all rows are the first; NEIGHBOURS: the first but for one last bit, so that scores differ by what rounding does. */
static void make_items(struct model *m, enum shape shape)
{
    for (size_t i = 0; i < m->n; i++) {
        uint16_t *row = m->items + i * m->k;
        for (size_t f = 0; f < m->k; f++)
            row[f] = i && (shape == SAME || shape == NEIGHBOURS) ? m->items[f] : factor(shape, i, m->n);
        if (i && shape == NEIGHBOURS)
            row[below((uint32_t)m->k)] ^= 1;
        if (below(50) == 0) /* rows of nothing, among any others */
            memset(row, 0, m->k * sizeof *row);
    }
}

/* The last columns as ALS has them, mean and bias of the item and a 1; or anything; or so large, beside the rest of the
 * row, that what rounding does to their sum decides about scores. */
static void make_biases(struct model *m)
{
    uint32_t kind = below(4);
    for (size_t i = 0; m->apart > 0 && i < m->n; i++) {
        uint16_t *row = m->items + i * m->k, *column = row + m->k - m->apart;
        for (int c = 0; c < m->apart; c++)
            column[c] = kind == 0   ? any_half()
                        : kind == 1 ? tv_half_from_double(60000)
                                    : tv_half_from_double(c == 0 ? 3.5 + unit() : 1);
        for (uint16_t *f = row; kind == 1 && f < column; f++)
            *f = tv_half_from_double(unit() * 1e-3);
    }
}

static void make_user(float *user, const struct model *m, enum shape shape)
{
    const float *item = m->wide + below((uint32_t)m->n) * m->k;
    uint32_t kind = below(6);
    for (size_t f = 0; f < m->k; f++)
        user[f] = kind == 0   ? item[f]
                  : kind == 1 ? -item[f]
                  : kind == 2 ? tv_half_to_float(any_half())
                              : tv_half_to_float(factor(kind == 3 ? shape : PLAIN, below((uint32_t)m->n), m->n));
    float *column = user + m->k - m->apart;
    int large = below(4) == 0;
    for (int c = 0; c < m->apart && below(6); c++)
        column[c] = large ? (c == 0 ? 60000 : -60000) : c == 0 ? 1 : (float)unit();
}

/* Fills `skip` so that none, one, top - 1, top or some are left, or returns NULL: nobody is left out. */
static const uint8_t *make_filter(uint8_t *skip, size_t n, size_t top, size_t *n_kept)
{
    const size_t left[] = {0, 1, top ? top - 1 : 0, top, n / 100, below((uint32_t)n + 1)};
    uint32_t kind = below(9);
    *n_kept = n;
    if (kind == 8)
        return NULL;
    if (kind == 7) { /* what a user has rated */
        for (size_t i = 0; i < n; i++)
            skip[i] = below(30) == 0;
        return skip;
    }
    memset(skip, kind == 6 ? 0 : 3, n);
    for (size_t i = 0; kind < 6 && i < left[kind]; i++)
        skip[below((uint32_t)n)] = 0;
    if (below(2)) {
        *n_kept = 0;
        for (size_t i = 0; i < n; i++)
            *n_kept += skip[i] == 0;
    }
    return skip;
}

/* --- the comparison ---------------------------------------------------------------------------------------- */

static void compare(const struct model *m, const struct tv_scan *scan, const float *user, size_t top, const uint8_t *skip,
                    size_t n_kept)
{
    static double scores[LARGE_N];
    static struct tv_scored full[MAX_TOP + 1], got[MAX_TOP + 1];
    memset(got, 0xa5, sizeof got);
    tv_scores_reference(scores, m->wide, m->n, (int)m->k, user);
    size_t expected = tv_top_n(full, top, scores, skip, m->n), n = tv_scan_top(got, top, scan, user, skip, n_kept, NULL);
    assert_int_equal(n, expected);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got[i].item, full[i].item);
        assert_memory_equal(&got[i].score, &full[i].score, sizeof got[i].score);
    }
    for (const unsigned char *at = (const unsigned char *)(got + top); at < (const unsigned char *)(got + MAX_TOP + 1); at++)
        assert_int_equal(*at, 0xa5); /* nothing is written beyond the list */
}

/* The definition: cosines of all, the item itself and rows of nothing left out. */
static void compare_nearest(const struct model *m, const struct tv_scan *scan, int32_t item, size_t top, float *row)
{
    static double scores[LARGE_N], length[LARGE_N];
    static struct tv_scored full[MAX_TOP + 1], got[MAX_TOP + 1];
    size_t directions = m->k - (size_t)m->apart;
    memcpy(row, m->wide + (size_t)item * m->k, m->k * sizeof *row);
    memset(row + directions, 0, (size_t)m->apart * sizeof *row);
    tv_scores_reference(scores, m->wide, m->n, (int)m->k, row);
    for (size_t i = 0; i < m->n; i++) {
        double sum = 0;
        for (size_t f = 0; f < directions; f++)
            sum += (double)m->wide[i * m->k + f] * (double)m->wide[i * m->k + f];
        length[i] = sqrt(sum);
    }
    for (size_t i = 0; i < m->n; i++)
        scores[i] /= length[i] * length[item];
    scores[item] = NAN;
    size_t expected = tv_top_n(full, top, scores, NULL, m->n), n = tv_scan_nearest(got, top, scan, item, row);
    assert_int_equal(n, expected);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got[i].item, full[i].item);
        assert_memory_equal(&got[i].score, &full[i].score, sizeof got[i].score);
    }
}

static size_t a_length(void)
{
    const size_t usual[] = {1, 2, 10, 15, 50, 100, MAX_TOP, below(MAX_TOP + 1)};
    return usual[below(sizeof usual / sizeof *usual)];
}

/* One model, and a few users and filters on it. */
static void check_model(size_t n, size_t k, int users)
{
    static uint8_t skip[LARGE_N];
    enum shape shape = (enum shape)below(SHAPES);
    struct model m = {.n = n, .k = k, .apart = k > 2 ? (int)below(3) : 0};
    struct tv_scan scan;
    float *user = malloc(k * sizeof *user);
    m.items = malloc(n * k * sizeof *m.items);
    m.wide = malloc(n * k * sizeof *m.wide);
    assert_true(user && m.items && m.wide);
    make_items(&m, shape);
    make_biases(&m);
    tv_half_to_floats(m.wide, m.items, n * k);
    assert_int_equal(tv_scan_create(&scan, m.items, (int32_t)n, (int)k, m.apart, NULL), TV_OK);
    for (int u = 0; u < users; u++) {
        size_t top = a_length(), n_kept;
        make_user(user, &m, shape);
        const uint8_t *filter = make_filter(skip, n, top, &n_kept);
        compare(&m, &scan, user, top, filter, n_kept);
        compare_nearest(&m, &scan, (int32_t)below((uint32_t)n), top, user);
    }
    tv_scan_free(&scan);
    free(user);
    free(m.items);
    free(m.wide);
}

static void lists_equal_the_full_scan(void **state)
{
    (void)state;
    for (int done = 0; done < CASES; done += 4) {
        size_t k = below(3) ? 1 + below(MAX_K) : 1 + below(8);
        check_model(1 + below(below(4) ? 300 : MAX_N), k, 4);
    }
}

/* Several buckets of an order with biases, and rows that are too long for codes. */
static void sizes_beyond_the_usual(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++)
        check_model(LARGE_N - below(200), 1 + below(20), 3);
    for (int round = 0; round < 20; round++)
        check_model(1 + below(300), 1020 + below(12), 3);
    check_model(300, 5000, 3);
}

/* The contract is that there are none, but whatever comes, the list is that of all scores. */
static void users_that_are_not_finite(void **state)
{
    (void)state;
    const float odd[] = {INFINITY, -INFINITY, NAN, 3e38f};
    enum { N = 700, K = 9 };
    static uint16_t items[N * K];
    static float wide[N * K];
    struct model m = {.n = N, .k = K, .items = items, .wide = wide};
    for (int apart = 0; apart < 3; apart++)
        for (int round = 0; round < 40; round++) {
            struct tv_scan scan;
            float user[K];
            m.apart = apart;
            make_items(&m, FALLING);
            tv_half_to_floats(wide, items, N * K);
            assert_int_equal(tv_scan_create(&scan, items, N, K, apart, NULL), TV_OK);
            make_user(user, &m, PLAIN);
            user[below(K)] = odd[below(4)];
            compare(&m, &scan, user, 15, NULL, N);
            tv_scan_free(&scan);
        }
}

/* Without it all of the above would hold of a scan that scores everything. */
static void few_items_are_scored(void **state)
{
    (void)state;
    enum { N = 9000, K = 20, TOP = 15 };
    static uint16_t items[N * K];
    for (int apart = 0; apart <= 2; apart += 2) {
        struct model m = {.n = N, .k = K, .apart = apart, .items = items};
        struct tv_scan scan;
        struct tv_scored best[TOP];
        float user[K];
        make_items(&m, FALLING);
        for (size_t i = 0; apart && i < N; i++) {
            items[(i + 1) * K - 2] = tv_half_from_double(3 + .5 * unit());
            items[(i + 1) * K - 1] = tv_half_from_double(1);
        }
        assert_int_equal(tv_scan_create(&scan, items, N, K, apart, NULL), TV_OK);
        for (size_t f = 0; f < K; f++)
            user[f] = tv_half_to_float(tv_half_from_double(unit()));
        user[K - 2] = apart ? 1 : user[K - 2];
        struct tv_scan_work work;
        assert_int_equal(tv_scan_top(best, TOP, &scan, user, NULL, N, &work), TOP);
        assert_true(work.coded < N / 2 && work.scored < N / 50);
        tv_scan_free(&scan);
    }
}

/* All but ten are filtered out: these are scored, and no other is looked at. */
static void what_a_filter_leaves_is_scored_alone(void **state)
{
    (void)state;
    enum { N = 5000, K = 6, KEPT = 10 };
    static uint16_t items[N * K];
    static uint8_t skip[N];
    struct model m = {.n = N, .k = K, .items = items};
    struct tv_scan scan;
    struct tv_scored best[15];
    const float user[K] = {1, 0, -1, .5f, 0, 2};
    make_items(&m, PLAIN);
    memset(skip, 1, N);
    for (size_t i = 0; i < KEPT; i++)
        skip[17 + i * 400] = 0;
    assert_int_equal(tv_scan_create(&scan, items, N, K, 0, NULL), TV_OK);
    struct tv_scan_work work;
    assert_int_equal(tv_scan_top(best, 15, &scan, user, skip, KEPT, &work), KEPT);
    assert_true(work.coded == 0 && work.scored == KEPT);
    tv_scan_free(&scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_equal_the_full_scan),    cmocka_unit_test(sizes_beyond_the_usual),
        cmocka_unit_test(users_that_are_not_finite),    cmocka_unit_test(few_items_are_scored),
        cmocka_unit_test(what_a_filter_leaves_is_scored_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
