/* test_title: titles as people read them, and their years. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "etl/formats/title.h"

static void titles_read_naturally(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        int year;
    } cases[] = {
        {"Godfather: Part II, The (1974)", "The Godfather: Part II (1974)", 1974},
        {"Toy Story (1995)", "Toy Story (1995)", 1995},
        {"Mis\u00e9rables, Les (1995)", "Les Mis\u00e9rables (1995)", 1995},
        {"Seven (a.k.a. Se7en) (1995)", "Seven (a.k.a. Se7en) (1995)", 1995},
        {"City of Lost Children, The (Cit\u00e9 des enfants perdus, La) (1995)",
         "The City of Lost Children (La Cit\u00e9 des enfants perdus) (1995)", 1995},
        {"Postman, The (Postino, Il) (1994)", "The Postman (Il Postino) (1994)", 1994},
        {"Avventura, L' (Adventure, The) (1960)", "L'Avventura (The Adventure) (1960)", 1960},
        {"Boot, Das (Boat, The) (1981)", "Das Boot (The Boat) (1981)", 1981},
        {"Bug's Life, A (1998)", "A Bug's Life (1998)", 1998},
        {"American Tail, An (1986)", "An American Tail (1986)", 1986},
        {"Goat, The (a.k.a. Ch\u00e8vre, La) (1981)", "The Goat (a.k.a. La Ch\u00e8vre) (1981)", 1981},
        {"Good, the Bad and the Ugly, The (Buono, il brutto, il cattivo, Il) (1966)",
         "The Good, the Bad and the Ugly (Il Buono, il brutto, il cattivo) (1966)", 1966},
        {"I, Robot (2004)", "I, Robot (2004)", 2004},
        {"Monsters, Inc. (2001)", "Monsters, Inc. (2001)", 2001},
        {"Bon Voyage, Charlie Brown (and Don't Come Back!) (1980)",
         "Bon Voyage, Charlie Brown (and Don't Come Back!) (1980)", 1980},
        {"  Heat (1995) ", "Heat (1995)", 1995},
        {"unknown", "unknown", 0},
        {"Babylon 5", "Babylon 5", 0},
        {"The OA (2016-)", "The OA (2016-)", 2016},
        {"Das Millionenspiel (1970\u20131971)", "Das Millionenspiel (1970\u20131971)", 1970},
        {"Odd (open", "Odd (open", 0},
        {"(500) Days of Summer (2009)", "(500) Days of Summer (2009)", 2009},
        {"", "", 0},
        {", The", ", The", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_buffer out = TV_BUFFER_INIT(1000);
        assert_int_equal(tv_title_tidy(&out, cases[i].from, strlen(cases[i].from), NULL), TV_OK);
        assert_string_equal(tv_buffer_string(&out), cases[i].to);
        assert_int_equal(tv_title_year(tv_buffer_string(&out), out.size), cases[i].year);
        tv_buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(titles_read_naturally)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
