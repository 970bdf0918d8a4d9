/* test_title: no two invented titles are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "etl/synth/title.h"

static int compare_titles(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void invented_titles_differ(void **state)
{
    (void)state;
    enum { N = 70000, SIZE = 64 };
    char(*titles)[SIZE] = malloc((size_t)N * SIZE);
    assert_non_null(titles);
    for (int i = 0; i < N; i++)
        tv_synth_title(titles[i], SIZE, (uint64_t)i);
    assert_string_equal(titles[0], "The Silent Harbor");
    qsort(titles, N, SIZE, compare_titles);
    for (int i = 1; i < N; i++)
        assert_true(strcmp(titles[i - 1], titles[i]) != 0);
    free(titles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(invented_titles_differ)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
