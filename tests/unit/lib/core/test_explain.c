/* test_explain: contributions against equations solved for one rating at a time, and their sum against the score. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "als_fixture.h"
#include "trivet/core/explain.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/top_n.h"

enum kind { SVD, PLAIN, BIASED, IMPLICIT, KINDS };
enum { ITEMS = 90, RATED_MOST = 60 };

struct model {
    struct tv_fold_in f;
    uint16_t *factors;
};

static struct model make_model(enum kind kind, int k)
{
    int columns = kind == BIASED ? k + 2 : k;
    struct model m = {.factors = calloc((size_t)(ITEMS * columns), sizeof(uint16_t))};
    double *sigma = calloc((size_t)k, sizeof *sigma);
    for (int r = 0; r < ITEMS; r++)
        for (int c = 0; c < columns; c++)
            m.factors[r * columns + c] =
                tv_half_from_double(c == k ? 3 + next_random() : c == k + 1 ? 1 : 2 * next_random() - 1);
    for (int c = 0; c < k; c++)
        sigma[c] = 40.0 / (c + 1);
    enum tv_status status =
        kind == SVD        ? tv_fold_in_svd(&m.f, m.factors, ITEMS, columns, sigma, 0.5, NULL)
        : kind == IMPLICIT ? tv_fold_in_als_implicit(&m.f, m.factors, ITEMS, columns, 0.3, 2, NULL)
                           : tv_fold_in_als(&m.f, m.factors, ITEMS, columns, kind == BIASED, 0.1, NULL);
    assert_int_equal(status, TV_OK);
    free(sigma);
    return m;
}

static void free_model(struct model *m)
{
    tv_fold_in_free(&m->f);
    free(m->factors);
}

static int choose_ratings(int32_t *items, float *ratings)
{
    int n = 0;
    for (int i = 0; i < ITEMS && n < RATED_MOST; i++)
        if (next_random() < 0.3) {
            items[n] = i;
            ratings[n++] = (float)(1 + (int)(next_random() * 10)) / 2;
        }
    return n;
}

/* Row i as the equations see it: with biases [q, 1], and mean + b aside. */
static double unknowns_of(const struct tv_fold_in *f, double *x, int i)
{
    for (int c = 0; c < f->factors; c++)
        x[c] = (double)tv_half_to_float(f->item_factors[i * f->factors + c]);
    if (!f->biases)
        return 0;
    double bias = x[f->factors - 2];
    x[f->factors - 2] = 1;
    return bias;
}

/* The matrix of a user's equations, written down as fold_in.h has it. */
static void make_matrix(double *a, const struct tv_fold_in *f, const int32_t *items, const float *ratings, int n)
{
    int implicit = f->kind == TV_FOLD_IN_ALS_IMPLICIT, unknowns = f->factors - f->biases;
    double x[80];
    memset(a, 0, (size_t)(unknowns * unknowns) * sizeof *a);
    for (int i = 0, next = 0; i < ITEMS; i++) {
        int rated = next < n && items[next] == i;
        double square = implicit ? 1 + (rated ? f->alpha * (double)ratings[next] : 0) : rated;
        next += rated;
        unknowns_of(f, x, i);
        for (int c = 0; c < unknowns; c++)
            for (int d = 0; d < unknowns; d++)
                a[c * unknowns + d] += square * x[c] * x[d];
    }
    for (int c = 0; c < unknowns; c++)
        a[c * unknowns + c] += f->lambda * (implicit ? 1 : n);
}

/* The part of a score that one rating brings by the factors alone; the user's bias is left out and added to *user. */
static double contribution(const struct tv_fold_in *f, double *user, int item, const int32_t *items, const float *ratings,
                           int n, int j)
{
    static double a[80 * 80];
    double x[80], right[80], solution[80], sum = 0;
    int unknowns = f->factors - f->biases;
    double bias = unknowns_of(f, x, items[j]), r = (double)ratings[j];
    if (f->kind == TV_FOLD_IN_SVD) {
        for (int c = 0; c < unknowns; c++)
            solution[c] = r * x[c] * f->scale[c];
    } else {
        double weight = f->kind == TV_FOLD_IN_ALS_IMPLICIT ? 1 + f->alpha * r : r - bias;
        for (int c = 0; c < unknowns; c++)
            right[c] = weight * x[c];
        make_matrix(a, f, items, ratings, n);
        assert_int_equal(solve_plainly(solution, a, right, unknowns), 0);
    }
    unknowns_of(f, x, item);
    for (int c = 0; c < unknowns - f->biases; c++)
        sum += solution[c] * x[c];
    *user += f->biases ? solution[unknowns - 1] : 0;
    return sum;
}

static void contributions_equal_one_solve_a_rating(void **state)
{
    (void)state;
    const int ks[] = {1, 2, 5, 8, 17, 50};
    int32_t items[RATED_MOST];
    float ratings[RATED_MOST];
    double found[RATED_MOST];
    random_state = 7;
    for (enum kind kind = SVD; kind < KINDS; kind++)
        for (size_t t = 0; t < sizeof ks / sizeof *ks; t++) {
            struct model m = make_model(kind, ks[t]);
            struct tv_explained out;
            int n = choose_ratings(items, ratings), item = (int)(next_random() * ITEMS);
            double user = 0, sum = 0, x[80];
            assert_int_equal(
                tv_explain(&m.f, found, &out, item, &(struct tv_user_ratings){items, ratings, (size_t)n}, NULL), TV_OK);
            for (int j = 0; j < n; j++) {
                double expected = contribution(&m.f, &user, item, items, ratings, n, j);
                assert_true(fabs(found[j] - expected) <= 1e-9 * fmax(1, fabs(expected)));
                sum += found[j];
            }
            assert_true(fabs(out.item - unknowns_of(&m.f, x, item)) < 1e-12);
            assert_true(fabs(out.user - user) <= 1e-9);
            assert_true(fabs(out.sum - (sum + out.item + out.user)) < 1e-9);
            free_model(&m);
        }
}

/* The rest is the rounding of the user's factors to float16, 2^-11 of each at most. */
static void they_add_up_to_the_score(void **state)
{
    (void)state;
    int32_t items[RATED_MOST];
    float ratings[RATED_MOST], user[80], row[80];
    double found[RATED_MOST], score;
    uint16_t packed[80];
    random_state = 8;
    for (enum kind kind = SVD; kind < KINDS; kind++)
        for (int t = 0; t < 50; t++) {
            struct model m = make_model(kind, 1 + t);
            struct tv_explained out;
            int n = choose_ratings(items, ratings), item = (int)(next_random() * ITEMS), k = m.f.factors;
            double most = 0;
            assert_int_equal(
                tv_fold_in_factors(&m.f, packed, &(struct tv_user_ratings){items, ratings, (size_t)n}, NULL), TV_OK);
            assert_int_equal(
                tv_explain(&m.f, found, &out, item, &(struct tv_user_ratings){items, ratings, (size_t)n}, NULL), TV_OK);
            tv_half_to_floats(user, packed, (size_t)k);
            tv_half_to_floats(row, m.factors + item * k, (size_t)k);
            tv_scores(&score, row, 1, k, user);
            for (int c = 0; c < k; c++)
                most += 0x1.01p-11 * fabs((double)user[c] * (double)row[c]) + 1e-7;
            assert_true(fabs(score - out.sum) <= most);
            free_model(&m);
        }
}

static void who_rated_nothing_has_nothing_to_explain(void **state)
{
    (void)state;
    for (enum kind kind = SVD; kind < KINDS; kind++) {
        struct model m = make_model(kind, 3);
        struct tv_explained out;
        assert_int_equal(tv_explain(&m.f, NULL, &out, 5, &(struct tv_user_ratings){0}, NULL), TV_OK);
        assert_true(out.item == 0 && out.user == 0 && out.sum == 0);
        free_model(&m);
    }
}

static void counts_below_0_are_refused(void **state)
{
    (void)state;
    const int32_t item = 4;
    const float rating = -1;
    double found;
    struct model m = make_model(IMPLICIT, 3);
    struct tv_explained out;
    assert_int_equal(tv_explain(&m.f, &found, &out, 5, &(struct tv_user_ratings){&item, &rating, 1}, NULL),
                     TV_ERR_INPUT);
    free_model(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contributions_equal_one_solve_a_rating),
        cmocka_unit_test(they_add_up_to_the_score),
        cmocka_unit_test(who_rated_nothing_has_nothing_to_explain),
        cmocka_unit_test(counts_below_0_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
