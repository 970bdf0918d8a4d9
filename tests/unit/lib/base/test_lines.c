/* test_lines: lines on their way to a reader that stops reading: no thread waits, lost lines are counted, and the end
 * comes in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/listen/access_log.h"
#include "trivet/base/clock.h"
#include "trivet/base/lines.h"

enum { LINE = 100, MANY = 50000 }; /* 5 MB: more than a pipe and a buffer hold */

static size_t put_many(struct tv_lines *lines)
{
    char line[LINE + 1];
    double began = tv_clock();
    for (int i = 0; i < MANY; i++) {
        snprintf(line, sizeof line, "%*d\n", LINE - 1, i);
        tv_lines_put(lines, line, LINE);
    }
    assert_true(tv_clock() - began < 2);
    return MANY;
}

/* Reads until nothing has come for a second, or the end; NUL-terminated, the caller's to free. */
static char *read_all(int fd, size_t *n)
{
    char *text = malloc(8 << 20);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t got;
    *n = 0;
    while (poll(&p, 1, 1000) > 0 && (got = read(fd, text + *n, (8 << 20) - 1 - *n)) > 0)
        *n += (size_t)got;
    text[*n] = '\0';
    return text;
}

/* How many lines came, or are said not to have come. */
static size_t accounted_for(const char *text, size_t *dropped)
{
    size_t lines = 0, n = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        if (sscanf(line, "(%zu lines dropped: they came faster than they were read)", &n) == 1)
            *dropped += n;
        else
            lines++;
    }
    return lines + *dropped;
}

static void test_a_reader_who_comes_late_is_told_what_is_missing(void **state)
{
    (void)state;
    int pipe_of[2];
    size_t n, dropped = 0;
    struct tv_lines *lines = NULL;
    assert_int_equal(pipe(pipe_of), 0);
    assert_int_equal(tv_lines_start(&lines, pipe_of[1], 0, NULL), TV_OK);
    size_t sent = put_many(lines);
    char *text = read_all(pipe_of[0], &n);
    assert_int_equal(accounted_for(text, &dropped), sent);
    assert_true(dropped > 0);
    free(text);
    tv_lines_put(lines, "once more\n", 10);
    tv_lines_stop(lines);
    text = read_all(pipe_of[0], &n);
    assert_string_equal(text, "once more\n");
    free(text);
    close(pipe_of[0]);
    close(pipe_of[1]);
}

/* Fills a shared pipe, as another process may between our asking for room and our writing. */
static void *fill(void *context)
{
    static const char page[4096];
    const int *pipe_of = context;
    while (write(pipe_of[1], page, sizeof page) > 0)
        ;
    return NULL;
}

static void test_a_full_pipe_does_not_hold_up_the_end(void **state)
{
    (void)state;
    int pipe_of[2];
    pthread_t other;
    struct tv_lines *lines = NULL;
    assert_int_equal(pipe(pipe_of), 0);
    assert_int_equal(tv_lines_start(&lines, pipe_of[1], 0, NULL), TV_OK);
    assert_int_equal(pthread_create(&other, NULL, fill, pipe_of), 0);
    put_many(lines);
    double began = tv_clock();
    tv_lines_stop(lines);
    assert_true(tv_clock() - began < 5);
    close(pipe_of[0]); /* the other writer gets an error, and ends */
    pthread_join(other, NULL);
    /* The thread of `lines` may have been given up in write(), and then has the other end until the process ends. */
}

static void test_a_reader_who_has_gone_costs_nothing(void **state)
{
    (void)state;
    int pipe_of[2];
    struct tv_lines *lines = NULL;
    assert_int_equal(pipe(pipe_of), 0);
    close(pipe_of[0]);
    assert_int_equal(tv_lines_start(&lines, pipe_of[1], 0, NULL), TV_OK);
    put_many(lines);
    double began = tv_clock();
    tv_lines_stop(lines);
    assert_true(tv_clock() - began < 2);
    close(pipe_of[1]);
}

static void test_a_line_of_the_access_log_holds_nothing_of_the_clients_as_it_came(void **state)
{
    (void)state;
    int pipe_of[2];
    size_t n;
    struct tv_access_log *log = NULL;
    assert_int_equal(pipe(pipe_of), 0);
    assert_int_equal(tv_access_log_start(&log, pipe_of[1], NULL), TV_OK);
    tv_access_log_line(log, "::1", "G\x1b[2J\" \r\n\\ET", "/\x1b[2J\"\x7f\xff\\", 400, 12, 0.001);
    tv_access_log_stop(log);
    close(pipe_of[1]);
    char *text = read_all(pipe_of[0], &n);
    assert_string_equal(strchr(text, ' '),
                        " ::1 \"G\\x1b[2J\\x22\\x20\\x0d\\x0a\\x5cET /\\x1b[2J\\x22\\x7f\\xff\\x5c\" 400 12 1.000ms\n");
    free(text);
    close(pipe_of[0]);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reader_who_comes_late_is_told_what_is_missing),
        cmocka_unit_test(test_a_full_pipe_does_not_hold_up_the_end),
        cmocka_unit_test(test_a_reader_who_has_gone_costs_nothing),
        cmocka_unit_test(test_a_line_of_the_access_log_holds_nothing_of_the_clients_as_it_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
