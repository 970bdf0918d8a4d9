/* test_id_map: ids get dense numbers in the order in which they first come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "trivet/core/id_map.h"

enum { MANY = 20000 }; /* makes the table grow several times */

static int64_t id_of(int i)
{
    return (i % 2 ? -1 : 1) * (int64_t)i * INT64_C(1000000007);
}

static void numbers_follow_the_order_of_arrival(void **state)
{
    (void)state;
    struct tv_id_map map = TV_ID_MAP_INIT;
    int32_t number = -1;
    assert_int_equal(tv_id_map_find(&map, 7), -1);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(tv_id_map_add(&map, id_of(i), &number, NULL), TV_OK);
        assert_int_equal(number, i);
        assert_int_equal(tv_id_map_add(&map, id_of(i / 2), &number, NULL), TV_OK);
        assert_int_equal(number, i / 2);
    }
    assert_int_equal(map.n, MANY);
    assert_true((map.n_places & (map.n_places - 1)) == 0 && map.n_places > MANY / 2 * 3);
    for (int i = 0; i < MANY; i++) {
        assert_true(map.ids[i] == id_of(i));
        assert_int_equal(tv_id_map_find(&map, id_of(i)), i);
        assert_int_equal(tv_id_map_find(&map, id_of(i) + 1), -1);
    }
    tv_id_map_free(&map);
    assert_int_equal(map.n, 0);
    assert_int_equal(tv_id_map_find(&map, 0), -1);
}

static void any_id_can_be_numbered(void **state)
{
    (void)state;
    const int64_t ids[] = {0, -1, INT64_MIN, INT64_MAX, 1};
    struct tv_id_map map = TV_ID_MAP_INIT;
    int32_t number;
    for (int i = 0; i < 5; i++)
        assert_int_equal(tv_id_map_add(&map, ids[i], &number, NULL), TV_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(tv_id_map_find(&map, ids[i]), i);
    tv_id_map_free(&map);
    assert_int_equal(tv_id_map_add(&map, 9, &number, NULL), TV_OK); /* usable again */
    assert_int_equal(number, 0);
    tv_id_map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_follow_the_order_of_arrival),
        cmocka_unit_test(any_id_can_be_numbered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
