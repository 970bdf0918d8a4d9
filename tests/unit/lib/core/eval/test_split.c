/* test_split: ratings divided into portions: at random, by time, by each user's last ones; and a portion thinned out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "trivet/core/eval/split.h"

enum { MANY = 20000 };

/* 100 ratings for each of 200 users, at times that come again and again. */
struct many {
    int64_t user[MANY], item[MANY];
    float value[MANY];
    double time[MANY];
};

static struct tv_pairs make_many(struct many *m)
{
    for (size_t i = 0; i < MANY; i++) {
        m->user[i] = (int64_t)(i / 100) - 50;
        m->item[i] = (int64_t)(i % 100) * 3;
        m->value[i] = (float)(i % 5 + 1);
        m->time[i] = (double)(i * 7919 % 5003);
    }
    return (struct tv_pairs){MANY, m->user, m->item, m->value, m->time};
}

static struct tv_split_options options(enum tv_split_kind kind, double test, double validation)
{
    struct tv_split_options o;
    tv_split_defaults(&o);
    o.kind = kind;
    o.test = test;
    o.validation = validation;
    return o;
}

static void random_parts_have_about_their_share(void **state)
{
    (void)state;
    static struct many m;
    struct tv_pairs pairs = make_many(&m);
    struct tv_split s, again, other;
    struct tv_split_options o = options(TV_SPLIT_RANDOM, 0.2, 0.1);
    assert_int_equal(tv_split(&s, &pairs, &o, NULL), TV_OK);
    assert_int_equal(s.n[TV_TRAINING] + s.n[TV_TEST] + s.n[TV_VALIDATION], MANY);
    assert_true(fabs((double)s.n[TV_TEST] / MANY - 0.2) < 0.02);
    assert_true(fabs((double)s.n[TV_VALIDATION] / MANY - 0.1) < 0.02);
    assert_int_equal(tv_split(&again, &pairs, &o, NULL), TV_OK);
    assert_memory_equal(s.portion, again.portion, MANY);
    o.seed = 2;
    assert_int_equal(tv_split(&other, &pairs, &o, NULL), TV_OK);
    assert_memory_not_equal(s.portion, other.portion, MANY);
    tv_split_free(&s);
    tv_split_free(&again);
    tv_split_free(&other);
    assert_null(s.portion);
}

/* The published outputs of splitmix64 started at 1234567: another program must be able to repeat a split. */
static void random_parts_come_from_splitmix64(void **state)
{
    (void)state;
    const uint64_t outputs[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u,
                                16408922859458223821u};
    const int64_t user[] = {1, 1, 1, 1, 1}, item[] = {1, 2, 3, 4, 5};
    const float value[5] = {0};
    struct tv_pairs pairs = {5, user, item, value, NULL};
    struct tv_split_options o = options(TV_SPLIT_RANDOM, 0.3, 0.3);
    struct tv_split s;
    o.seed = 1234567;
    assert_int_equal(tv_split(&s, &pairs, &o, NULL), TV_OK);
    for (int i = 0; i < 5; i++) {
        double u = ldexp((double)outputs[i], -64);
        assert_int_equal(s.portion[i], u < 0.3 ? TV_TEST : u < 0.6 ? TV_VALIDATION : TV_TRAINING);
    }
    assert_int_equal(s.n[TV_TEST], 2); /* of .35, .17, .53, .25 and .89 */
    assert_int_equal(s.n[TV_VALIDATION], 2);
    tv_split_free(&s);
}

/* Everything in test is later than validation, that than training, and no portion is larger than it was to be. */
static void parts_by_time_follow_each_other(void **state)
{
    (void)state;
    static struct many m;
    struct tv_pairs pairs = make_many(&m);
    struct tv_split_options o = options(TV_SPLIT_TIME, 0.2, 0.1);
    struct tv_split s;
    assert_int_equal(tv_split(&s, &pairs, &o, NULL), TV_OK);
    double first[TV_PORTIONS] = {INFINITY, INFINITY, INFINITY}, last[TV_PORTIONS] = {-INFINITY, -INFINITY, -INFINITY};
    for (size_t i = 0; i < MANY; i++) {
        first[s.portion[i]] = fmin(first[s.portion[i]], m.time[i]);
        last[s.portion[i]] = fmax(last[s.portion[i]], m.time[i]);
    }
    assert_true(last[TV_TRAINING] < first[TV_VALIDATION] && last[TV_VALIDATION] < first[TV_TEST]);
    assert_in_range(s.n[TV_TEST], MANY / 5 - 4, MANY / 5); /* four pairs a second at the most */
    assert_in_range(s.n[TV_TEST] + s.n[TV_VALIDATION], MANY * 3 / 10 - 4, MANY * 3 / 10);
    tv_split_free(&s);
}

static void the_same_second_stays_together(void **state)
{
    (void)state;
    const int64_t user[] = {1, 1, 1, 2, 2}, item[] = {1, 2, 3, 1, 2};
    const float value[] = {1, 2, 3, 4, 5};
    const double time[] = {10, 30, 20, 30, 30};
    struct tv_pairs pairs = {5, user, item, value, time};
    struct tv_split s;
    struct tv_error err;
    struct tv_split_options o = options(TV_SPLIT_TIME, 0.6, 0);
    assert_int_equal(tv_split(&s, &pairs, &o, NULL), TV_OK);
    const uint8_t expected[] = {TV_TRAINING, TV_TEST, TV_TRAINING, TV_TEST, TV_TEST};
    assert_memory_equal(s.portion, expected, 5);
    tv_split_free(&s);
    o.test = 0.4; /* the two newest of three that are equally new */
    assert_int_equal(tv_split(&s, &pairs, &o, &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.message, "none for the test"));
    assert_non_null(strstr(err.hint, "same second"));
    assert_null(s.portion);
    o.test = 0.99; /* all of them */
    assert_int_equal(tv_split(&s, &pairs, &o, &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.message, "none for training"));
}

static void the_last_pairs_of_a_user_go_by_time_and_item(void **state)
{
    (void)state;
    const int64_t user[] = {1, 1, 1, 1, 2, 2, 3, 3, 3}, item[] = {5, 6, 7, 8, 1, 2, 1, 2, 3};
    const float value[9] = {0};
    const double time[] = {9, 4, 4, 1, 1, 2, 5, 5, 5};
    struct tv_pairs pairs = {9, user, item, value, time};
    struct tv_split_options o = options(TV_SPLIT_LAST, 0, 0);
    struct tv_split s;
    o.last = 2;
    assert_int_equal(tv_split(&s, &pairs, &o, NULL), TV_OK);
    const uint8_t expected[] = {1, 0, 1, 0, 0, 0, 0, 1, 1}; /* user 2 has two pairs, and keeps both */
    assert_memory_equal(s.portion, expected, 9);
    assert_int_equal(s.n[TV_TEST], 4);
    tv_split_free(&s);
}

static void pairs_without_a_time_are_refused(void **state)
{
    (void)state;
    const int64_t user[] = {1, 1, 2}, item[] = {1, 2, 1};
    const float value[] = {1, 2, 3};
    const double time[] = {1, NAN, 3};
    struct tv_pairs some = {3, user, item, value, time}, none = {3, user, item, value, NULL};
    struct tv_split s;
    struct tv_error err;
    for (int kind = TV_SPLIT_TIME; kind <= TV_SPLIT_LAST; kind++) {
        struct tv_split_options o = options(kind, kind == TV_SPLIT_TIME ? 0.5 : 0, 0);
        assert_int_equal(tv_split(&s, &some, &o, &err), TV_ERR_INPUT);
        assert_non_null(strstr(err.message, "1 of 3 ratings have no time"));
        assert_true(err.hint[0] != '\0');
        assert_int_equal(tv_split(&s, &none, &o, &err), TV_ERR_INPUT);
        assert_non_null(strstr(err.message, "3 of 3 ratings"));
    }
}

static void what_cannot_be_split_is_refused(void **state)
{
    (void)state;
    const int64_t user[] = {1, 1, 2}, item[] = {1, 2, 1}, repeated[] = {2, 2, 1}, back[] = {1, 2, 1};
    const float value[3] = {0};
    struct tv_pairs good = {3, user, item, value, NULL}, twice = {3, user, repeated, value, NULL};
    struct tv_pairs order = {3, back, item, value, NULL}, empty = {0, NULL, NULL, NULL, NULL};
    struct tv_split s;
    const double shares[][2] = {{0, 0}, {-0.1, 0}, {1, 0}, {0.5, 0.5}, {0.5, -0.1}, {NAN, 0}, {0.5, NAN}};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        struct tv_split_options o = options(TV_SPLIT_RANDOM, shares[i][0], shares[i][1]);
        assert_int_equal(tv_split(&s, &good, &o, NULL), TV_ERR_USAGE);
    }
    struct tv_split_options o = options(TV_SPLIT_RANDOM, 0.5, 0);
    assert_int_equal(tv_split(&s, &twice, &o, NULL), TV_ERR_INPUT);
    assert_int_equal(tv_split(&s, &order, &o, NULL), TV_ERR_INPUT);
    assert_int_equal(tv_split(&s, &empty, &o, NULL), TV_ERR_INPUT);
    o = options(TV_SPLIT_LAST, 0.2, 0.1);
    assert_int_equal(tv_split(&s, &good, &o, NULL), TV_ERR_USAGE);
    o = options(TV_SPLIT_LAST, 0, 0);
    o.last = 0;
    assert_int_equal(tv_split(&s, &good, &o, NULL), TV_ERR_USAGE);
}

static void a_fraction_lies_within_a_larger_one(void **state)
{
    (void)state;
    enum { N = 10000 };
    static uint8_t few[N], many[N], all[N];
    size_t n_few = 0, n_many = 0, n_all = 0;
    tv_split_thin(few, N, 0.1, 1);
    tv_split_thin(many, N, 0.4, 1);
    tv_split_thin(all, N, 1, 1);
    for (int i = 0; i < N; i++) {
        assert_true(few[i] <= many[i]);
        n_few += few[i];
        n_many += many[i];
        n_all += all[i];
    }
    assert_in_range(n_few, 900, 1100);
    assert_in_range(n_many, 3800, 4200);
    assert_int_equal(n_all, N);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_parts_have_about_their_share),
        cmocka_unit_test(random_parts_come_from_splitmix64),
        cmocka_unit_test(parts_by_time_follow_each_other),
        cmocka_unit_test(the_same_second_stays_together),
        cmocka_unit_test(the_last_pairs_of_a_user_go_by_time_and_item),
        cmocka_unit_test(pairs_without_a_time_are_refused),
        cmocka_unit_test(what_cannot_be_split_is_refused),
        cmocka_unit_test(a_fraction_lies_within_a_larger_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
