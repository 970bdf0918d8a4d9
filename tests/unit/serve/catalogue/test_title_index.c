/* test_title_index: titles found by their words, and the items nearest to an item. */
#include "../serve_fixture.h"

#include <jansson.h>
#include <math.h>

#include "serve/catalogue/title_index.h"

static void folds_to(const char *title, const char *expected)
{
    struct tv_buffer out;
    tv_buffer_init(&out, 1 << 16);
    assert_int_equal(tv_title_fold(&out, title, NULL), TV_OK);
    assert_string_equal(tv_buffer_string(&out), expected);
    tv_buffer_free(&out);
}

static void titles_become_plain_words(void **state)
{
    (void)state;
    folds_to("The Godfather: Part II (1974)", " the godfather part ii 1974");
    folds_to("Am\xc3\xa9lie", " amelie");
    folds_to("Ame\xcc\x81lie", " amelie"); /* the same, decomposed */
    folds_to("STRASSE Stra\xc3\x9f"
             "e \xef\xac\x81lm",
             " strasse strasse film");                                        /* sharp s, ligature fi */
    folds_to("WALL\xc2\xb7"
             "E",
             " wall e");
    folds_to("Schindler's List, Schindler\xe2\x80\x99s", " schindlers list schindlers");
    folds_to("S\xc3\xb8rensen \xc5\x81\xc3\xb3"
             "d\xc5\xba \xc3\x86on",
             " sorensen lodz aeon");
    folds_to("\xd0\xa1\xd0\xa2\xd0\x90\xd0\x9b\xd0\x9a\xd0\x95\xd0\xa0", " \xd1\x81\xd1\x82\xd0\xb0\xd0\xbb\xd0\xba"
                                                                         "\xd0\xb5\xd1\x80"); /* Cyrillic */
    folds_to("...---'\xe2\x98\x83", "");
    folds_to("", "");
}

/* ASCII is folded on a way of its own. A letter beyond it sends the same text the other way. */
static void ascii_is_folded_as_all_else_is(void **state)
{
    (void)state;
    for (int c = 1; c < 0x80; c++) {
        char text[16], beyond[24];
        struct tv_buffer plain, other;
        tv_buffer_init(&plain, 1 << 16);
        tv_buffer_init(&other, 1 << 16);
        snprintf(text, sizeof text, "aB%c9Z %c x%c%c", c, c, c, c);
        snprintf(beyond, sizeof beyond, "%s \xc3\xa9", text);
        assert_int_equal(tv_title_fold(&plain, text, NULL), TV_OK);
        assert_int_equal(tv_title_fold(&other, beyond, NULL), TV_OK);
        assert_int_equal(tv_buffer_format(&plain, NULL, " e"), TV_OK);
        assert_string_equal(tv_buffer_string(&plain), tv_buffer_string(&other));
        tv_buffer_free(&plain);
        tv_buffer_free(&other);
    }
}

static const struct tv_item films[] = {{1, NULL, "Star Wars (1977)", 1977, "", "", NULL, "", 50, 4},
                                       {2, NULL, "Dark Star (1974)", 1974, "", "", NULL, "", 90, 4},
                                       {3, NULL, "Starship Troopers (1997)", 1997, "", "", NULL, "", 20, 4},
                                       {4, NULL, "A Star Is Born (1976)", 1976, "", "", NULL, "", 90, 4},
                                       {5, NULL, "Mustard (1930)", 1930, "", "", NULL, "", 99, 4},
                                       {6, NULL, "Am\xc3\xa9lie (2001)", 2001, "", "", NULL, "", 9, 4}};
enum { FILMS = sizeof films / sizeof *films };

/* 1 if some word of the title begins with each word of the query; both folded and of scripts with blanks. */
static int plainly_holds(const char *title, const char *folded)
{
    char words[64], *rest = NULL;
    snprintf(words, sizeof words, "%s", folded);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char begins[64];
        snprintf(begins, sizeof begins, " %s", word);
        if (strstr(title, begins) == NULL)
            return 0;
    }
    return 1;
}

/* Random titles of few letters, so that words repeat, begin alike, and end titles; as many as are found are counted plainly. */
static void a_search_finds_what_plain_reading_finds(void **state)
{
    (void)state;
    enum { TITLES = 300, QUERIES = 400 };
    static char texts[TITLES][40];
    static struct tv_item list[TITLES];
    uint32_t random = 7;
    for (size_t i = 0; i < TITLES; i++) {
        for (size_t c = 0; c < 1 + i % 30; c++) {
            random = random * 1664525u + 1013904223u;
            texts[i][c] = "ab ba1"[(random >> 16) % 6];
        }
        list[i] = (struct tv_item){.id = (int64_t)i, .title = texts[i], .n_ratings = (int64_t)(i % 5)};
    }
    struct tv_items items = {.n = TITLES, .items = list};
    struct tv_title_index index;
    assert_int_equal(tv_title_index_create(&index, &items, NULL), TV_OK);
    for (int q = 0; q < QUERIES; q++) {
        char query[16] = "";
        struct tv_buffer folded;
        const struct tv_item *out[TITLES], *last = NULL;
        size_t found, plain = 0, seen = 0;
        for (size_t c = 0; c < 1 + (size_t)q % 9; c++) {
            random = random * 1664525u + 1013904223u;
            query[c] = "ab1 "[(random >> 16) % 4];
        }
        tv_buffer_init(&folded, 1 << 16);
        assert_int_equal(tv_title_fold(&folded, query, NULL), TV_OK);
        const char *words = tv_buffer_string(&folded);
        size_t n = folded.size ? tv_title_search(&index, &items, words, out, TITLES, &found) : 0;
        for (size_t i = 0; folded.size && i < TITLES; i++)
            plain += (size_t)plainly_holds(index.text + index.at[i], words);
        assert_int_equal(n, plain);
        assert_true(folded.size == 0 || found == plain);
        for (size_t i = 0; i < n; i++) {
            const char *title = index.text + index.at[out[i]->id];
            int begins = strncmp(title, words, strlen(words)) == 0;
            int before = last && strncmp(index.text + index.at[last->id], words, strlen(words)) == 0;
            assert_true(plainly_holds(title, words));
            assert_true(last == NULL || before > begins ||
                        (before == begins && (last->n_ratings > out[i]->n_ratings || (last->n_ratings == out[i]->n_ratings && last->id < out[i]->id))));
            last = out[i];
            seen++;
        }
        assert_int_equal(seen, plain);
        tv_buffer_free(&folded);
    }
    tv_title_index_free(&index);
}

static void finds(const struct tv_title_index *index, const struct tv_items *items, const char *query, size_t top,
                  size_t expected_found, const char *expected_ids)
{
    struct tv_buffer folded;
    const struct tv_item *best[FILMS];
    char ids[32] = "";
    size_t found;
    tv_buffer_init(&folded, 1 << 16);
    assert_int_equal(tv_title_fold(&folded, query, NULL), TV_OK);
    size_t n = tv_title_search(index, items, tv_buffer_string(&folded), best, top, &found);
    for (size_t i = 0; i < n; i++)
        sprintf(ids + strlen(ids), "%d", (int)best[i]->id);
    if (found != expected_found || strcmp(ids, expected_ids) != 0)
        fail_msg("%s: %zu found, %s instead of %zu, %s", query, found, ids, expected_found, expected_ids);
    tv_buffer_free(&folded);
}

static void words_are_found_by_their_beginnings(void **state)
{
    (void)state;
    struct tv_items items = {.n = FILMS, .items = (struct tv_item *)films};
    struct tv_title_index index;
    assert_int_equal(tv_title_index_create(&index, &items, NULL), TV_OK);
    finds(&index, &items, "star", FILMS, 4, "1324"); /* titles that begin with it, then by ratings, then by id */
    finds(&index, &items, "star", 2, 4, "13");
    finds(&index, &items, "STAR w", FILMS, 1, "1");
    finds(&index, &items, "wars star", FILMS, 1, "1"); /* in any order */
    finds(&index, &items, "197 star", FILMS, 3, "241");
    finds(&index, &items, "amelie", FILMS, 1, "6");
    finds(&index, &items, "AM\xc3\x89LIE 2001", FILMS, 1, "6");
    finds(&index, &items, "tard", FILMS, 0, "");
    tv_title_index_free(&index);
}

/* Scripts without blanks between words, in which what is looked for begins anywhere; what lies beside them keeps its words. */
static void a_word_without_blanks_around_it_is_found(void **state)
{
    (void)state;
    static const struct tv_item titles[] = {{1, NULL, "千と千尋の神隠し (2001)", 2001, "", "", NULL, "", 50, 4},
                                            {2, NULL, "기생충 (2019)", 2019, "", "", NULL, "", 40, 4},
                                            {3, NULL, "살인의추억 (2003)", 2003, "", "", NULL, "", 30, 4},
                                            {4, NULL, "ฉลาดเกมส์โกง (2017)", 2017, "", "", NULL, "", 20, 4},
                                            {5, NULL, "劇場版AKIRA2 スーパーマン", 1988, "", "", NULL, "", 10, 4},
                                            {6, NULL, "Mustard", 1930, "", "", NULL, "", 5, 4}};
    struct tv_items items = {.n = FILMS, .items = (struct tv_item *)titles};
    struct tv_title_index index;
    assert_int_equal(tv_title_index_create(&index, &items, NULL), TV_OK);
    finds(&index, &items, "千尋", FILMS, 1, "1");
    finds(&index, &items, "神隠し 千尋 2001", FILMS, 1, "1");
    finds(&index, &items, "千神", FILMS, 0, "");
    finds(&index, &items, "千と", FILMS, 1, "1");
    finds(&index, &items, "2001", FILMS, 1, "1");
    finds(&index, &items, "001", FILMS, 0, "");
    finds(&index, &items, "생충", FILMS, 1, "2");
    finds(&index, &items, "추억", FILMS, 1, "3");
    finds(&index, &items, "추어", FILMS, 1, "3"); /* the last syllable is not finished yet */
    finds(&index, &items, "억추", FILMS, 0, "");
    finds(&index, &items, "เกมส์", FILMS, 1, "4");
    finds(&index, &items, "โกง ฉลาด", FILMS, 1, "4");
    finds(&index, &items, "akira", FILMS, 1, "5");
    finds(&index, &items, "kira", FILMS, 0, "");
    finds(&index, &items, "ｽｰﾊﾟｰ", FILMS, 1, "5"); /* half as wide */
    finds(&index, &items, "パーマン", FILMS, 1, "5");
    finds(&index, &items, "版akira", FILMS, 1, "5");
    finds(&index, &items, "tard", FILMS, 0, "");
    tv_title_index_free(&index);
    folds_to("2001年宇宙の旅 Odyssey年", " 2001 年宇宙の旅 odyssey 年");
    folds_to("スター・ウォーズ", " スター ウォース"); /* marks go from every script */
}

static void neighbours_equal_a_loop_over_all_cosines(void **state)
{
    (void)state;
    enum { ITEMS = 60, K = 4 };
    struct tv_resident *s = fixture_resident(2, ITEMS, K, "A title", NULL);
    struct tv_app *app = fixture_app(s, 0);
    for (int i = 0; i < ITEMS; i++) {
        struct fixture_answer a;
        char target[64];
        double last = 2;
        sprintf(target, "/api/v1/items/%d/similar?top=100", 10 * (i + 1));
        fixture_get(&a, app, target, 0, 0);
        json_t *root = json_loads(a.text, 0, NULL), *items = json_object_get(root, "items"), *one;
        size_t place;
        assert_int_equal(json_array_size(items), ITEMS - 1);
        json_array_foreach(items, place, one)
        {
            int j = (int)json_integer_value(json_object_get(one, "id")) / 10 - 1;
            double dot = 0, ii = 0, jj = 0, found = json_number_value(json_object_get(one, "score"));
            for (int f = 0; f < K; f++) {
                double x = (double)tv_half_to_float(s->item_factors[i * K + f]), y = (double)tv_half_to_float(s->item_factors[j * K + f]);
                dot += x * y, ii += x * x, jj += y * y;
            }
            assert_int_not_equal(j, i);
            assert_true(fabs(found - dot / sqrt(ii * jj)) < 1e-12 && found <= last);
            last = found;
        }
        json_decref(root);
        fixture_done(&a);
    }
    tv_app_free(app);
}

static void items_and_what_is_none(void **state)
{
    (void)state;
    struct tv_app *app = fixture_app(fixture_resident(2, 20, 4, "Caf\xc3\xa9 \"<b>\"", NULL), 0);
    static const struct {
        const char *target;
        int status;
        const char *holds;
    } asked[] = {
        {"/api/v1/items/30", 200, "\"count\":2,\"mean\":0,\"in_model\":true,\"model\":2,\"dataset\":null,\"metadata\":null"},
        {"/api/v1/items/31", 404, "there is no item 31"},
        {"/api/v1/items/x", 400, "\"parameter\":\"id\""},
        {"/api/v1/items/9223372036854775808", 400, "\"parameter\":\"id\""},
        {"/api/v1/items/31/similar", 404, "there is no item 31"},
        {"/api/v1/items/30/similar?by=colour", 400, "\"parameter\":\"by\""},
        {"/api/v1/items/30/similar?by=factors&exact=1", 400, "\"parameter\":\"exact\""},
        {"/api/v1/items/30/similar?by=audience&model=2", 400, "\"parameter\":\"model\""},
        {"/api/v1/items/30/similar?by=audience", 503, "does not answer"},
        {"/similar?top=3", 400, "\"parameter\":\"item\""},
        {"/similar?item=30&by=factors&top=1", 200, "\"by\":\"factors\",\"items\":[{\"rank\":1,"},
        {"/api/v1/items/30/similar?top=101", 400, "\"parameter\":\"top\""},
        {"/api/v1/items/30/alike", 404, "nothing at this address"},
        {"/api/v1/items?q=CAFE&top=3", 200, "\"found\":20,\"items\":[{\"id\":70,"},
        {"/api/v1/items?q=cafe%22%3B+drop", 200, "\"found\":0,\"items\":[]"},
        {"/api/v1/items", 400, "q is missing"},
        {"/api/v1/items?q=", 400, "no letter"},
        {"/api/v1/items?q=%3C%3E", 400, "no letter"},
        {"/api/v1/items?q=a&top=0", 400, "\"parameter\":\"top\""},
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct fixture_answer a;
        fixture_get(&a, app, asked[i].target, 0, 1);
        if (a.response.status != asked[i].status || strstr(a.text, asked[i].holds) == NULL)
            fail_msg("%s: %d %s", asked[i].target, a.response.status, a.text);
        json_t *root = json_loads(a.text, 0, NULL);
        assert_non_null(root);
        json_decref(root);
        fixture_done(&a);
    }
    char target[1024] = "/api/v1/items?q=";
    memset(target + strlen(target), 'a', 201);
    struct fixture_answer a;
    fixture_get(&a, app, target, 0, 1);
    assert_int_equal(a.response.status, 400);
    fixture_done(&a);
    tv_app_free(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(titles_become_plain_words),
        cmocka_unit_test(ascii_is_folded_as_all_else_is),
        cmocka_unit_test(a_search_finds_what_plain_reading_finds),
        cmocka_unit_test(words_are_found_by_their_beginnings),
        cmocka_unit_test(a_word_without_blanks_around_it_is_found),
        cmocka_unit_test(neighbours_equal_a_loop_over_all_cosines),
        cmocka_unit_test(items_and_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
