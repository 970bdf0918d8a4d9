/* test_model_parts: a model is cut into parts and put together, and damage is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lib/model/model_fixture.h"

/* Parts of four items and of two come back as one model. */
static void parts_become_the_whole(void **state)
{
    (void)state;
    struct tv_model *m = six_items(), *back = NULL;
    struct tv_buffer factors[2] = {TV_BUFFER_INIT(1 << 16), TV_BUFFER_INIT(1 << 16)};
    struct tv_buffer ids[2] = {TV_BUFFER_INIT(1 << 16), TV_BUFFER_INIT(1 << 16)}, sigma = TV_BUFFER_INIT(1 << 16);
    int32_t n = 0;
    assert_int_equal(tv_part_encode(m, 0, 4, &factors[0], &ids[0], NULL), TV_OK);
    assert_int_equal(tv_part_encode(m, 4, 2, &factors[1], &ids[1], NULL), TV_OK);
    assert_int_equal(tv_sigma_encode(m, &sigma, NULL), TV_OK);
    assert_int_equal(tv_model_create(&back, 12, FACTORS, ITEMS, NULL), TV_OK);
    for (int32_t p = 0, first = 0; p < 2; p++, first += n) {
        const struct tv_part_blobs part = {factors[p].data, ids[p].data, factors[p].size, ids[p].size};
        assert_int_equal(tv_part_decode(back, first, &part, &n, NULL), TV_OK);
        assert_int_equal(n, p ? 2 : 4);
    }
    assert_int_equal(tv_sigma_decode(back, sigma.data, sigma.size, NULL), TV_OK);
    assert_memory_equal(back->item_ids, m->item_ids, ITEMS * sizeof *m->item_ids);
    assert_memory_equal(back->item_factors, m->item_factors, ITEMS * FACTORS * sizeof *m->item_factors);
    assert_memory_equal(back->sigma, m->sigma, FACTORS * sizeof *m->sigma);
    for (int p = 0; p < 2; p++) {
        tv_buffer_free(&factors[p]);
        tv_buffer_free(&ids[p]);
    }
    tv_buffer_free(&sigma);
    tv_model_free(m);
    tv_model_free(back);
}

/* One more than is left, ids and factors that disagree, other factors, and bytes that are no blob. */
static void parts_that_do_not_fit_are_corrupt(void **state)
{
    (void)state;
    struct tv_model *m = six_items(), *wide = NULL;
    struct tv_buffer factors = TV_BUFFER_INIT(1 << 16), ids = TV_BUFFER_INIT(1 << 16), sigma = TV_BUFFER_INIT(1 << 16);
    struct tv_buffer few = TV_BUFFER_INIT(1 << 16), rest = TV_BUFFER_INIT(1 << 16);
    int32_t n = -1;
    assert_int_equal(tv_part_encode(m, 0, 4, &factors, &ids, NULL), TV_OK);
    assert_int_equal(tv_part_encode(m, 0, 3, &rest, &few, NULL), TV_OK);
    assert_int_equal(tv_sigma_encode(m, &sigma, NULL), TV_OK);
    assert_int_equal(tv_model_create(&wide, 13, FACTORS + 1, ITEMS, NULL), TV_OK);
    const struct tv_part_blobs whole = {factors.data, ids.data, factors.size, ids.size};
    const struct tv_part_blobs fewer_ids = {factors.data, few.data, factors.size, few.size};
    const struct tv_part_blobs swapped = {ids.data, factors.data, ids.size, factors.size};
    const struct tv_part_blobs cut = {factors.data, ids.data, factors.size - 1, ids.size};
    assert_int_equal(tv_part_decode(m, 3, &whole, &n, NULL), TV_ERR_CORRUPT);
    assert_int_equal(tv_part_decode(m, 0, &fewer_ids, &n, NULL), TV_ERR_CORRUPT);
    assert_int_equal(tv_part_decode(wide, 0, &whole, &n, NULL), TV_ERR_CORRUPT);
    assert_int_equal(tv_part_decode(m, 0, &swapped, &n, NULL), TV_ERR_CORRUPT);
    assert_int_equal(tv_part_decode(m, 0, &cut, &n, NULL), TV_ERR_CORRUPT);
    assert_int_equal(tv_sigma_decode(wide, sigma.data, sigma.size, NULL), TV_ERR_CORRUPT);
    assert_int_equal(n, -1);
    assert_int_equal(tv_model_check(m, NULL), TV_OK); /* nothing was written */
    tv_buffer_free(&factors);
    tv_buffer_free(&ids);
    tv_buffer_free(&sigma);
    tv_buffer_free(&few);
    tv_buffer_free(&rest);
    tv_model_free(m);
    tv_model_free(wide);
}

static void sizes_are_checked_before_memory_is_taken(void **state)
{
    (void)state;
    static const struct {
        int factors;
        int64_t items;
    } bad[] = {{0, 5}, {5, 0}, {TV_MAX_FACTORS + 1, 5}, {5, (int64_t)TV_MAX_ITEMS + 1}, {-1, 5}, {5, INT64_MAX}};
    struct tv_model *m = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tv_model_create(&m, 1, bad[i].factors, bad[i].items, NULL), TV_ERR_CORRUPT);
    assert_null(m);
}

static void what_is_wrong_with_a_model_is_told(void **state)
{
    (void)state;
    struct tv_error err;
    struct tv_model *m = six_items();
    assert_int_equal(tv_model_check(m, NULL), TV_OK);
    m->item_ids[3] = m->item_ids[2];
    assert_int_equal(tv_model_check(m, &err), TV_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "do not ascend"));
    m->item_ids[3]++;
    assert_int_equal(tv_model_check(m, &err), TV_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "the checksum of model 12"));
    m->item_factors[7] = 0x7c00;
    assert_int_equal(tv_model_check(m, &err), TV_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "not finite"));
    tv_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_become_the_whole),
        cmocka_unit_test(parts_that_do_not_fit_are_corrupt),
        cmocka_unit_test(sizes_are_checked_before_memory_is_taken),
        cmocka_unit_test(what_is_wrong_with_a_model_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
