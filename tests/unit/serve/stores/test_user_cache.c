/* test_user_cache: the bounds of the user cache, what is kept and what goes, and what a lookup makes of it.
 */
#include "../serve_fixture.h"

#include <pthread.h>

#include "serve/stores/user_cache.h"
#include "serve/stores/users.h"

static struct tv_resident *model(void)
{
    return fixture_resident(5, 50, 4, "A title", NULL);
}

static void put(struct tv_user_cache *cache, const struct tv_resident *s, int64_t user_id, double read_at)
{
    struct tv_user_document *document = user_id % 10 ? fixture_user(s, user_id, 0, 5) : NULL;
    struct tv_cached_user *user = tv_user_cache_put(cache, s->run_number, user_id, document, read_at);
    assert_non_null(user);
    assert_ptr_equal(user->document, document);
    tv_cached_user_release(user);
}

static int holds(struct tv_user_cache *cache, int64_t number, int64_t user_id)
{
    struct tv_cached_user *user = tv_user_cache_get(cache, number, user_id);
    int found = user != NULL;
    if (user) {
        assert_int_equal(user->user_id, user_id);
        assert_int_equal(user->model, number);
    }
    tv_cached_user_release(user);
    return found;
}

static void the_last_used_stay(void **state)
{
    (void)state;
    struct tv_user_cache *cache = NULL;
    struct tv_user_cache_counts counts;
    struct tv_resident *s = model();
    assert_int_equal(tv_user_cache_create(&cache, 3, 1 << 20, NULL), TV_OK);
    for (int64_t user_id = 1; user_id <= 3; user_id++)
        put(cache, s, user_id, 1);
    assert_true(holds(cache, 5, 1)); /* now 2 is the one used longest ago */
    put(cache, s, 4, 1);
    assert_false(holds(cache, 5, 2));
    assert_true(holds(cache, 5, 1) && holds(cache, 5, 3) && holds(cache, 5, 4));
    assert_false(holds(cache, 6, 1)); /* another model's user is somebody else */
    tv_user_cache_count(cache, &counts);
    assert_int_equal(counts.users, 3);
    tv_user_cache_free(cache);
    tv_resident_release(s);
}

/* One who takes more than there is at all is not kept, and drives nobody out. */
static void who_is_too_large_leaves_the_others(void **state)
{
    (void)state;
    enum { N_TOP = 10000 };
    struct tv_user_cache *cache = NULL;
    struct tv_resident *s = model();
    struct tv_user_document *large = fixture_user(s, 3, 0, 5);
    large->top = calloc(N_TOP, sizeof *large->top);
    large->n_top = N_TOP;
    assert_non_null(large->top);
    assert_int_equal(tv_user_cache_create(&cache, 10, 1 << 16, NULL), TV_OK);
    put(cache, s, 1, 1);
    put(cache, s, 2, 1);
    struct tv_cached_user *user = tv_user_cache_put(cache, s->run_number, 3, large, 1);
    assert_non_null(user);
    tv_cached_user_release(user);
    assert_false(holds(cache, 5, 3));
    assert_true(holds(cache, 5, 1) && holds(cache, 5, 2));
    tv_user_cache_free(cache);
    tv_resident_release(s);
}

static void bytes_are_bounded_too(void **state)
{
    (void)state;
    struct tv_user_cache *cache = NULL;
    struct tv_user_cache_counts counts;
    struct tv_resident *s = model();
    assert_int_equal(tv_user_cache_create(&cache, 1000, 8000, NULL), TV_OK);
    for (int64_t user_id = 1; user_id < 200; user_id++) {
        put(cache, s, user_id, 1);
        tv_user_cache_count(cache, &counts);
        assert_true(counts.bytes <= 8000);
    }
    assert_true(counts.users >= 3 && counts.users < 200);
    assert_true(holds(cache, 5, 199));
    tv_user_cache_free(cache);
    assert_int_equal(tv_user_cache_create(&cache, 1000, 100, NULL), TV_OK); /* nobody fits: nobody is kept */
    put(cache, s, 1, 1);
    assert_false(holds(cache, 5, 1));
    tv_user_cache_free(cache);
    tv_resident_release(s);
}

static void a_cache_of_none_keeps_none(void **state)
{
    (void)state;
    struct tv_user_cache *cache = NULL;
    struct tv_resident *s = model();
    assert_int_equal(tv_user_cache_create(&cache, 0, 1 << 20, NULL), TV_OK);
    put(cache, s, 1, 1);
    assert_false(holds(cache, 5, 1));
    tv_user_cache_free(cache);
    tv_resident_release(s);
}

static void a_later_reading_wins(void **state)
{
    (void)state;
    struct tv_user_cache *cache = NULL;
    struct tv_resident *s = model();
    assert_int_equal(tv_user_cache_create(&cache, 2000, 1 << 24, NULL), TV_OK);
    put(cache, s, 1, 5);
    struct tv_cached_user *old = tv_user_cache_get(cache, 5, 1);
    put(cache, s, 1, 7);
    put(cache, s, 1, 6); /* asked earlier, answered later */
    struct tv_cached_user *now = tv_user_cache_get(cache, 5, 1);
    assert_true(now->read_at == 7);
    assert_true(old->read_at == 5 && old->document->user_id == 1); /* still whole: we hold it */
    tv_cached_user_release(old);
    tv_cached_user_release(now);
    tv_user_cache_free(cache);
    tv_resident_release(s);
}

enum { THREADS = 4, ROUNDS = 20000, PEOPLE = 300 };

struct crowd {
    struct tv_user_cache *cache;
    struct tv_resident *s;
    unsigned seed;
};

static void *come_and_go(void *context)
{
    struct crowd *c = context;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t user_id = 1 + rand_r(&c->seed) % PEOPLE;
        struct tv_cached_user *user = tv_user_cache_get(c->cache, 5, user_id);
        if (user == NULL)
            user = tv_user_cache_put(c->cache, 5, user_id, fixture_user(c->s, user_id, 0, 5), i);
        if (user->document->user_id != user_id || user->document->seen[1] != 5)
            abort();
        tv_cached_user_release(user);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    (void)state;
    struct tv_user_cache *cache = NULL;
    struct tv_user_cache_counts counts;
    struct tv_resident *s = model();
    pthread_t threads[THREADS];
    struct crowd crowds[THREADS];
    assert_int_equal(tv_user_cache_create(&cache, 100, 1 << 20, NULL), TV_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        crowds[i] = (struct crowd){cache, s, i};
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &crowds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    tv_user_cache_count(cache, &counts);
    assert_int_equal(counts.users, 100);
    tv_user_cache_free(cache);
    tv_resident_release(s);
}

/* --- lookups --------------------------------------------------------------------------------------------- */

static enum tv_lookup look(struct tv_app *app, struct tv_resident *s, int64_t user_id, int may_wait)
{
    struct tv_cached_user *user = NULL;
    struct tv_error err = {0};
    enum tv_lookup lookup = tv_users_find(&app->models.users, s, user_id, may_wait, &user, &err);
    assert_int_equal(user != NULL, lookup == TV_USER_FOUND);
    tv_cached_user_release(user);
    return lookup;
}

static void what_the_cache_says_while_mongodb_is_away(void **state)
{
    (void)state;
    struct tv_resident *s = model();
    struct tv_app *app = fixture_app(tv_resident_acquire(s), 0);
    fixture_know(app, s, 1, fixture_user(s, 1, 0, 5), 0);
    fixture_know(app, s, 2, fixture_user(s, 2, 0, 5), 3600);
    fixture_know(app, s, 3, NULL, 0);
    fixture_know(app, s, 4, NULL, 1.5);
    assert_int_equal(look(app, s, 1, 0), TV_USER_FOUND);
    assert_int_equal(look(app, s, 2, 0), TV_USER_FOUND); /* old, but better than nothing */
    assert_int_equal(look(app, s, 3, 0), TV_USER_UNKNOWN);
    assert_int_equal(look(app, s, 4, 1), TV_USER_AWAY); /* may exist by now */
    assert_int_equal(look(app, s, 5, 1), TV_USER_AWAY);
    assert_int_equal(app->models.users.stale, 1);
    tv_app_free(app);
    tv_resident_release(s);
}

static void who_may_not_wait_is_told_so(void **state)
{
    (void)state;
    struct tv_resident *s = model();
    struct tv_app *app = fixture_app(tv_resident_acquire(s), 1);
    fixture_know(app, s, 1, fixture_user(s, 1, 0, 5), 0.5);
    fixture_know(app, s, 2, fixture_user(s, 2, 0, 5), 1.01);
    fixture_know(app, s, 3, NULL, 1.01);
    assert_int_equal(look(app, s, 1, 0), TV_USER_FOUND);
    assert_int_equal(look(app, s, 2, 0), TV_USER_LATER); /* a second has passed: ask again */
    assert_int_equal(look(app, s, 3, 0), TV_USER_LATER);
    assert_int_equal(look(app, s, 9, 0), TV_USER_LATER);
    tv_app_free(app);
    tv_resident_release(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_used_stay),
        cmocka_unit_test(bytes_are_bounded_too),
        cmocka_unit_test(who_is_too_large_leaves_the_others),
        cmocka_unit_test(a_cache_of_none_keeps_none),
        cmocka_unit_test(a_later_reading_wins),
        cmocka_unit_test(threads_share_it),
        cmocka_unit_test(what_the_cache_says_while_mongodb_is_away),
        cmocka_unit_test(who_may_not_wait_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
