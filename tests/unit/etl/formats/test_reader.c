/* test_reader: a record that is refused is handed over with its reason, and reading goes on; any other failure ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "etl/formats/reader.h"

/* The calls that a sink got. */
struct told {
    int ratings, refused;
    long long line;
    struct tv_error why;
    int full; /* 1: the second rating is too much */
};

static enum tv_status on_rating(void *context, const struct tv_rating_row *row, struct tv_error *err)
{
    struct told *t = context;
    (void)row;
    t->ratings++;
    return t->full && t->ratings == 2 ? tv_fail(err, TV_ERR_INPUT, "no room") : TV_OK;
}

static enum tv_status on_reject(void *context, const char *file, const struct tv_record *record,
                                const struct tv_error *why, struct tv_error *err)
{
    struct told *t = context;
    (void)err;
    assert_string_equal(file, "ratings.csv");
    t->refused++;
    t->line = record->line;
    t->why = *why;
    return TV_OK;
}

static enum tv_status on_progress(void *context, double bytes, struct tv_error *err)
{
    (void)context, (void)bytes, (void)err;
    return TV_OK;
}

static enum tv_status read_text(struct told *told, const char *text, struct tv_error *err)
{
    char path[64], name[] = "ratings.csv";
    int fd = memfd_create("ratings", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct tv_input_file file = {.name = name, .path = path, .size = (double)strlen(text)};
    struct tv_input input = {.path = path, .files = &file, .n_files = 1};
    struct tv_sink sink = {.context = told, .rating = on_rating, .reject = on_reject, .progress = on_progress};
    struct tv_file_reading reading = {
        .input = &input, .file = &file, .dialect = {",", 1}, .has_header = 1, .sink = &sink};
    enum tv_status status = tv_read_ratings(&reading, err);
    close(fd);
    return status;
}

static void a_refused_record_comes_with_its_reason(void **state)
{
    (void)state;
    static const char *const bad[][2] = {{"x,2,3", "id is not an integer"},
                                         {",2,3", "empty id"},
                                         {"1,2,nan", "NaN rating"},
                                         {"1,2", "wrong number of fields"},
                                         {"\"1\"1,2,3", "misplaced quote"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[128];
        struct told told = {0};
        struct tv_error err = {0};
        snprintf(text, sizeof text, "userId,movieId,rating\n1,2,3\n%s\n4,5,6\n", bad[i][0]);
        assert_int_equal(read_text(&told, text, &err), TV_OK);
        assert_int_equal(err.status, TV_OK);
        assert_int_equal(told.ratings, 2);
        assert_int_equal(told.refused, 1);
        assert_int_equal(told.line, 3);
        assert_int_equal(told.why.status, TV_ERR_RECORD);
        assert_string_equal(told.why.message, bad[i][1]);
    }
}

static void a_failure_of_the_sink_ends_the_reading(void **state)
{
    (void)state;
    struct told told = {.full = 1};
    struct tv_error err = {0};
    assert_int_equal(read_text(&told, "userId,movieId,rating\n1,2,3\n4,5,6\n7,8,9\n", &err), TV_ERR_INPUT);
    assert_string_equal(err.message, "ratings.csv: no room");
    assert_int_equal(told.ratings, 2);
    assert_int_equal(told.refused, 0);
    told = (struct told){.full = 1};
    assert_int_equal(read_text(&told, "userId,movieId,rating\n1,2,3\n4,5,6\n7,8,9\n", NULL), TV_ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_refused_record_comes_with_its_reason),
                                       cmocka_unit_test(a_failure_of_the_sink_ends_the_reading)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
