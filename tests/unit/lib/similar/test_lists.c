/* test_lists: the postings of all rows at once are those of each row alone, also for a witness of very many rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/similar/inside.h"
#include "lib/similar/lists.h"

enum { SIZE = 16, ROWS = 40, USERS = 60, PAGES = 7 };

static uint32_t values[ROWS * SIZE], witness[ROWS * SIZE];
static uint32_t read_back[ROWS * SIZE]; /* witnesses as the lists have them; 0: none */

/* Row r has every user but multiples; row 7 has nobody. */
static struct tv_minhash *make_rows(void)
{
    struct tv_minhash *m;
    assert_int_equal(tv_minhash_create(&m, SIZE, NULL), TV_OK);
    for (int r = 0; r < ROWS; r++) {
        tv_minhash_clear(m, values + r * SIZE);
        tv_minhash_clear(m, witness + r * SIZE);
        for (int u = 0; u < USERS && r != 7; u++)
            if ((u * r) % 3 != 1)
                tv_minhash_update_witness(m, values + r * SIZE, witness + r * SIZE, tv_minhash_hash_id(u));
    }
    memset(read_back, 0, sizeof read_back);
    return m;
}

static enum tv_status keep_entry(void *context, uint32_t user, uint32_t row, const uint16_t *positions, int n,
                                 struct tv_error *err)
{
    (void)err;
    assert_int_equal(tv_similar_page_of(user, PAGES), *(uint32_t *)context);
    assert_true(row < ROWS && n > 0);
    for (int i = 0; i < n; i++) {
        assert_int_equal(read_back[row * SIZE + positions[i]], 0);
        read_back[row * SIZE + positions[i]] = user;
    }
    return TV_OK;
}

static void read_pages(const struct tv_similar_lists *lists)
{
    struct tv_buffer page = TV_BUFFER_INIT(1 << 20);
    int32_t at = 0;
    for (uint32_t p = 0; p < PAGES; p++) {
        assert_int_equal(tv_similar_lists_page(lists, p, PAGES, &at, &page, NULL), TV_OK);
        assert_int_equal(tv_postings_each(page.data, page.size, SIZE, keep_entry, &p, NULL), TV_OK);
    }
    assert_int_equal(at, lists->users.n);
    tv_buffer_free(&page);
}

/* Every value of every row has its witness, and the row without an audience has none. */
static void check_read_back(void)
{
    for (int i = 0; i < ROWS * SIZE; i++)
        assert_true(read_back[i] == (i / SIZE == 7 ? 0 : witness[i]));
}

static void pages_hold_every_witness_of_every_row(void **state)
{
    (void)state;
    struct tv_minhash *m = make_rows();
    struct tv_similar_lists lists;
    assert_int_equal(tv_similar_lists_make(&lists, m, values, witness, ROWS, NULL, NULL), TV_OK);
    assert_int_equal(lists.heavy.n, 0); /* none has so many rows */
    read_pages(&lists);
    check_read_back();
    tv_similar_lists_free(&lists);
    tv_minhash_free(m);
}

struct heavy {
    uint32_t user;
    int next;
};

static enum tv_status keep_list(void *context, uint32_t user, int position, const char *list, size_t n,
                                struct tv_error *err)
{
    struct heavy *h = context;
    uint16_t count[ROWS + TV_POSTINGS_SPARE] = {0};
    uint32_t touched[ROWS + 1];
    struct tv_postings_counts counts = {.count = count, .touched = touched, .n_rows = ROWS};
    assert_int_equal(user, h->user);
    assert_int_equal(position, h->next++);
    if (n == 0)
        return TV_OK;
    enum tv_status status = tv_row_list_count(&counts, list, n, err);
    for (int r = 0; r < ROWS; r++)
        if (count[r])
            read_back[r * SIZE + position] = user;
    return status;
}

/* A witness that is told to be heavy is on no page, and has a list for each position instead. */
static void the_heavy_have_lists_of_their_own(void **state)
{
    (void)state;
    struct tv_minhash *m = make_rows();
    struct tv_similar_lists lists;
    struct tv_id_map heavy = TV_ID_MAP_INIT;
    int32_t number;
    assert_int_equal(tv_id_map_add(&heavy, witness[0], &number, NULL), TV_OK);
    assert_int_equal(tv_id_map_add(&heavy, witness[ROWS * SIZE - 1], &number, NULL), TV_OK);
    assert_int_equal(tv_similar_lists_make(&lists, m, values, witness, ROWS, &heavy, NULL), TV_OK);
    assert_int_equal(lists.heavy.n, heavy.n);
    read_pages(&lists);
    for (int i = 0; i < ROWS * SIZE; i++)
        assert_true(read_back[i] == 0 || tv_id_map_find(&heavy, read_back[i]) < 0);
    for (int32_t i = 0; i < lists.heavy.n; i++) {
        struct heavy h = {(uint32_t)lists.heavy.ids[i], 0};
        assert_int_equal(tv_similar_lists_heavy(&lists, i, keep_list, &h, NULL), TV_OK);
        assert_int_equal(h.next, SIZE);
    }
    check_read_back();
    tv_similar_lists_free(&lists);
    tv_id_map_free(&heavy);
    tv_minhash_free(m);
}

static void no_rows_make_empty_pages(void **state)
{
    (void)state;
    struct tv_minhash *m = make_rows();
    struct tv_similar_lists lists;
    assert_int_equal(tv_similar_lists_make(&lists, m, values, witness, 0, NULL, NULL), TV_OK);
    assert_int_equal(lists.n_entries, 0);
    tv_similar_lists_free(&lists);
    tv_minhash_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_hold_every_witness_of_every_row),
        cmocka_unit_test(the_heavy_have_lists_of_their_own),
        cmocka_unit_test(no_rows_make_empty_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
