/* test_ratings: rows in any order become a matrix over dense indices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "trivet/core/ratings.h"

struct row {
    int64_t user, item;
    float rating;
};

static enum tv_status to_matrix(struct tv_matrix *d, const struct row *rows, size_t n, struct tv_error *err)
{
    struct tv_ratings *r = NULL;
    assert_int_equal(tv_ratings_create(&r, err), TV_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(tv_ratings_add(r, rows[i].user, rows[i].item, rows[i].rating, err), TV_OK);
    assert_int_equal(tv_ratings_count(r), n);
    enum tv_status status = tv_ratings_matrix(d, r, err);
    assert_int_equal(tv_ratings_count(r), 0);
    tv_ratings_free(r);
    return status;
}

static void ids_become_ranks(void **state)
{
    (void)state;
    const struct row rows[] = {{7, 30, 1.5f}, {INT64_MIN, 10, 2}, {7, -5, 3}, {INT64_MAX, INT64_MAX, 4},
                               {7, 10, 0},    {-1, 30, 5}};
    const int64_t users[] = {INT64_MIN, -1, 7, INT64_MAX}, items[] = {-5, 10, 30, INT64_MAX};
    const int64_t start[] = {0, 1, 2, 5, 6};
    const int32_t column[] = {1, 2, 0, 1, 2, 3};
    const float value[] = {2, 5, 3, 0, 1.5f, 4};
    struct tv_matrix d;
    assert_int_equal(to_matrix(&d, rows, 6, NULL), TV_OK);
    assert_int_equal(d.csr.n_rows, 4);
    assert_int_equal(d.csr.n_cols, 4);
    assert_int_equal(d.csr.n_values, 6);
    assert_memory_equal(d.users, users, sizeof users);
    assert_memory_equal(d.items, items, sizeof items);
    assert_memory_equal(d.csr.start, start, sizeof start);
    assert_memory_equal(d.csr.column, column, sizeof column);
    assert_memory_equal(d.csr.value, value, sizeof value);
    tv_matrix_free(&d);
}

/* A grid with holes, in three orders: the matrix is the same and every value is in its place. */
static void order_does_not_matter(void **state)
{
    (void)state;
    enum { USERS = 1500, ITEMS = 40, N = USERS * ITEMS };
    static struct row rows[N];
    size_t n = 0;
    for (int u = 0; u < USERS; u++)
        for (int i = 0; i < ITEMS; i++)
            if ((u * 7 + i * 3) % 5 < 2)
                rows[n++] = (struct row){u * 1000003LL - 500, i * 1024LL, (float)((u + i) % 9) / 2};
    struct tv_matrix sorted, shuffled;
    assert_int_equal(to_matrix(&sorted, rows, n, NULL), TV_OK);
    uint32_t random = 1;
    for (size_t i = n; i-- > 1;) {
        random = random * 1664525u + 1013904223u;
        size_t j = random % (i + 1);
        struct row swap = rows[i];
        rows[i] = rows[j];
        rows[j] = swap;
    }
    assert_int_equal(to_matrix(&shuffled, rows, n, NULL), TV_OK);
    const struct tv_csr *a = &sorted.csr, *b = &shuffled.csr;
    assert_int_equal(a->n_rows, USERS);
    assert_int_equal(a->n_cols, ITEMS);
    assert_int_equal(b->n_values, n);
    assert_memory_equal(sorted.users, shuffled.users, USERS * sizeof(int64_t));
    assert_memory_equal(sorted.items, shuffled.items, ITEMS * sizeof(int64_t));
    assert_memory_equal(a->start, b->start, (USERS + 1) * sizeof *a->start);
    assert_memory_equal(a->column, b->column, n * sizeof *a->column);
    assert_memory_equal(a->value, b->value, n * sizeof *a->value);
    for (int32_t u = 0; u < USERS; u++)
        for (int64_t p = a->start[u]; p < a->start[u + 1]; p++)
            assert_true(a->value[p] == (float)((u + a->column[p]) % 9) / 2);
    tv_matrix_free(&sorted);
    tv_matrix_free(&shuffled);
}

static void repeated_pairs_are_named(void **state)
{
    (void)state;
    const struct row rows[] = {{10, 200, 1}, {11, 300, 2}, {12, 300, 3}, {11, 200, 4}, {11, 300, 5}};
    struct tv_error err = {0};
    struct tv_matrix d;
    assert_int_equal(to_matrix(&d, rows, 5, &err), TV_ERR_INPUT);
    assert_string_equal(err.message, "user 11 and item 300 come more than once");
    assert_non_null(strstr(err.hint, "AVG"));
    assert_null(d.users);
    assert_null(d.csr.start);
}

static void only_finite_ratings(void **state)
{
    (void)state;
    struct tv_ratings *r = NULL;
    struct tv_error err = {0};
    assert_int_equal(tv_ratings_create(&r, NULL), TV_OK);
    assert_int_equal(tv_ratings_add(r, 1, 2, NAN, &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.message, "item 2 by user 1"));
    assert_int_equal(tv_ratings_add(r, 1, 2, -INFINITY, &err), TV_ERR_INPUT);
    assert_int_equal(tv_ratings_count(r), 0);
    tv_ratings_free(r);
    tv_ratings_free(NULL);
}

static void nothing_gives_an_empty_matrix(void **state)
{
    (void)state;
    struct tv_matrix d;
    assert_int_equal(to_matrix(&d, NULL, 0, NULL), TV_OK);
    assert_int_equal(d.csr.n_rows, 0);
    assert_int_equal(d.csr.n_cols, 0);
    assert_int_equal(d.csr.start[0], 0);
    tv_matrix_free(&d);
    tv_matrix_free(NULL);
}

static void ids_are_found(void **state)
{
    (void)state;
    const int64_t ids[] = {-7, 0, 3, 900};
    for (int i = 0; i < 4; i++)
        assert_int_equal(tv_dense_find(ids, 4, ids[i]), i);
    assert_int_equal(tv_dense_find(ids, 4, 1), -1);
    assert_int_equal(tv_dense_find(ids, 4, 901), -1);
    assert_int_equal(tv_dense_find(ids, 4, INT64_MIN), -1);
    assert_int_equal(tv_dense_find(NULL, 0, 1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_become_ranks),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(repeated_pairs_are_named),
        cmocka_unit_test(only_finite_ratings),
        cmocka_unit_test(nothing_gives_an_empty_matrix),
        cmocka_unit_test(ids_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
