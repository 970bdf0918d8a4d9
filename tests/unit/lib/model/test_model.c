/* test_model: names, checksum and folding of a model in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lib/model/model_fixture.h"

static void names_have_the_number(void **state)
{
    (void)state;
    char name[TV_MODEL_NAME];
    assert_string_equal(tv_model_users(name, 12), "user_12");
    assert_string_equal(tv_model_user_parts(name, 12), "parts_12");
    assert_string_equal(tv_model_parts(name, INT64_MAX), "model_9223372036854775807");
}

static void biases_are_no_factors(void **state)
{
    (void)state;
    struct tv_model *m = six_items();
    assert_int_equal(tv_model_rank(m), 3);
    m->biases = 1;
    assert_int_equal(tv_model_rank(m), 1);
    tv_model_free(m);
    tv_model_free(NULL);
}

/* Without singular values, what users are folded in with takes their place. */
static void the_checksum_is_over_all_that_a_score_needs(void **state)
{
    (void)state;
    struct tv_model *m = six_items();
    uint64_t whole = tv_model_checksum(m);
    m->lambda = 7;
    assert_true(tv_model_checksum(m) == whole);
    m->item_ids[5]++;
    assert_true(tv_model_checksum(m) != whole);
    m->item_ids[5]--;
    m->item_factors[17] ^= 1;
    assert_true(tv_model_checksum(m) != whole);
    m->item_factors[17] ^= 1;
    m->sigma[2] = -m->sigma[2];
    assert_true(tv_model_checksum(m) != whole);
    free(m->sigma);
    m->sigma = NULL;
    uint64_t als = tv_model_checksum(m);
    m->alpha = 1;
    assert_true(tv_model_checksum(m) != als);
    tv_model_free(m);
}

static void an_algorithm_says_how_users_are_folded_in(void **state)
{
    (void)state;
    static const char *const names[] = {"svd", "als", "als-implicit"};
    static const enum tv_fold_in_kind kinds[] = {TV_FOLD_IN_SVD, TV_FOLD_IN_ALS, TV_FOLD_IN_ALS_IMPLICIT};
    struct tv_model *m = six_items();
    struct tv_fold_in f;
    struct tv_error err;
    m->lambda = 0.1;
    for (int i = 0; i < 3; i++) {
        strcpy(m->algorithm, names[i]);
        assert_int_equal(tv_model_fold_in(&f, m, NULL), TV_OK);
        assert_int_equal(f.kind, kinds[i]);
        tv_fold_in_free(&f);
    }
    strcpy(m->algorithm, "boosting");
    assert_int_equal(tv_model_fold_in(&f, m, &err), TV_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "\"boosting\""));
    strcpy(m->algorithm, "svd");
    free(m->sigma);
    m->sigma = NULL;
    assert_int_equal(tv_model_fold_in(&f, m, NULL), TV_ERR_CORRUPT);
    tv_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_the_number),
        cmocka_unit_test(biases_are_no_factors),
        cmocka_unit_test(the_checksum_is_over_all_that_a_score_needs),
        cmocka_unit_test(an_algorithm_says_how_users_are_folded_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
