/* test_threads: the breaker, the workers and the access log, each with its threads. */
#include "serve_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "serve/listen/access_log.h"
#include "serve/stores/breaker.h"
#include "serve/stores/workers.h"

/* --- the breaker ----------------------------------------------------------------------------------------- */

struct store {
    atomic_int away, asked, hang_ms;
};

static enum tv_status ask(void *context, struct tv_error *err)
{
    struct store *store = context;
    atomic_fetch_add(&store->asked, 1);
    usleep((unsigned)atomic_load(&store->hang_ms) * 1000);
    return atomic_load(&store->away) ? tv_fail(err, TV_ERR_UNAVAILABLE, "nobody at home") : TV_OK;
}

static int becomes(struct tv_breaker *b, int up)
{
    for (int i = 0; i < 400 && tv_breaker_is_up(b) != up; i++)
        usleep(5000);
    return tv_breaker_is_up(b) == up;
}

static void the_breaker_follows_the_store(void **state)
{
    (void)state;
    struct store store = {0};
    struct tv_breaker *b = NULL;
    struct tv_breaker_state look;
    assert_int_equal(tv_breaker_start(&b, "a store", ask, &store, 5, NULL), TV_OK);
    assert_true(tv_breaker_is_up(b)); /* asked before start returned */
    atomic_store(&store.away, 1);
    assert_true(becomes(b, 0));
    tv_breaker_look(b, &look);
    assert_string_equal(look.message, "nobody at home");
    assert_true(look.seconds < 5);
    atomic_store(&store.away, 0);
    assert_true(becomes(b, 1));
    tv_breaker_look(b, &look);
    assert_string_equal(look.message, "");
    tv_breaker_stop(b);
}

static void a_request_opens_it_and_only_an_answer_closes_it(void **state)
{
    (void)state;
    struct store store = {0};
    struct tv_breaker *b = NULL;
    struct tv_error why = {.message = "a request waited in vain"};
    assert_int_equal(tv_breaker_start(&b, "a store", ask, &store, 300, NULL), TV_OK);
    int asked = atomic_load(&store.asked);
    tv_breaker_trip(b, &why);
    assert_false(tv_breaker_is_up(b));
    assert_true(becomes(b, 1));
    assert_true(atomic_load(&store.asked) > asked);
    tv_breaker_stop(b);
}

static void looking_does_not_wait_for_a_store_that_hangs(void **state)
{
    (void)state;
    struct store store = {0};
    struct tv_breaker *b = NULL;
    struct tv_breaker_state look;
    assert_int_equal(tv_breaker_start(&b, "a store", ask, &store, 1, NULL), TV_OK);
    atomic_store(&store.hang_ms, 500);
    int asked = atomic_load(&store.asked);
    while (atomic_load(&store.asked) == asked)
        usleep(1000);
    double start = tv_clock();
    for (int i = 0; i < 100; i++) {
        tv_breaker_is_up(b);
        tv_breaker_look(b, &look);
    }
    assert_true(tv_clock() - start < 0.25);
    tv_breaker_stop(b);
}

/* --- the workers ----------------------------------------------------------------------------------------- */

struct job {
    struct tv_work work;
    atomic_int done;
};

struct shop {
    pthread_mutex_t closed; /* held: nobody works */
    atomic_size_t batches, largest;
};

static void run_jobs(void *context, struct tv_work *const *batch, size_t n)
{
    struct shop *shop = context;
    pthread_mutex_lock(&shop->closed);
    pthread_mutex_unlock(&shop->closed);
    atomic_fetch_add(&shop->batches, 1);
    if (n > atomic_load(&shop->largest))
        atomic_store(&shop->largest, n);
    for (size_t i = 0; i < n; i++)
        atomic_fetch_add(&((struct job *)batch[i])->done, 1);
}

static void work_gathers_into_batches_and_is_bounded(void **state)
{
    (void)state;
    enum { JOBS = 30, WAITING = 20, BATCH = 8 };
    static struct job jobs[JOBS];
    struct shop shop = {PTHREAD_MUTEX_INITIALIZER, 0, 0};
    struct tv_workers *workers = NULL;
    int taken = 0;
    assert_int_equal(tv_workers_start(&workers, 1, WAITING, BATCH, run_jobs, &shop, NULL), TV_OK);
    pthread_mutex_lock(&shop.closed);
    for (int i = 0; i < JOBS; i++)
        taken += tv_workers_give(workers, &jobs[i].work);
    assert_in_range(taken, WAITING, WAITING + BATCH); /* a first batch may be out of the queue already */
    pthread_mutex_unlock(&shop.closed);
    tv_workers_stop(workers); /* does what is waiting */
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(atomic_load(&jobs[i].done), i < taken);
    assert_int_equal(atomic_load(&shop.largest), BATCH);
    assert_true(atomic_load(&shop.batches) < (size_t)taken);
}

/* --- the access log -------------------------------------------------------------------------------------- */

static char *read_all(int fd)
{
    static char text[65536];
    size_t n = 0;
    for (ssize_t got; (got = read(fd, text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    return text;
}

static void a_request_is_one_line_whatever_it_holds(void **state)
{
    (void)state;
    int ends[2];
    struct tv_access_log *log = NULL;
    char target[3000];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(tv_access_log_start(&log, ends[1], NULL), TV_OK);
    tv_access_log_line(log, "127.0.0.1", "GET", "/recs?user_id=10", 200, 1834, 0.0004);
    tv_access_log_line(log, "127.0.0.1", "GET", "/\" 200\n2026 \x1b[2J\xff\\", 404, 9, 0.001);
    tv_access_log_line(log, "::1", "BREW", "/", 0, 0, 1);
    memset(target, 0x01, sizeof target - 1);
    target[sizeof target - 1] = '\0';
    tv_access_log_line(log, "::1", "GET", target, 414, 0, 1);
    tv_access_log_stop(log);
    close(ends[1]);
    char *text = read_all(ends[0]), *line[5], *rest = text;
    for (int i = 0; i < 5; i++)
        line[i] = strsep(&rest, "\n");
    assert_string_equal(line[0] + 24, " 127.0.0.1 \"GET /recs?user_id=10\" 200 1834 0.400ms");
    assert_string_equal(line[1] + 24,
                        " 127.0.0.1 \"GET /\\x22\\x20200\\x0a2026\\x20\\x1b[2J\\xff\\x5c\" 404 9 1.000ms");
    assert_string_equal(line[2] + 24, " ::1 \"BREW /\" aborted");
    assert_true(strlen(line[3]) < 1400);
    assert_string_equal(line[4], "");
    assert_null(rest);
    close(ends[0]);
}

static void a_reader_who_sleeps_holds_nobody_up(void **state)
{
    (void)state;
    int ends[2];
    struct tv_access_log *log = NULL;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(tv_access_log_start(&log, ends[1], NULL), TV_OK);
    double start = tv_clock(), slowest = 0;
    for (int i = 0; i < 60000; i++) {
        double before = tv_clock();
        tv_access_log_line(log, "127.0.0.1", "GET", "/recs?user_id=10", 200, 1834, 0.0004);
        slowest = tv_clock() - before > slowest ? tv_clock() - before : slowest;
    }
    assert_true(slowest < 1.5 && tv_clock() - start < 20);
    tv_access_log_stop(log); /* gives the reader up */
    close(ends[1]);
    assert_true(strlen(read_all(ends[0])) > 4096);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_breaker_follows_the_store),
        cmocka_unit_test(a_request_opens_it_and_only_an_answer_closes_it),
        cmocka_unit_test(looking_does_not_wait_for_a_store_that_hangs),
        cmocka_unit_test(work_gathers_into_batches_and_is_bounded),
        cmocka_unit_test(a_request_is_one_line_whatever_it_holds),
        cmocka_unit_test(a_reader_who_sleeps_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
