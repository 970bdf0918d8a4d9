/* test_item_filter: filters of a list against a loop over all items, and how filters are read from a
 * request. */
#include "../serve_fixture.h"

#include "serve/model/item_filter.h"
#include "serve/model/recommend.h"

enum { ITEMS = 300, FACTORS = 5, USER = 8 };

/* Reads a query; 0 and the problem where it is refused. */
static int read(struct tv_item_filter *filter, char *space, const char *query, struct tv_problem *problem)
{
    struct tv_request request;
    snprintf(space, 1024, "/recs?%s", query);
    assert_int_equal(tv_request_parse(&request, space, NULL), TV_OK);
    return tv_item_filter_read(&request, filter, problem);
}

static uint32_t draw(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

/* A filter in words of its own: how the test judges an item. */
struct wish {
    int genre, not_genre, from, to, least, seen, excluded;
    char query[512];
};

static void make_wish(struct wish *w, uint32_t *state)
{
    static const char *const genres[] = {"", "&genre=Drama", "&genre=film-noir&genre=Drama"};
    static const char *const unwanted[] = {"", "&not_genre=Drama", "&genre!=Film-Noir"};
    *w = (struct wish){.genre = (int)draw(state, 3),
                       .not_genre = draw(state, 4) == 0 ? 1 + (int)draw(state, 2) : 0,
                       .from = draw(state, 2) ? 1990 + (int)draw(state, 30) : 0,
                       .least = (int)draw(state, 8),
                       .seen = (int)draw(state, 2),
                       .excluded = draw(state, 2) ? 10 * (int)(1 + draw(state, ITEMS)) : 0};
    w->to = draw(state, 2) ? (w->from ? w->from : 1990) + (int)draw(state, 12) : 0;
    size_t n = (size_t)sprintf(w->query, "min_count=%d%s%s%s", w->least, genres[w->genre],
                               unwanted[w->not_genre], w->seen ? "&seen=include" : "");
    if (w->from)
        n += (size_t)sprintf(w->query + n, "&year_from=%d", w->from);
    if (w->to)
        n += (size_t)sprintf(w->query + n, "&year_to=%d", w->to);
    if (w->excluded)
        sprintf(w->query + n, "&exclude=77,%d", w->excluded);
}

/* The fixture's items: year 1990 + i % 30, both genres where i is odd, i % 7 ratings; the user rated every
 * third. */
static enum tv_removal expected(const struct wish *w, int i)
{
    int year = 1990 + i % 30, genres = i % 2;
    if (!w->seen && i % 3 == 0)
        return TV_REMOVED_SEEN;
    if (w->excluded == 10 * (i + 1))
        return TV_REMOVED_EXCLUDE;
    if (w->genre && !genres)
        return TV_REMOVED_GENRE;
    if (w->not_genre && genres)
        return TV_REMOVED_NOT_GENRE;
    if ((w->from && year < w->from) || (w->to && year > w->to))
        return TV_REMOVED_YEAR;
    return i % 7 < w->least ? TV_REMOVED_MIN_COUNT : TV_KEPT;
}

/* The filtered list is the whole ranking without what the filter removes, popular or personal. */
static void check_wish(const struct wish *w, struct tv_workspace *space, const struct tv_resident *s,
                       const struct tv_user_document *user, const struct tv_user_document *stranger)
{
    struct tv_item_filter filter, everything;
    struct tv_problem problem = {0};
    struct tv_ranking r;
    struct tv_scored whole[ITEMS];
    char text[1024], other[1024];
    size_t n = 0, counts[TV_REMOVALS] = {0};
    assert_true(read(&filter, text, w->query, &problem) && tv_item_filter_resolve(&filter, s, &problem));
    assert_true(read(&everything, other, "seen=include", &problem));
    assert_int_equal(tv_recommend(&r, space, s, stranger ? stranger : user, &everything, ITEMS, NULL), TV_OK);
    assert_int_equal(r.n, ITEMS);
    memcpy(whole, r.best, sizeof whole);
    assert_int_equal(tv_recommend(&r, space, s, stranger ? stranger : user, &filter, ITEMS, NULL), TV_OK);
    for (int i = 0; i < ITEMS; i++) {
        enum tv_removal why = expected(w, whole[i].item);
        counts[why]++;
        if (why == TV_KEPT) {
            if (n >= r.n || r.best[n].item != whole[i].item || r.best[n].score != whole[i].score)
                fail_msg("%s: place %zu is not item %d", w->query, n + 1, (int)whole[i].item);
            n++;
        }
    }
    assert_int_equal(r.n, n);
    assert_memory_equal(r.counts, counts, sizeof counts);
}

static void filtered_lists_equal_a_loop_over_all_items(void **state)
{
    (void)state;
    uint32_t random = 20260105;
    struct tv_workspace space = {0};
    struct tv_resident *s = fixture_resident(4, ITEMS, FACTORS, "A title", NULL);
    struct tv_user_document *user = fixture_user(s, USER, 0, 3), *stranger = fixture_user(s, 9, -1, 3);
    memset(stranger->value, 0,
           FACTORS * sizeof *stranger->value); /* gets the popular list, and has seen the same */
    for (int i = 0; i < 1000; i++) {
        struct wish wish;
        make_wish(&wish, &random);
        check_wish(&wish, &space, s, user, i % 4 == 0 ? stranger : NULL);
    }
    for (size_t i = 0; i < space.items; i++)
        assert_int_equal(space.skip[i], 0);
    tv_user_document_free(user);
    tv_user_document_free(stranger);
    tv_workspace_free(&space);
    tv_resident_release(s);
}

/* The same filter again and again, by users and models in turn: what is kept of one must not be taken for another's. */
static void a_filter_that_is_kept_is_the_models_own(void **state)
{
    (void)state;
    uint32_t random = 7;
    struct tv_workspace space = {0};
    struct tv_resident *first = fixture_resident(4, ITEMS, FACTORS, "A title", NULL), *second = NULL, *small = NULL;
    struct tv_user_document *user = fixture_user(first, USER, 0, 3);
    struct wish wishes[4];
    for (int i = 0; i < 4; i++)
        make_wish(&wishes[i], &random);
    for (int i = 0; i < 400; i++) {
        if (i % 40 == 0) { /* often where the last one was */
            tv_resident_release(second);
            second = fixture_resident(4, ITEMS, FACTORS, "A title", NULL);
        }
        check_wish(&wishes[draw(&random, 3)], &space, i % 2 ? first : second, user, NULL);
        check_wish(&wishes[3], &space, first, user, NULL);
    }
    tv_resident_release(second);
    /* Counts that have changed are those of another resident. */
    struct tv_item_filter filter;
    struct tv_problem problem = {0};
    struct tv_ranking r;
    char text[1024];
    small = fixture_resident(4, 7, FACTORS, "A title", NULL);
    for (int round = 0; round < 2; round++) {
        struct tv_resident *s = round ? small : first;
        assert_true(read(&filter, text, "min_count=6", &problem) && tv_item_filter_resolve(&filter, s, &problem));
        assert_int_equal(tv_recommend(&r, &space, s, NULL, &filter, ITEMS, NULL), TV_OK);
        assert_int_equal(r.n, round ? 1 : ITEMS / 7);
    }
    tv_resident_release(small);
    tv_user_document_free(user);
    tv_workspace_free(&space);
    tv_resident_release(first);
}

static void what_filters_cannot_be_is_named(void **state)
{
    (void)state;
    static const char *const mistakes[][2] = {
        {"genre=Drana", "genre"},
        {"genre=", "genre"},
        {"not_genre=War", "not_genre"},
        {"genre!=x", "not_genre"},
        {"year_from=0", "year_from"},
        {"year_to=19e2", "year_to"},
        {"year_from=2001&year_to=2000", "year_from"},
        {"min_count=-1", "min_count"},
        {"exclude=1,,2", "exclude"},
        {"exclude=1,", "exclude"},
        {"exclude=00000000000000000000000000000000000001x", "exclude"},
        {"exclude=9223372036854775808", "exclude"},
        {"seen=\xc3\xa9", "seen"},
        {"seen=", "seen"},
    };
    struct tv_resident *s = fixture_resident(4, 10, 2, "A title", NULL);
    struct tv_item_filter filter;
    struct tv_problem problem;
    char space[1024];
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        if (read(&filter, space, mistakes[i][0], &problem) && tv_item_filter_resolve(&filter, s, &problem))
            fail_msg("%s was taken", mistakes[i][0]);
        assert_int_equal(problem.status, 400);
        assert_string_equal(problem.parameter, mistakes[i][1]);
    }
    assert_true(read(&filter, space, "genre=Drana", &problem));
    assert_false(tv_item_filter_resolve(&filter, s, &problem));
    assert_string_equal(problem.hint, "did you mean Drama?");
    assert_true(read(&filter, space, "genre=Science", &problem));
    assert_false(tv_item_filter_resolve(&filter, s, &problem));
    assert_string_equal(problem.hint, "the genres are Drama, Film-Noir");
    assert_true(read(&filter, space, "exclude=", &problem));
    assert_false(filter.asked);
    tv_resident_release(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filtered_lists_equal_a_loop_over_all_items),
        cmocka_unit_test(a_filter_that_is_kept_is_the_models_own),
        cmocka_unit_test(what_filters_cannot_be_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
