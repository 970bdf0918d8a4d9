/* test_catalogue: genres by place, texts that are written once for all threads, and factors that outlive a catalogue.
 */
#include "../serve_fixture.h"

#include <pthread.h>

#include "serve/catalogue/catalogue.h"
#include "serve/web/out.h"

enum { ITEMS = 500, K = 3, THREADS = 8 };

static struct tv_catalogue *make(const struct tv_item *list, size_t n)
{
    struct tv_items items = {.n = n, .items = calloc(n, sizeof *items.items)};
    struct tv_catalogue *c = NULL;
    memcpy(items.items, list, n * sizeof *list);
    assert_int_equal(tv_catalogue_create(&c, 7, &items, NULL), TV_OK);
    assert_null(items.items);
    return c;
}

static void genres_are_by_place(void **state)
{
    (void)state;
    const struct tv_item list[] = {{.id = 1, .title = "a", .genres = "War|Drama"},
                                   {.id = 2, .title = "b", .genres = ""},
                                   {.id = 5, .title = "c", .genres = "|Dram||War|A|"},
                                   {.id = 9, .title = "d", .genres = "Drama"}};
    struct tv_catalogue *c = make(list, 4);
    static const char *const names[] = {"A", "Dram", "Drama", "War"};
    static const int32_t of[] = {3, 2, 1, 3, 0, 2};
    static const size_t at[] = {0, 2, 2, 5, 6};
    assert_int_equal(c->genres.n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(c->genres.names[i], names[i]);
    assert_null(c->genres.names[4]);
    assert_memory_equal(c->genres.of, of, sizeof of);
    assert_memory_equal(c->genres.at, at, sizeof at);
    assert_int_equal(tv_genres_find(&c->genres, "drama"), 2);
    assert_int_equal(tv_genres_find(&c->genres, "dra"), -1);
    tv_catalogue_release(c);
    tv_catalogue_release(make(list, 0));
}

/* The text of every item, one after the other, in an order of the thread's own. */
static void *read_texts(void *context)
{
    const struct tv_resident *s = context;
    static _Atomic int threads;
    int step = 1 + 2 * (threads++ % 3); /* 1, 3, or 5, which stands for backwards */
    struct tv_out *texts = calloc(ITEMS, sizeof *texts);
    for (int32_t i = 0; i < ITEMS; i++) {
        int32_t item = step == 5 ? ITEMS - 1 - i : i * step % ITEMS;
        tv_out_init(&texts[item]);
        tv_resident_text(&texts[item], s, item);
    }
    return texts;
}

static void texts_are_the_same_for_all_threads(void **state)
{
    (void)state;
    struct tv_resident *s = fixture_resident(3, ITEMS, K, "Heat \"<b>\"", NULL);
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, read_texts, s), 0);
    for (int t = 0; t < THREADS; t++) {
        void *texts = NULL;
        pthread_join(threads[t], &texts);
        for (int32_t i = 0; i < ITEMS; i++) {
            struct tv_out expected;
            tv_out_init(&expected);
            tv_item_json(&expected, s, s->item_ids[i]);
            tv_out_key(&expected, "score");
            assert_string_equal(tv_buffer_string(&((struct tv_out *)texts)[i].buffer), tv_buffer_string(&expected.buffer));
            tv_out_free(&expected);
            tv_out_free(&((struct tv_out *)texts)[i]);
        }
        free(texts);
    }
    tv_resident_release(s);
}

/* A model that knows items 10, 20 and 30; the catalogue has 5, 20 and 40. */
static void items_are_found_in_another_catalogue(void **state)
{
    (void)state;
    struct tv_resident *s = fixture_resident(4, 3, K, "Heat", NULL), *renewed = NULL;
    const struct tv_item list[] = {{.id = 5, .title = "five", .genres = "A", .n_ratings = 9},
                                   {.id = 20, .title = "twenty", .genres = "B", .n_ratings = 8},
                                   {.id = 40, .title = "forty", .genres = "C"}};
    struct tv_model head = {.run_number = 4, .score_kind = "rating"};
    assert_int_equal(tv_resident_create(&renewed, &head, tv_item_side_acquire(s->side), make(list, 3), NULL), TV_OK);
    assert_ptr_equal(renewed->item_factors, s->item_factors);
    tv_resident_release(s); /* the factors stay */
    assert_true(renewed->place[0] == -1 && renewed->place[1] == 1 && renewed->place[2] == -1);
    assert_null(tv_resident_item(renewed, 0));
    assert_string_equal(tv_resident_item(renewed, 1)->title, "twenty");
    assert_int_equal(tv_resident_count(renewed, 2), 0);
    assert_true(renewed->popular[0] == 1 && renewed->popular[1] == 0 && renewed->popular[2] == 2);
    struct tv_out out;
    tv_out_init(&out);
    tv_resident_text(&out, renewed, 0);
    assert_non_null(strstr(tv_buffer_string(&out.buffer), "\"title\":\"item 10\""));
    tv_out_free(&out);
    tv_resident_release(renewed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genres_are_by_place),
        cmocka_unit_test(texts_are_the_same_for_all_threads),
        cmocka_unit_test(items_are_found_in_another_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
