/* test_signatures: which functions a file of sql/ makes, and what they take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/schema/signatures.h"

static void functions_are_found_with_their_types(void **state)
{
    static const char text[] =
        "-- a comment, with create or replace view trivet.x\n"
        "create or replace function trivet.nothing()\nreturns int as $$ select 1 $$;\n"
        "create or replace function trivet.many(\n    a int = 10, -- the (first\n    \"values\" real[],\n"
        "    since timestamptz default null, price numeric(10, 2) = 1.5,\n    out low real, inout high double precision, name text = 'a, b)'\n"
        ") returns record as $$ select trivet.nothing() $$;\n"
        "CREATE OR REPLACE FUNCTION trivet.last(login name = session_user) returns int";
    static const char *const expected[][2] = {
        {"nothing", ""}, {"many", "int,real[],timestamptz,numeric(10, 2),double precision,text"}, {"last", "name"}};
    char name[TV_SIGNATURE], types[TV_SIGNATURE];
    const char *at = text;
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(tv_signature_next(&at, name, types), 1);
        assert_string_equal(name, expected[i][0]);
        assert_string_equal(types, expected[i][1]);
    }
    assert_int_equal(tv_signature_next(&at, name, types), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(functions_are_found_with_their_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
