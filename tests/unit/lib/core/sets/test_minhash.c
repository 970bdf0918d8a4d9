/* test_minhash: signatures: datasketch's own numbers, and what must hold for any sets. */
#include "trivet/core/sets/minhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tv_minhash *functions(int size)
{
    struct tv_minhash *m;
    assert_int_equal(tv_minhash_create(&m, size, NULL), TV_OK);
    return m;
}

/* The words of a text, each an element. */
static void sketch(const struct tv_minhash *m, const char *text, uint32_t *values)
{
    tv_minhash_clear(m, values);
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " ");
        tv_minhash_update(m, values, tv_minhash_hash(p, n));
        p += n + (p[n] == ' ');
    }
}

static void golden_values(void **state)
{
    (void)state;
    static const uint32_t a[] = {2155541700, 3497910862, 1404536498, 257361572};
    static const uint32_t abc[] = {432770662, 2866125906, 383765683, 257361572};
    uint32_t values[4];
    struct tv_minhash *m = functions(4);
    sketch(m, "A", values);
    assert_memory_equal(values, a, sizeof a);
    sketch(m, "A B C", values);
    assert_memory_equal(values, abc, sizeof abc);
    sketch(m, "C A B B A C C", values); /* order and repeats */
    assert_memory_equal(values, abc, sizeof abc);
    tv_minhash_free(m);
}

/* The first values of a longer signature are those of a shorter one. */
static void signatures_of_any_length_begin_alike(void **state)
{
    (void)state;
    static const int sizes[] = {1, 4, 7, 128, 255, 256, TV_MINHASH_MAX};
    static uint32_t longest[TV_MINHASH_MAX], values[TV_MINHASH_MAX];
    struct tv_minhash *m = functions(TV_MINHASH_MAX);
    sketch(m, "one two three", longest);
    tv_minhash_free(m);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        m = functions(sizes[i]);
        assert_int_equal(tv_minhash_size(m), sizes[i]);
        sketch(m, "three two one", values);
        assert_memory_equal(values, longest, (size_t)sizes[i] * sizeof *values);
        tv_minhash_free(m);
    }
}

static void a_length_out_of_range_is_refused(void **state)
{
    (void)state;
    struct tv_minhash *m;
    struct tv_error err;
    assert_int_equal(tv_minhash_create(&m, 0, &err), TV_ERR_USAGE);
    assert_int_equal(tv_minhash_create(&m, TV_MINHASH_MAX + 1, &err), TV_ERR_USAGE);
    assert_non_null(strstr(err.message, "4097"));
}

static void an_id_is_its_decimal_text(void **state)
{
    (void)state;
    assert_int_equal(tv_minhash_hash_id(241), tv_minhash_hash("241", 3));
    assert_int_equal(tv_minhash_hash_id(-7), tv_minhash_hash("-7", 2));
    assert_int_equal(tv_minhash_hash_id(INT64_MIN), tv_minhash_hash("-9223372036854775808", 20));
}

static void the_sum_wraps_before_the_prime_is_taken(void **state)
{
    (void)state;
    uint32_t values[3];
    struct tv_minhash *m = functions(3);
    sketch(m, "A B C", values);
    assert_int_equal(values[2], 383765683);
    assert_int_not_equal(values[2], 3431895748u); /* exact arithmetic */
    tv_minhash_free(m);
}

static void merging_is_the_signature_of_both(void **state)
{
    (void)state;
    uint32_t left[128], right[128], both[128];
    struct tv_minhash *m = functions(128);
    sketch(m, "a b c d", left);
    sketch(m, "c d e f", right);
    sketch(m, "a b c d e f", both);
    for (size_t j = 0; j < sizeof both / sizeof *both; j++)
        left[j] = right[j] < left[j] ? right[j] : left[j];
    assert_memory_equal(left, both, sizeof both);
    tv_minhash_free(m);
}

static void an_update_counts_what_it_changed(void **state)
{
    (void)state;
    uint32_t values[128], before[128];
    struct tv_minhash *m = functions(128);
    tv_minhash_clear(m, values);
    assert_true(tv_minhash_is_empty(m, values));
    assert_int_equal(tv_minhash_update(m, values, tv_minhash_hash_id(1)), 128);
    assert_false(tv_minhash_is_empty(m, values));
    memcpy(before, values, sizeof before);
    int changed = tv_minhash_update(m, values, tv_minhash_hash_id(2));
    assert_in_range(changed, 40, 88); /* half of them, give or take four standard deviations */
    assert_int_equal(128 - changed, tv_minhash_shared(m, before, values));
    assert_int_equal(tv_minhash_update(m, values, tv_minhash_hash_id(2)), 0);
    tv_minhash_free(m);
}

static void witnesses_have_the_signature_of_the_set(void **state)
{
    (void)state;
    uint32_t values[128], other[128], witness[128], again[128];
    struct tv_minhash_witness distinct[128];
    uint16_t positions[128];
    struct tv_minhash *m = functions(128);
    for (int n = 0; n <= 300; n = n < 6 ? n + 1 : n + 49) {
        tv_minhash_clear(m, values);
        tv_minhash_clear(m, other);
        tv_minhash_clear(m, witness);
        tv_minhash_clear(m, again);
        for (int i = 0; i < n; i++)
            tv_minhash_update_witness(m, values, witness, tv_minhash_hash_id(i));
        for (int i = n; i-- > 0;)
            tv_minhash_update_witness(m, other, again, tv_minhash_hash_id(i));
        if (n > 0)
            assert_memory_equal(witness, again, sizeof witness);
        int k = tv_minhash_witnesses(m, values, witness, distinct, positions), in_all = 0;
        assert_true(k <= 128 && k <= n && (k > 0) == (n > 0));
        tv_minhash_clear(m, other);
        for (int i = 0; i < k; i++) {
            assert_true(i == 0 || distinct[i].hash > distinct[i - 1].hash);
            assert_int_equal(distinct[i].first, in_all);
            in_all += distinct[i].n;
            for (int p = distinct[i].first; p < in_all; p++) {
                assert_int_equal(witness[positions[p]], distinct[i].hash);
                assert_true(p == distinct[i].first || positions[p] > positions[p - 1]);
            }
            tv_minhash_update(m, other, distinct[i].hash);
        }
        assert_int_equal(in_all, n > 0 ? 128 : 0);
        assert_memory_equal(other, values, sizeof values);
    }
    tv_minhash_free(m);
}

struct hashes {
    uint32_t hash[1 << 16];
    int n;
};

static void keep_hash(void *context, uint32_t hash)
{
    struct hashes *h = context;
    assert_true(h->n < 1 << 16);
    h->hash[h->n++] = hash;
}

/* Of all functions there are: the hash that made a value is found, once, and all others that are found make it, too. */
static void the_inverse_finds_the_hash_of_a_value(void **state)
{
    (void)state;
    static uint32_t values[TV_MINHASH_MAX], others[TV_MINHASH_MAX];
    struct tv_minhash *m = functions(TV_MINHASH_MAX);
    double found = 0;
    for (int64_t id = 0; id < 20; id++) {
        uint32_t wanted = tv_minhash_hash_id(id);
        tv_minhash_clear(m, values);
        tv_minhash_update(m, values, wanted);
        for (int j = 0; j < TV_MINHASH_MAX; j++) {
            static struct hashes h;
            h.n = 0;
            int times = 0;
            tv_minhash_inverse(m, j, values[j], keep_hash, &h);
            for (int i = 0; i < h.n; i++)
                times += h.hash[i] == wanted;
            assert_int_equal(times, 1);
            found += h.n;
            if (id > 0)
                continue;
            for (int i = 0; i < h.n; i++) {
                tv_minhash_clear(m, others);
                tv_minhash_update(m, others, h.hash[i]);
                assert_int_equal(others[j], values[j]);
            }
        }
    }
    assert_in_range((int)(found / (20 * TV_MINHASH_MAX)), 1, 4); /* itself, and few others on average */
    tv_minhash_free(m);
}

/* The sets that the article works out: {A,B,C,D} and {A,B,E,F}; {A,B,C,D} and {A,G,H}; {A,B,C,D} and {B,C,E}. */
static void worked_jaccard_values(void **state)
{
    (void)state;
    static const int64_t s1[] = {1, 2, 3, 4}, s2[] = {1, 2, 5, 6}, s3[] = {1, 7, 8}, s4[] = {2, 3, 5};
    assert_float_equal(tv_jaccard(s1, 4, s2, 4), 2.0 / 6, 1e-15);
    assert_float_equal(tv_jaccard(s1, 4, s3, 3), 1.0 / 6, 1e-15);
    assert_float_equal(tv_jaccard(s1, 4, s4, 3), 2.0 / 5, 1e-15);
    assert_float_equal(tv_jaccard(s1, 4, s1, 4), 1, 0);
    assert_float_equal(tv_jaccard(s1, 4, s1, 0), 0, 0);
    assert_float_equal(tv_jaccard(s1, 0, s1, 0), 0, 0);
}

/* A..H and D..K share five of eleven elements: .4545. */
static void estimates_get_better_with_size(void **state)
{
    (void)state;
    uint32_t left[256], right[256];
    struct tv_minhash *m = functions(256);
    sketch(m, "A B C D E F G H", left);
    sketch(m, "D E F G H I J K", right);
    assert_float_equal(tv_minhash_estimate(tv_minhash_shared(m, left, right), 256), 0.44921875, 0);
    tv_minhash_free(m);
    m = functions(128);
    assert_float_equal(tv_minhash_estimate(tv_minhash_shared(m, left, right), 128), 0.5, 0);
    tv_minhash_free(m);
    assert_float_equal(tv_minhash_standard_error(0.5, 100), 0.05, 1e-15);
    assert_float_equal(tv_minhash_standard_error(1, 100), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_values),
        cmocka_unit_test(signatures_of_any_length_begin_alike),
        cmocka_unit_test(a_length_out_of_range_is_refused),
        cmocka_unit_test(an_id_is_its_decimal_text),
        cmocka_unit_test(the_sum_wraps_before_the_prime_is_taken),
        cmocka_unit_test(merging_is_the_signature_of_both),
        cmocka_unit_test(an_update_counts_what_it_changed),
        cmocka_unit_test(witnesses_have_the_signature_of_the_set),
        cmocka_unit_test(the_inverse_finds_the_hash_of_a_value),
        cmocka_unit_test(worked_jaccard_values),
        cmocka_unit_test(estimates_get_better_with_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
