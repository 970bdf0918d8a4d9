/* test_breaker: a store is away where it does not answer, and not because this process ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "serve/stores/breaker.h"
#include "trivet/base/stop.h"

static enum tv_status answer(void *context, struct tv_error *err)
{
    (void)err;
    return *(int *)context ? TV_OK : (enum tv_status)tv_fail(err, TV_ERR_UNAVAILABLE, "no reply in time");
}

static struct tv_breaker *start(int *answers)
{
    struct tv_breaker *breaker = NULL;
    assert_int_equal(tv_breaker_start(&breaker, "the store", answer, answers, 3600 * 1000, NULL), TV_OK);
    return breaker;
}

static int message_of(struct tv_breaker *breaker)
{
    struct tv_breaker_state state;
    tv_breaker_look(breaker, &state);
    return state.message[0] != '\0';
}

static void what_does_not_answer_is_away(void **state)
{
    (void)state;
    int answers = 0;
    struct tv_breaker *breaker = start(&answers);
    assert_false(tv_breaker_is_up(breaker));
    assert_true(message_of(breaker));
    tv_breaker_stop(breaker);
}

/* From the moment of the stop on every wait ends as if the store had not answered. The last test: it cannot be taken back. */
static void a_wait_that_ends_with_the_process_says_nothing(void **state)
{
    (void)state;
    int answers = 1;
    struct tv_error why = {0};
    struct tv_breaker *breaker = start(&answers);
    tv_fail(&why, TV_ERR_UNAVAILABLE, "no reply in time");
    tv_stop_within(0);
    tv_breaker_trip(breaker, &why);
    assert_true(tv_breaker_is_up(breaker));
    assert_false(message_of(breaker));
    tv_breaker_stop(breaker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_answer_is_away),
        cmocka_unit_test(a_wait_that_ends_with_the_process_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
