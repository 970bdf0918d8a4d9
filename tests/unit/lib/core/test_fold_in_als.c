/* test_fold_in_als: folding users into ALS models, against plain solves and against the training itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "als_fixture.h"
#include "trivet/core/fold_in.h"
#include "trivet/core/formats/half.h"

enum kind { PLAIN, BIASED, IMPLICIT, KINDS };

/* Random item factors and a fold-in over them. */
struct items {
    struct tv_fold_in fold_in;
    uint16_t *factors;
};

static struct items make_items(enum kind kind, int n_items, int k, double lambda)
{
    int columns = kind == BIASED ? k + 2 : k;
    struct items i = {.factors = calloc((size_t)(n_items * columns), sizeof(uint16_t))};
    for (int r = 0; r < n_items; r++)
        for (int c = 0; c < columns; c++) {
            double x = c == k ? 3 + next_random() : c == k + 1 ? 1 : 2 * next_random() - 1;
            i.factors[r * columns + c] = tv_half_from_double(x);
        }
    enum tv_status status =
        kind == IMPLICIT ? tv_fold_in_als_implicit(&i.fold_in, i.factors, n_items, columns, lambda, 2, NULL)
                         : tv_fold_in_als(&i.fold_in, i.factors, n_items, columns, kind == BIASED, lambda, NULL);
    assert_int_equal(status, TV_OK);
    return i;
}

static void free_items(struct items *i)
{
    tv_fold_in_free(&i->fold_in);
    free(i->factors);
}

static double item_factor(const struct tv_fold_in *f, int item, int c)
{
    return (double)tv_half_to_float(f->item_factors[item * f->factors + c]);
}

/* The formulas of fold_in.h, one after the other. */
static void expected_user(double *user, const struct tv_fold_in *f, const int32_t *items, const float *ratings, int n)
{
    int implicit = f->kind == TV_FOLD_IN_ALS_IMPLICIT, unknowns = f->factors - f->biases;
    double *a = calloc((size_t)(unknowns * unknowns), sizeof *a), *b = calloc((size_t)unknowns, sizeof *b);
    double *x = calloc((size_t)f->factors, sizeof *x);
    for (int i = 0, next = 0; i < f->n_items; i++) {
        int rated = next < n && items[next] == i;
        double r = rated ? (double)ratings[next] : 0, square = rated, linear = r;
        next += rated;
        for (int c = 0; c < unknowns; c++)
            x[c] = item_factor(f, i, c);
        if (implicit) {
            square = 1 + f->alpha * r;
            linear = rated ? square : 0;
        } else if (f->biases && rated) {
            linear = r - x[unknowns - 1];
            x[unknowns - 1] = 1;
        }
        for (int c = 0; c < unknowns; c++) {
            b[c] += linear * x[c];
            for (int d = 0; d < unknowns; d++)
                a[c * unknowns + d] += square * x[c] * x[d];
        }
    }
    for (int c = 0; c < unknowns; c++)
        a[c * unknowns + c] += f->lambda * (implicit ? 1 : n);
    assert_int_equal(solve_plainly(user, a, b, unknowns), 0);
    if (f->biases) {
        user[unknowns] = user[unknowns - 1];
        user[unknowns - 1] = 1;
    }
    free(a);
    free(b);
    free(x);
}

static int choose_ratings(int32_t *items, float *ratings, int n_items, double share)
{
    int n = 0;
    for (int i = 0; i < n_items; i++)
        if (next_random() < share) {
            items[n] = i;
            ratings[n++] = (float)(1 + (int)(next_random() * 10)) / 2;
        }
    return n;
}

/* Rounding to float16 moves a number by 2^-11 of itself at most. */
static void assert_solved(const struct tv_fold_in *f, const int32_t *items, const float *ratings, int n)
{
    uint16_t *user = calloc((size_t)f->factors, sizeof *user);
    double *expected = calloc((size_t)f->factors, sizeof *expected);
    assert_int_equal(tv_fold_in_factors(f, user, &(struct tv_user_ratings){items, ratings, (size_t)n}, NULL), TV_OK);
    expected_user(expected, f, items, ratings, n);
    for (int c = 0; c < f->factors; c++)
        assert_true(fabs((double)tv_half_to_float(user[c]) - expected[c]) <= fabs(expected[c]) * 0x1.01p-11 + 1e-7);
    free(user);
    free(expected);
}

static void follows_the_equations(void **state)
{
    (void)state;
    enum { ITEMS = 300 };
    const int ks[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 50, 64};
    const double shares[] = {0.005, 0.1, 0.9};
    int32_t items[ITEMS];
    float ratings[ITEMS];
    random_state = 1;
    for (enum kind kind = PLAIN; kind < KINDS; kind++)
        for (size_t t = 0; t < sizeof ks / sizeof *ks; t++) {
            struct items i = make_items(kind, ITEMS, ks[t], 0.1);
            for (int s = 0; s < 3; s++) {
                int n = choose_ratings(items, ratings, ITEMS, shares[s]);
                if (n > 0)
                    assert_solved(&i.fold_in, items, ratings, n);
            }
            free_items(&i);
        }
}

static void many_factors(void **state)
{
    (void)state;
    int32_t items[100];
    float ratings[100];
    random_state = 2;
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct items i = make_items(kind, 100, 513, 0.5);
        assert_solved(&i.fold_in, items, ratings, choose_ratings(items, ratings, 100, 0.9));
        free_items(&i);
    }
}

static void one_rating_by_hand(void **state)
{
    (void)state;
    const uint16_t factors[] = {0x4000, 0x3c00}; /* 2; 1 */
    const int32_t item = 0;
    const float rating = 3;
    uint16_t user;
    struct tv_fold_in f;
    assert_int_equal(tv_fold_in_als(&f, factors, 2, 1, 0, 0.5, NULL), TV_OK);
    assert_int_equal(tv_fold_in_factors(&f, &user, &(struct tv_user_ratings){&item, &rating, 1}, NULL), TV_OK);
    assert_int_equal(user, tv_half_from_double(6 / 4.5)); /* (4 + 0.5) p = 2 * 3 */
    assert_int_equal(tv_fold_in_als_implicit(&f, factors, 2, 1, 0.5, 2, NULL), TV_OK);
    assert_int_equal(tv_fold_in_factors(&f, &user, &(struct tv_user_ratings){&item, &rating, 1}, NULL), TV_OK);
    assert_int_equal(user, tv_half_from_double(14 / 29.5)); /* (5 + 2*3*4 + 0.5) p = (1 + 2*3) * 2 */
    tv_fold_in_free(&f);
}

static void nothing_rated_gives_zeros(void **state)
{
    (void)state;
    random_state = 3;
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct items i = make_items(kind, 5, 3, 0.1);
        uint16_t user[5] = {1, 1, 1, 1, 1};
        assert_int_equal(tv_fold_in_factors(&i.fold_in, user, &(struct tv_user_ratings){0}, NULL), TV_OK);
        for (int c = 0; c < i.fold_in.factors; c++)
            assert_int_equal(user[c], 0);
        free_items(&i);
    }
}

static uint64_t hash(const uint16_t *x, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ x[i]) * 0x100000001b3u;
    return h;
}

/* Many users at once from two threads, and the same bytes on every processor, in builds without AVX2, too. */
static void threads_and_processors_agree(void **state)
{
    (void)state;
    enum { ITEMS = 200, USERS = 60, K = 21 };
    const uint64_t known[KINDS] = {0xf6d67f2869819c29, 0x1801e5363fc5611d, 0x6f2b87b7a6eb47ac};
    static int32_t items[USERS][ITEMS];
    static float ratings[USERS][ITEMS];
    static uint16_t alone[USERS][K + 2], together[USERS][K + 2];
    random_state = 4;
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct items i = make_items(kind, ITEMS, K, 0.1);
        int n[USERS], failed = 0;
        for (int u = 0; u < USERS; u++) {
            n[u] = choose_ratings(items[u], ratings[u], ITEMS, next_random());
            failed |= tv_fold_in_factors(&i.fold_in, alone[u],
                                         &(struct tv_user_ratings){items[u], ratings[u], (size_t)n[u]}, NULL) != TV_OK;
        }
#pragma omp parallel for schedule(dynamic) num_threads(2) reduction(| : failed)
        for (int u = 0; u < USERS; u++)
            failed |= tv_fold_in_factors(&i.fold_in, together[u],
                                         &(struct tv_user_ratings){items[u], ratings[u], (size_t)n[u]}, NULL) != TV_OK;
        assert_int_equal(failed, 0);
        assert_memory_equal(alone, together, sizeof alone);
        if (hash(&alone[0][0], sizeof alone / sizeof alone[0][0]) != known[kind])
            fail_msg("kind %d gives 0x%016llx", (int)kind,
                     (unsigned long long)hash(&alone[0][0], sizeof alone / sizeof alone[0][0]));
        free_items(&i);
    }
}

/* Once training has settled, folding a user in gives what training gave. */
static void trained_users_come_back(void **state)
{
    (void)state;
    enum { USERS = 80, ITEMS = 60, K = 4 };
    random_state = 5;
    struct tv_csr m = random_ratings(USERS, ITEMS, 0.5);
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        const struct tv_als_options o = {.implicit = kind == IMPLICIT,
                                         .biases = kind == BIASED,
                                         .factors = K,
                                         .iterations = 400,
                                         .lambda = kind == IMPLICIT ? 2 : 0.1,
                                         .alpha = 1,
                                         .seed = 1};
        struct tv_als a;
        assert_int_equal(tv_als(&a, &m, &o, NULL), TV_OK);
        uint16_t item_factors[ITEMS * (K + 2)], user[K + 2];
        assert_int_equal(tv_half_from_floats(item_factors, a.item_factors, (size_t)(ITEMS * a.columns)), 0);
        struct tv_fold_in f;
        if (kind == IMPLICIT)
            assert_int_equal(tv_fold_in_als_implicit(&f, item_factors, ITEMS, a.columns, o.lambda, o.alpha, NULL), 0);
        else
            assert_int_equal(tv_fold_in_als(&f, item_factors, ITEMS, a.columns, o.biases, o.lambda, NULL), TV_OK);
        for (int u = 0; u < USERS; u++) {
            int64_t at = m.start[u];
            size_t n = (size_t)(m.start[u + 1] - at);
            assert_int_equal(
                tv_fold_in_factors(&f, user, &(struct tv_user_ratings){m.column + at, m.value + at, n}, NULL), TV_OK);
            for (int c = 0; c < a.columns; c++) {
                double trained = (double)a.user_factors[u * a.columns + c];
                assert_true(fabs((double)tv_half_to_float(user[c]) - trained) < 0.01);
            }
        }
        tv_fold_in_free(&f);
        tv_als_free(&a);
    }
    tv_csr_free(&m);
}

static void what_cannot_be_solved_is_refused(void **state)
{
    (void)state;
    const uint16_t small[] = {0x0001, 0x0001}, same[] = {0x7bff, 0x7bff}; /* 2^-24; 65504 */
    const uint16_t endless[] = {0x7c00, 0x3c00};
    const int32_t item = 0;
    const float rating = 5, no_number = NAN, below = -1;
    uint16_t user[2];
    struct tv_fold_in f;
    struct tv_error err = {0};
    assert_int_equal(tv_fold_in_als(&f, small, 2, 1, 0, 1e-16, &err), TV_OK);
    assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){&item, &rating, 1}, &err), TV_ERR_NUMERIC);
    assert_non_null(strstr(err.message, "factor 1 of a user is 8.1"));
    assert_string_not_equal(err.hint, "");
    assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){&item, &no_number, 1}, &err),
                     TV_ERR_NUMERIC);
    assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){&item, &no_number, 1}, NULL),
                     TV_ERR_NUMERIC);
    assert_int_equal(tv_fold_in_als(&f, same, 1, 2, 0, 1e-9, &err), TV_OK); /* both factors are the same */
    assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){&item, &rating, 1}, &err), TV_ERR_NUMERIC);
    assert_non_null(strstr(err.message, "cannot be solved"));
    assert_string_not_equal(err.hint, "");
    assert_int_equal(tv_fold_in_als(&f, endless, 1, 2, 0, 0.1, &err), TV_OK);
    assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){&item, &rating, 1}, &err), TV_ERR_NUMERIC);
    assert_int_equal(tv_fold_in_als_implicit(&f, small, 2, 1, 0.1, 1, &err), TV_OK);
    assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){&item, &below, 1}, &err), TV_ERR_INPUT);
    assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){&item, &below, 1}, NULL), TV_ERR_INPUT);
    tv_fold_in_free(&f);
}

static void bad_settings_are_refused(void **state)
{
    (void)state;
    const uint16_t factors[] = {0, 0};
    struct tv_fold_in f;
    struct tv_error err = {0};
    assert_int_equal(tv_fold_in_als(&f, factors, 1, 0, 0, 0.1, &err), TV_ERR_USAGE);
    assert_int_equal(tv_fold_in_als(&f, factors, 1, 2, 1, 0.1, &err), TV_ERR_USAGE);
    assert_int_equal(tv_fold_in_als(&f, factors, 1, 2, 0, 0, &err), TV_ERR_USAGE);
    assert_int_equal(tv_fold_in_als_implicit(&f, factors, 1, 2, NAN, 1, &err), TV_ERR_USAGE);
    assert_int_equal(tv_fold_in_als_implicit(&f, factors, 1, 2, 0.1, -1, &err), TV_ERR_USAGE);
    assert_null(f.gram);
    tv_fold_in_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_equations),
        cmocka_unit_test(many_factors),
        cmocka_unit_test(one_rating_by_hand),
        cmocka_unit_test(nothing_rated_gives_zeros),
        cmocka_unit_test(threads_and_processors_agree),
        cmocka_unit_test(trained_users_come_back),
        cmocka_unit_test(what_cannot_be_solved_is_refused),
        cmocka_unit_test(bad_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
