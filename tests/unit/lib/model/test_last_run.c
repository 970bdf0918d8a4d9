/* test_last_run: what Redis says of the last training is read strictly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "trivet/model/last_run.h"
#include "trivet/model/run.h"

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const enum tv_run_state states[] = {TV_RUN_BUILDING, TV_RUN_LIVE, TV_RUN_KEPT, TV_RUN_FAILED};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        char text[80];
        struct tv_last_run last = {0};
        snprintf(text, sizeof text, "%d %s 1790000000", 12 + (int)i, tv_run_state_name(states[i]));
        assert_true(tv_last_run_parse(&last, text));
        assert_int_equal(last.run, 12 + i);
        assert_int_equal(last.state, states[i]);
        assert_true(last.at == 1790000000);
    }
}

static void other_text_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "12",         "12 live",          "live 12 17", "12 live 17 ",
                                      "12 live 17x", "0 live 17", "-1 live 17",       "12 done 17", "12 pruned 17",
                                      "12 LIVE 17", "12 alive 17", "99 livelivelivelivelive 17"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tv_last_run last;
        if (tv_last_run_parse(&last, bad[i]))
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(other_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
