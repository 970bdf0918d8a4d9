/* test_space: the trials that flags lay out, and how many run at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/learn/algorithm.h"
#include "train/search/search.h"

enum { MOST = 12 };

/* Reads a command line, a NULL-terminated list of flags. */
static enum tv_status read_space(struct tv_search_space *out, struct tv_error *err, const char *const *flags)
{
    static const struct tv_command commands[] = {
        {.name = "search", .arguments = "", .summary = "", .options = tv_search_options, .more = tv_search_subject},
        {.name = NULL}};
    const struct tv_program program = {.name = "trivet-train", .mask = TV_PROGRAM_TRAIN, .commands = commands};
    const char *const environment[] = {NULL};
    char *argv[MOST + 1] = {(char *)"trivet-train"};
    struct tv_command_line line = {.argc = 1, .argv = argv, .environment = environment};
    struct tv_settings *settings = NULL;
    while (*flags)
        argv[line.argc++] = (char *)*flags++;
    enum tv_status status = tv_settings_parse(&settings, &program, commands, &line, err);
    if (status == TV_OK)
        status = tv_search_space_read(out, settings, err);
    tv_settings_free(settings);
    return status;
}

static struct tv_search_space space_of(const char *const *flags)
{
    struct tv_search_space s;
    struct tv_error err = {0};
    if (read_space(&s, &err, flags) != TV_OK)
        fail_msg("%s", err.message);
    return s;
}

static void a_grid_has_every_combination_once(void **state)
{
    (void)state;
    struct tv_search_space s =
        space_of((const char *const[]){"--algorithm=als", "--factors=4,8", "--lambda=0.10,1e-2,3", "--iterations=7",
                                       "--over=min_users_for_item=5,10", NULL});
    static const char *const lambdas[] = {"0.1", "0.01", "3"};
    assert_int_equal(s.n_axes, 3);
    assert_int_equal(s.filters, 1);
    assert_int_equal(s.n_trials, 12);
    for (size_t i = 0; i < 12; i++) {
        struct tv_learn_settings learn;
        struct tv_filter *filter;
        struct tv_error err = {0};
        assert_string_equal(tv_search_space_value(&s, i, 0), i < 6 ? "4" : "8");
        assert_string_equal(tv_search_space_value(&s, i, 1), lambdas[i / 2 % 3]);
        assert_string_equal(tv_search_space_value(&s, i, 2), i % 2 ? "10" : "5");
        assert_int_equal(tv_filter_create(&filter, &err), TV_OK);
        assert_int_equal(tv_search_space_settings(&s, i, &learn, filter, &err), TV_OK);
        assert_true(learn.factors == (i < 6 ? 4 : 8) && learn.factors_given && learn.iterations == 7);
        assert_true(learn.lambda == strtod(lambdas[i / 2 % 3], NULL) &&
                    learn.algorithm == tv_learn_algorithm_of("als"));
        assert_int_equal(tv_filter_int(filter, "min_users_for_item"), i % 2 ? 10 : 5);
        tv_filter_free(filter);
    }
    tv_search_space_free(&s);
}

static void what_was_tried_is_written_down(void **state)
{
    (void)state;
    struct tv_search_space s = space_of((const char *const[]){"--algorithm=als", "--factors=4,8", "--biases=off,on",
                                                              "--over=max_items_for_user=50,100", "--seed=9", NULL});
    json_t *object = tv_search_space_json(&s, 3);
    char *text = json_dumps(object, JSON_REAL_PRECISION(15) | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"biases\": true, \"factors\": 4, \"iterations\": 15, \"lambda\": 0.1, "
                              "\"max_items_for_user\": 100, \"seed\": 9}");
    free(text);
    json_decref(object);
    tv_search_space_free(&s);
}

static void draws_follow_the_seed_and_keep_to_the_range(void **state)
{
    (void)state;
    const char *const flags[] = {"--algorithm=als-implicit", "--factors=4..64", "--lambda=0.001..1", "--alpha=1,40",
                                 "--random=200", "--seed=5", NULL};
    struct tv_search_space s = space_of(flags), again = space_of(flags);
    int small = 0, first = 0;
    assert_int_equal(s.n_trials, 200);
    for (size_t i = 0; i < s.n_trials; i++) {
        double factors = strtod(tv_search_space_value(&s, i, 0), NULL),
               lambda = strtod(tv_search_space_value(&s, i, 1), NULL);
        assert_true(factors >= 4 && factors <= 64 && factors == (int)factors && lambda >= 0.001 && lambda <= 1);
        small += lambda < 0.0316; /* half of the range, on the scale of its logarithm */
        first += strcmp(tv_search_space_value(&s, i, 2), "1") == 0;
        for (int a = 0; a < s.n_axes; a++)
            assert_string_equal(tv_search_space_value(&s, i, a), tv_search_space_value(&again, i, a));
    }
    assert_in_range(small, 80, 120);
    assert_in_range(first, 80, 120);
    tv_search_space_free(&s);
    tv_search_space_free(&again);
}

static void no_setting_is_drawn_twice(void **state)
{
    (void)state;
    struct tv_search_space s =
        space_of((const char *const[]){"--algorithm=als", "--factors=2..4", "--biases=off,on", "--random=100", NULL});
    assert_int_equal(s.n_trials, 6); /* there are no more */
    tv_search_space_free(&s);
}

static void more_than_can_be_tried_is_refused(void **state)
{
    (void)state;
    char list[8000] = "--factors=1", lambdas[8000] = "--lambda=1";
    struct tv_search_space s;
    struct tv_error err = {0};
    for (int i = 2; i <= 101; i++) {
        snprintf(list + strlen(list), sizeof list - strlen(list), ",%d", i);
        snprintf(lambdas + strlen(lambdas), sizeof lambdas - strlen(lambdas), ",%d", i);
    }
    assert_int_equal(read_space(&s, &err, (const char *const[]){"--algorithm=als", list, lambdas, NULL}), TV_ERR_USAGE);
    assert_non_null(strstr(err.message, "more than 10000 combinations"));
    assert_non_null(strstr(err.hint, "--random"));
    s = space_of((const char *const[]){"--algorithm=als", list, lambdas, "--random=50", NULL});
    assert_int_equal(s.n_trials, 50);
    tv_search_space_free(&s);
}

static void plan_of(struct tv_search_plan *out, size_t open, int parallel, int threads, double bytes)
{
    struct tv_error err = {0};
    assert_int_equal(tv_search_plan(out, open, parallel, threads, 100, bytes, &err), TV_OK);
}

static void threads_and_memory_are_shared_out(void **state)
{
    (void)state;
    static const struct {
        size_t open;
        int parallel, threads;
        double bytes;
        int expected, threads_each;
    } rows[] = {{10, 0, 4, 1e9, 4, 1}, {10, 0, 4, 250, 2, 2}, {10, 0, 8, 399, 3, 2}, {3, 0, 8, 1e9, 3, 2}, {1, 0, 8, 1e9, 1, 8},
                {10, 6, 2, 1e9, 6, 1}, {10, 2, 8, 1e9, 2, 4}, {10, 0, 1, 1e9, 1, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tv_search_plan plan;
        plan_of(&plan, rows[i].open, rows[i].parallel, rows[i].threads, rows[i].bytes);
        assert_int_equal(plan.parallel, rows[i].expected);
        assert_int_equal(plan.threads, rows[i].threads_each);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct tv_search_plan plan;
    struct tv_error err = {0};
    assert_int_equal(tv_search_plan(&plan, 5, 0, 2, 100, 99, &err), TV_ERR_NO_MEMORY);
    assert_int_equal(tv_search_plan(&plan, 5, 3, 2, 100, 299, &err), TV_ERR_USAGE);
    assert_non_null(strstr(err.message, "--parallel is 3"));
}

static void a_trial_takes_more_with_more_of_anything(void **state)
{
    (void)state;
    struct tv_csr small = {.n_rows = 100, .n_cols = 50, .n_values = 1000}, large = {.n_rows = 900, .n_cols = 500, .n_values = 90000};
    for (const struct tv_learn_algorithm *a = tv_learn_algorithms; a->name; a++) {
        struct tv_learn_settings few, many;
        tv_learn_defaults(&few, a);
        many = few;
        few.factors = 5;
        many.factors = 50;
        assert_true(tv_search_trial_memory(&few, &small) < tv_search_trial_memory(&many, &small));
        assert_true(tv_search_trial_memory(&few, &small) < tv_search_trial_memory(&few, &large));
    }
}

/* A search of four trials, (factors, iterations), with these values. */
static size_t chosen(const double *values, int higher, double min_gain)
{
    struct tv_search s = {.metric = {.name = "m", .of_ratings = !higher}};
    struct tv_search_result results[4] = {{0}};
    struct tv_error err = {0};
    s.space = space_of((const char *const[]){"--algorithm=als", "--factors=4,8", "--iterations=10,20", NULL});
    s.results = results;
    for (int i = 0; i < 4; i++)
        results[i] = (struct tv_search_result){.done = 1, .metric = {values[i], values[i], values[i]}};
    assert_int_equal(tv_search_choose(&s, min_gain, &err), TV_OK);
    tv_search_space_free(&s.space);
    return s.best;
}

static void fewer_factors_win_a_tie_then_fewer_iterations(void **state)
{
    (void)state;
    const double values[] = {0.905, 0.903, 0.901, 0.900}, failed[] = {(double)NAN, 0.903, 0.901, 0.900};
    assert_int_equal(chosen(values, 0, 0), 3);
    assert_int_equal(chosen(values, 0, 0.0011), 2);  /* 20 iterations gained too little */
    assert_int_equal(chosen(values, 0, 0.0031), 1);  /* four more factors, too */
    assert_int_equal(chosen(values, 0, 0.0051), 0);
    assert_int_equal(chosen(values, 1, 0), 0);
    assert_int_equal(chosen(failed, 0, 1), 1);
    assert_int_equal(chosen((const double[]){0.9, 0.9, 0.9, 0.9}, 1, 0), 0); /* a tie of the last bit */
}

static void without_a_value_nothing_wins(void **state)
{
    (void)state;
    char reason[] = "the matrix is too small";
    struct tv_search s = {.metric = {.name = "m"}};
    struct tv_search_result results[2] = {{.done = 1, .metric = {(double)NAN, 0, 0}, .message = reason},
                                          {.done = 1, .metric = {(double)NAN, 0, 0}}};
    struct tv_error err = {0};
    s.space = space_of((const char *const[]){"--factors=4,8", NULL});
    s.results = results;
    assert_int_equal(tv_search_choose(&s, 0, &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.message, reason));
    tv_search_space_free(&s.space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_has_every_combination_once),
        cmocka_unit_test(what_was_tried_is_written_down),
        cmocka_unit_test(draws_follow_the_seed_and_keep_to_the_range),
        cmocka_unit_test(no_setting_is_drawn_twice),
        cmocka_unit_test(more_than_can_be_tried_is_refused),
        cmocka_unit_test(threads_and_memory_are_shared_out),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_trial_takes_more_with_more_of_anything),
        cmocka_unit_test(fewer_factors_win_a_tie_then_fewer_iterations),
        cmocka_unit_test(without_a_value_nothing_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
