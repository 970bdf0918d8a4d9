/* test_settings: the tables of algorithms and settings agree with each other and with the flags, and a setting comes back from
 * wherever it was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/learn/algorithm.h"
#include "train/search/space.h"

static const struct tv_option *option_of(const struct tv_option *rows, const char *name)
{
    while (rows->name && strcmp(rows->name, name) != 0)
        rows++;
    return rows->name ? rows : NULL;
}

/* Every setting has its flag, an axis of a search, and an algorithm that uses it; what algorithms use has a row; the choice of the
 * flag names all algorithms. */
static void tables_agree(void **state)
{
    char names[128] = "";
    (void)state;
    for (const struct tv_learn_algorithm *a = tv_learn_algorithms; a->name; a++) {
        strcat(strcat(names, names[0] ? "|" : ""), a->name);
        assert_non_null(a->learn);
        assert_non_null(a->memory);
        assert_null(a->settings[TV_LEARN_MOST - 1].flag); /* the row that ends them */
        assert_true((a->factors > 0) != tv_learn_uses(a, "factors"));
        for (int i = 0; a->settings[i].flag; i++)
            assert_non_null(tv_learn_setting_of(a->settings[i].flag));
    }
    assert_string_equal(names, TV_LEARN_NAMES);
    for (const struct tv_learn_setting *row = tv_learn_setting_rows; row->flag; row++) {
        int used = 0;
        assert_non_null(option_of(tv_learn_options, row->flag));
        assert_non_null(option_of(tv_search_space_options, row->flag));
        for (const struct tv_learn_algorithm *a = tv_learn_algorithms; a->name; a++)
            used += tv_learn_uses(a, row->flag);
        assert_true(used > 0);
    }
}

/* A default that --help shows is the one that is used. */
static void defaults_are_those_of_help(void **state)
{
    (void)state;
    for (const struct tv_learn_algorithm *a = tv_learn_algorithms; a->name; a++)
        for (int i = 0; a->settings[i].flag; i++) {
            const struct tv_option *option = option_of(tv_learn_options, a->settings[i].flag);
            if (option->default_text)
                assert_true(tv_learn_default_of(a, tv_learn_setting_of(option->name)) ==
                            strtod(option->default_text, NULL));
        }
}

/* A value that no setting has for its default, within the bounds of its flag. */
static void set_another_value(struct tv_learn_settings *s, const struct tv_learn_setting *row)
{
    static const char *const texts[] = {
        [TV_LEARN_WHOLE] = "7", [TV_LEARN_REAL] = "0.28125", [TV_LEARN_SEED] = "9007199254740993", [TV_LEARN_SWITCH] = "on"};
    const struct tv_option *option = option_of(tv_learn_options, row->flag);
    const double number = strtod(texts[row->kind], NULL);
    char text[32];
    snprintf(text, sizeof text, "%s", texts[row->kind]);
    if (row->kind == TV_LEARN_WHOLE || row->kind == TV_LEARN_REAL)
        snprintf(text, sizeof text, "%.15g", number < option->min ? option->min : number > option->max ? option->max : number);
    assert_int_equal(tv_learn_set(s, row->flag, text, NULL), TV_OK);
}

/* Of every algorithm, a new one too: each of its settings is in the JSON and in the flags. */
static void settings_come_back_from_json(void **state)
{
    (void)state;
    for (const struct tv_learn_algorithm *a = tv_learn_algorithms; a->name; a++) {
        struct tv_learn_settings s, back;
        struct tv_buffer json = TV_BUFFER_INIT(1 << 12), again = TV_BUFFER_INIT(1 << 12), line = TV_BUFFER_INIT(1 << 12);
        tv_learn_defaults(&s, a);
        for (int i = 0; a->settings[i].flag; i++)
            set_another_value(&s, tv_learn_setting_of(a->settings[i].flag));
        assert_int_equal(tv_learn_json(&s, &json, NULL), TV_OK);
        assert_int_equal(tv_learn_from_json(&back, a->name, tv_buffer_string(&json), NULL), TV_OK);
        assert_int_equal(tv_learn_json(&back, &again, NULL), TV_OK);
        assert_string_equal(tv_buffer_string(&again), tv_buffer_string(&json));
        assert_int_equal(tv_learn_flags(&back, &line, NULL), TV_OK);
        for (int i = 0; a->settings[i].flag; i++) {
            char member[64], flag[64];
            const struct tv_learn_setting *row = tv_learn_setting_of(a->settings[i].flag);
            assert_true(tv_learn_value(&back, row) == tv_learn_value(&s, row));
            snprintf(member, sizeof member, "\"%s\": ", row->flag);
            snprintf(flag, sizeof flag, " --%s", row->flag);
            assert_non_null(strstr(tv_buffer_string(&json), member));
            assert_non_null(strstr(tv_buffer_string(&line), flag));
        }
        tv_buffer_free(&json);
        tv_buffer_free(&again);
        tv_buffer_free(&line);
    }
}

/* What stands in journals, and what a search ends with. */
static void settings_are_written_like_this(void **state)
{
    static const struct {
        const char *algorithm, *json, *flags;
    } written[] = {
        {"svd", "{\"factors\": 7, \"sigma\": 0.10000000000000001}", " --algorithm svd --factors 7 --sigma 0.1"},
        {"als", "{\"factors\": 7, \"iterations\": 3, \"lambda\": 0.25, \"seed\": 9007199254740993, \"biases\": true}",
         " --algorithm als --factors 7 --iterations 3 --lambda 0.25 --seed 9007199254740993 --biases"},
        {"als-implicit", "{\"factors\": 7, \"iterations\": 3, \"lambda\": 0.25, \"seed\": 9007199254740993, \"alpha\": 40}",
         " --algorithm als-implicit --factors 7 --iterations 3 --lambda 0.25 --seed 9007199254740993 --alpha 40"}};
    (void)state;
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        struct tv_learn_settings s;
        struct tv_buffer json = TV_BUFFER_INIT(1 << 12), line = TV_BUFFER_INIT(1 << 12);
        assert_int_equal(tv_learn_from_json(&s, written[i].algorithm, written[i].json, NULL), TV_OK);
        assert_int_equal(tv_learn_json(&s, &json, NULL), TV_OK);
        assert_string_equal(tv_buffer_string(&json), written[i].json);
        assert_int_equal(tv_learn_flags(&s, &line, NULL), TV_OK);
        assert_string_equal(tv_buffer_string(&line), written[i].flags);
        struct tv_buffer small = TV_BUFFER_INIT(24); /* a line that lacks a flag would repeat another run */
        assert_int_equal(tv_learn_flags(&s, &small, NULL), TV_ERR_NO_MEMORY);
        tv_buffer_free(&small);
        tv_buffer_free(&json);
        tv_buffer_free(&line);
    }
}

/* Every model that can be learned can be served: its name has room in the model, and users are folded in by a row. */
static void every_algorithm_has_a_folding(void **state)
{
    (void)state;
    for (const struct tv_learn_algorithm *a = tv_learn_algorithms; a->name; a++) {
        const struct tv_model_folding *f = tv_model_foldings;
        while (f->algorithm && strcmp(f->algorithm, a->name) != 0)
            f++;
        if (f->algorithm == NULL)
            fail_msg("lib/model/foldings.c has no row for %s", a->name);
        assert_true(strlen(a->name) < sizeof((struct tv_model *)NULL)->algorithm);
        assert_true(strcmp(a->score_kind, "rating") == 0 || strcmp(a->score_kind, "relevance") == 0);
    }
}

static void settings_of_others_are_refused(void **state)
{
    struct tv_learn_settings s;
    struct tv_error err;
    (void)state;
    tv_learn_defaults(&s, tv_learn_algorithm_of("svd"));
    assert_int_equal(tv_learn_set(&s, "lambda", "0.1", &err), TV_ERR_USAGE);
    assert_string_equal(err.message, "--lambda means nothing to --algorithm svd");
    assert_int_equal(tv_learn_set(&s, "sigma", "2", &err), TV_ERR_USAGE);
    assert_int_equal(tv_learn_set(&s, "sigma", "1", &err), TV_OK);
    assert_true(s.sigma == 1 && s.factors == 50 && !s.factors_given);
    tv_learn_defaults(&s, tv_learn_algorithm_of("als"));
    assert_int_equal(tv_learn_set(&s, "biases", "maybe", &err), TV_ERR_USAGE);
    assert_int_equal(tv_learn_set(&s, "seed", "9007199254740993", &err), TV_OK);
    assert_true(s.seed == 9007199254740993u);
    assert_null(tv_learn_algorithm_of("nmf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_agree),
        cmocka_unit_test(defaults_are_those_of_help),
        cmocka_unit_test(settings_come_back_from_json),
        cmocka_unit_test(settings_are_written_like_this),
        cmocka_unit_test(every_algorithm_has_a_folding),
        cmocka_unit_test(settings_of_others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
