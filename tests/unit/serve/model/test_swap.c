/* test_swap: resident models come and go on the shelf while many threads answer from them; it is meant for
 * ThreadSanitizer, too. */
#include "../serve_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "serve/model/recommend.h"

enum { READERS = 6, SWAPS = 400, MODELS = 9, ITEMS = 64, FACTORS = 5 };

struct world {
    struct tv_shelf *shelf;
    atomic_int over;
    atomic_long answers;
};

/* A request: a resident model from start to end, in which everything must belong together. */
static void work_on(struct tv_resident *s, struct tv_workspace *w)
{
    struct tv_ranking r;
    struct tv_user_document *u = fixture_user(s, s->run_number, 0, 3);
    uint16_t first = tv_half_from_float(fixture_factor((uint32_t)s->run_number, 0));
    if (s->item_factors[0] != first || s->info.run_number != s->run_number || s->item_ids[ITEMS - 1] != 10 * ITEMS)
        abort();
    if (tv_recommend(&r, w, s, u, NULL, 10, NULL) != TV_OK || r.n != 10)
        abort();
    tv_user_document_free(u);
}

static void *serve_requests(void *context)
{
    struct world *world = context;
    struct tv_workspace w = {0};
    for (unsigned i = 0; !atomic_load(&world->over); i++) {
        struct tv_resident *s = i % 4 ? tv_shelf_live(world->shelf) : tv_shelf_held(world->shelf, 1 + i % MODELS);
        if (s == NULL && i % 4)
            abort(); /* there is a live model at every moment */
        if (s == NULL)
            continue;
        work_on(s, &w);
        tv_resident_release(s);
        atomic_fetch_add(&world->answers, 1);
    }
    tv_workspace_free(&w);
    return NULL;
}

static void requests_never_see_a_model_end(void **state)
{
    (void)state;
    struct world world = {0};
    pthread_t threads[READERS];
    assert_int_equal(tv_shelf_create(&world.shelf, NULL, NULL, NULL), TV_OK);
    tv_shelf_show(world.shelf, fixture_resident(1, ITEMS, FACTORS, "A title", NULL));
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, serve_requests, &world), 0);
    for (int i = 0; i < SWAPS; i++) {
        int64_t number = 1 + i % MODELS;
        struct tv_resident *held = tv_shelf_held(world.shelf, number); /* a rollback, if it is still there */
        tv_shelf_show(world.shelf, held ? held : fixture_resident(number, ITEMS, FACTORS, "A title", NULL));
        if (i % 5 == 0)
            tv_shelf_forget(world.shelf, 1 + (i + 3) % MODELS);
        usleep(200);
    }
    atomic_store(&world.over, 1);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(atomic_load(&world.answers) > SWAPS);
    tv_shelf_free(world.shelf);
}

static int64_t live_number(struct tv_shelf *shelf)
{
    struct tv_resident *live = tv_shelf_live(shelf);
    int64_t number = live ? live->run_number : -1;
    tv_resident_release(live);
    return number;
}

static int held(struct tv_shelf *shelf, int64_t number)
{
    struct tv_resident *s = tv_shelf_held(shelf, number);
    tv_resident_release(s);
    return s != NULL;
}

static void a_few_old_models_stay(void **state)
{
    (void)state;
    struct tv_shelf *shelf = NULL;
    assert_int_equal(tv_shelf_create(&shelf, NULL, NULL, NULL), TV_OK);
    assert_int_equal(live_number(shelf), -1);
    for (int64_t number = 1; number <= 5; number++)
        tv_shelf_show(shelf, fixture_resident(number, ITEMS, FACTORS, "A title", NULL));
    assert_int_equal(live_number(shelf), 5);
    assert_false(held(shelf, 1));
    assert_true(held(shelf, 2) && held(shelf, 3) && held(shelf, 4) && held(shelf, 5));
    tv_shelf_show(shelf,
                  tv_shelf_held(shelf, 3)); /* back to an older one: it changes places with the live one */
    assert_int_equal(live_number(shelf), 3);
    assert_true(held(shelf, 5));
    tv_shelf_forget(shelf, 3); /* the live one is not forgotten */
    tv_shelf_forget(shelf, 4);
    assert_true(held(shelf, 3));
    assert_false(held(shelf, 4));
    tv_shelf_free(shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_never_see_a_model_end),
        cmocka_unit_test(a_few_old_models_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
