/* test_minhash_sets: the signatures of many items at once are those of each item alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/sets/minhash_sets.h"

enum { SIZE = 16, ITEMS = 300, USERS = 2000 };

/* Whether the user is among those of the item. */
static int is_of(int user, int item)
{
    return (user * 31 + item * 17) % 97 < 9;
}

/* Every pair, some of them again, items and users in turn. */
static void fill(struct tv_minhash_sets *s, int threads)
{
    assert_int_equal(tv_minhash_sets_create(s, SIZE, threads, NULL), TV_OK);
    assert_int_equal(tv_minhash_sets_name(s, 5, "five", 4, NULL), TV_OK);
    for (int user = 0; user < USERS; user++)
        for (int item = ITEMS - 1; item >= 0; item--)
            for (int times = is_of(user, item) * (1 + user % 2); times > 0; times--)
                assert_int_equal(tv_minhash_sets_add(s, user, item * 1000, NULL), TV_OK);
    tv_minhash_sets_finish(s);
}

static uint32_t hash_of(int user)
{
    return user == 5 ? tv_minhash_hash("five", 4) : tv_minhash_hash_id(user);
}

static void each_item_has_its_own_signature(void **state)
{
    (void)state;
    struct tv_minhash_sets s;
    uint32_t values[SIZE], witness[SIZE];
    fill(&s, 1);
    assert_int_equal(s.items.n, ITEMS);
    for (int item = 0; item < ITEMS; item++) {
        int32_t row = tv_id_map_find(&s.items, item * 1000);
        assert_true(row >= 0);
        tv_minhash_clear(s.functions, values);
        tv_minhash_clear(s.functions, witness);
        for (int user = 0; user < USERS; user++)
            if (is_of(user, item))
                tv_minhash_update_witness(s.functions, values, witness, hash_of(user));
        assert_memory_equal(tv_minhash_sets_values(&s, row), values, sizeof values);
        assert_memory_equal(tv_minhash_sets_witness(&s, row), witness, sizeof witness);
    }
    tv_minhash_sets_free(&s);
    assert_null(s.values);
}

static void threads_change_no_value(void **state)
{
    (void)state;
    struct tv_minhash_sets one, three;
    fill(&one, 1);
    fill(&three, 3);
    assert_int_equal(one.n_pairs, three.n_pairs);
    assert_memory_equal(one.values, three.values, ITEMS * SIZE * sizeof *one.values);
    assert_memory_equal(one.witness, three.witness, ITEMS * SIZE * sizeof *one.witness);
    tv_minhash_sets_free(&one);
    tv_minhash_sets_free(&three);
}

/* More than a batch waits, and more pairs follow after the end. */
static void batches_change_nothing(void **state)
{
    (void)state;
    enum { PAIRS = (1 << 20) + 1000 };
    struct tv_minhash_sets s;
    uint32_t values[SIZE];
    assert_int_equal(tv_minhash_sets_create(&s, SIZE, 2, NULL), TV_OK);
    for (int i = 0; i < PAIRS; i++)
        assert_int_equal(tv_minhash_sets_add(&s, i < 1000 ? i : i % 7, 7, NULL), TV_OK);
    tv_minhash_sets_finish(&s);
    tv_minhash_sets_finish(&s);
    assert_int_equal(tv_minhash_sets_add(&s, 1000, 7, NULL), TV_OK);
    tv_minhash_sets_finish(&s);
    assert_int_equal(s.n_pairs, PAIRS + 1);
    tv_minhash_clear(s.functions, values);
    for (int user = 0; user <= 1000; user++)
        tv_minhash_update(s.functions, values, tv_minhash_hash_id(user));
    assert_memory_equal(tv_minhash_sets_values(&s, 0), values, sizeof values);
    tv_minhash_sets_free(&s);
}

static void a_wrong_length_is_refused(void **state)
{
    (void)state;
    struct tv_minhash_sets s;
    assert_int_equal(tv_minhash_sets_create(&s, 0, 1, NULL), TV_ERR_USAGE);
    assert_null(s.batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_has_its_own_signature),
        cmocka_unit_test(threads_change_no_value),
        cmocka_unit_test(batches_change_nothing),
        cmocka_unit_test(a_wrong_length_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
