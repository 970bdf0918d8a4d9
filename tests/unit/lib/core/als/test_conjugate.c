/* test_conjugate: conjugate gradients against the equations they never build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/als/conjugate.h"
#include "tests/unit/lib/core/als_fixture.h"

enum { N = 5, STRIDE = 8, ITEMS = 30, STORED = 19 }; /* padded rows, and a group that is not full */

struct problem {
    float gram[STRIDE * STRIDE], fixed[ITEMS * STRIDE], value[STORED], scratch[3 * STRIDE];
    int32_t row[STORED];
    struct tv_conjugate c;
};

static void make_problem(struct problem *p)
{
    *p = (struct problem){.row = {0}};
    random_state = 1;
    for (int i = 0; i < ITEMS; i++)
        for (int f = 0; f < N; f++)
            p->fixed[i * STRIDE + f] = (float)next_random() - 0.3f;
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++) {
            for (int i = 0; i < ITEMS; i++)
                p->gram[a * STRIDE + b] += p->fixed[i * STRIDE + a] * p->fixed[i * STRIDE + b];
            p->gram[a * STRIDE + b] += a == b ? 0.5f : 0;
        }
    for (int j = 0; j < STORED; j++) {
        p->row[j] = (j * 7) % ITEMS;
        p->value[j] = (float)(1 + j % 5);
    }
    p->c = (struct tv_conjugate){STRIDE, p->gram, p->fixed, p->row, p->value, STORED, 2, p->scratch};
}

/* (G + sum of w i i') x = sum of (1 + w) i by a dense solver. */
static void solve_it(double *x, const struct problem *p)
{
    double a[N * N], b[N] = {0};
    for (int i = 0; i < N * N; i++)
        a[i] = (double)p->gram[i / N * STRIDE + i % N];
    for (int j = 0; j < STORED; j++) {
        const float *row = p->fixed + p->row[j] * STRIDE;
        double w = 2 * (double)p->value[j];
        for (int f = 0; f < N; f++) {
            b[f] += (1 + w) * (double)row[f];
            for (int g = 0; g < N; g++)
                a[f * N + g] += w * (double)row[f] * (double)row[g];
        }
    }
    assert_int_equal(solve_plainly(x, a, b, N), 0);
}

static double distance(const float *x, const double *solution)
{
    double sum = 0;
    for (int f = 0; f < N; f++)
        sum += ((double)x[f] - solution[f]) * ((double)x[f] - solution[f]);
    return sqrt(sum);
}

/* As many steps as there are unknowns reach the solution; each one before comes nearer. */
static void steps_lead_to_the_solution(void **state)
{
    (void)state;
    static struct problem p;
    double solution[N], last = INFINITY;
    make_problem(&p);
    solve_it(solution, &p);
    for (int steps = 0; steps <= N; steps++) {
        float x[STRIDE] = {0};
        tv_conjugate_gradients(x, &p.c, steps);
        assert_true(distance(x, solution) < last);
        last = distance(x, solution);
        for (int f = N; f < STRIDE; f++)
            assert_true(x[f] == 0);
    }
    assert_true(last < 1e-4);
}

static void a_solution_stays(void **state)
{
    (void)state;
    static struct problem p;
    double solution[N];
    float x[STRIDE] = {0};
    make_problem(&p);
    solve_it(solution, &p);
    for (int f = 0; f < N; f++)
        x[f] = (float)solution[f];
    tv_conjugate_gradients(x, &p.c, 3);
    assert_true(distance(x, solution) < 1e-5);
}

/* By the formula of the header. */
static void the_error_is_the_objectives_part(void **state)
{
    (void)state;
    static struct problem p;
    const float x[STRIDE] = {0.5f, -1, 0.25f, 2, 0};
    double sum = 0;
    make_problem(&p);
    for (int j = 0; j < STORED; j++) {
        double product = 0, w = 2 * (double)p.value[j];
        for (int f = 0; f < N; f++)
            product += (double)x[f] * (double)p.fixed[p.row[j] * STRIDE + f];
        sum += (1 + w) * (1 - product) * (1 - product) - product * product;
    }
    assert_true(fabs(tv_conjugate_error(x, &p.c) - sum) < 1e-4 * fabs(sum));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_lead_to_the_solution),
        cmocka_unit_test(a_solution_stays),
        cmocka_unit_test(the_error_is_the_objectives_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
