/* test_user_document: a document is encoded and read back, and what disagrees in it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lib/model/document_fixture.h"
#include "trivet/model/user_document.h"
#include "trivet/store/mongo_document.h"

static uint16_t value[] = {0x3c00, 0x8000, 0x4000}; /* 1, -0, 2 */
static int32_t seen[] = {0, 4};
static int64_t rated[] = {-7, 100, INT64_MAX};
static float ratings[] = {1, 2.5f, 5};

static struct tv_user_document a_user(void)
{
    return (struct tv_user_document){.user_id = 42,
                                     .factors = 3,
                                     .value = value,
                                     .n_seen = 2,
                                     .seen = seen,
                                     .n_rated = 3,
                                     .rated = rated,
                                     .ratings = ratings};
}

/* Encodes it, and reads it as a document of MongoDB with `more` fields. */
static enum tv_status read_back(struct tv_user_document **out, const struct tv_user_document *u, const char *more,
                                int32_t n_items, struct tv_error *err)
{
    struct tv_user_blobs b;
    struct tv_mongo_doc *doc = NULL;
    tv_user_blobs_init(&b);
    assert_int_equal(tv_user_document_encode(&b, u, NULL), TV_OK);
    char *const blobs[] = {binary(&b.value), binary(&b.seen), binary(&b.rated), binary(&b.ratings)};
    size_t size = 256 + strlen(more);
    for (int i = 0; i < 4; i++)
        size += strlen(blobs[i]);
    char *json = malloc(size);
    snprintf(json, size, "{\"_id\": %lld, \"value\": %s, \"seen\": %s, \"rated\": %s, \"ratings\": %s%s}",
             (long long)u->user_id, blobs[0], blobs[1], blobs[2], blobs[3], more);
    assert_int_equal(tv_mongo_doc_from_json(&doc, json, NULL), TV_OK);
    enum tv_status status = tv_user_document_read(out, NULL, 12, doc, 3, n_items, err);
    tv_mongo_doc_free(doc);
    for (int i = 0; i < 4; i++)
        free(blobs[i]);
    free(json);
    tv_user_blobs_free(&b);
    return status;
}

static void what_is_encoded_is_read(void **state)
{
    (void)state;
    struct tv_user_document u = a_user(), *back = NULL;
    const char *more = ", \"id\": 3, \"rev\": 9, \"code\": \"u-42\", \"top\": [{\"id\": 100, \"score\": 1.5}]";
    assert_int_equal(read_back(&back, &u, more, 5, NULL), TV_OK);
    assert_int_equal(back->user_id, 42);
    assert_int_equal(back->row, 3);
    assert_int_equal(back->rev, 9);
    assert_string_equal(back->code, "u-42");
    assert_null(back->why);
    assert_int_equal(back->factors, 3);
    assert_memory_equal(back->value, value, sizeof value);
    assert_int_equal(back->n_seen, 2);
    assert_memory_equal(back->seen, seen, sizeof seen);
    assert_int_equal(back->n_rated, 3);
    assert_memory_equal(back->rated, rated, sizeof rated);
    assert_memory_equal(back->ratings, ratings, sizeof ratings);
    assert_int_equal(back->n_top, 1);
    size_t arrays = sizeof value + sizeof seen + sizeof rated + sizeof ratings;
    assert_true(tv_user_document_bytes(back) >= sizeof *back + arrays);
    tv_user_document_free(back);
    tv_user_document_free(NULL);
}

static void fields_that_are_not_there_have_defaults(void **state)
{
    (void)state;
    struct tv_user_document u = a_user(), *back = NULL;
    assert_int_equal(read_back(&back, &u, ", \"id\": null", 5, NULL), TV_OK);
    assert_int_equal(back->row, -1);
    assert_int_equal(back->rev, 0);
    assert_null(back->code);
    assert_null(back->top);
    tv_user_document_free(back);
}

static void refused(const struct tv_user_document *u, int32_t n_items, const char *message)
{
    struct tv_user_document *back = NULL;
    struct tv_error err = {0};
    assert_int_equal(read_back(&back, u, "", n_items, &err), TV_ERR_CORRUPT);
    if (strstr(err.message, message) == NULL)
        fail_msg("%s", err.message);
    assert_null(back);
}

static void what_disagrees_is_corrupt(void **state)
{
    (void)state;
    struct tv_user_document u = a_user();
    int32_t twice[] = {4, 4}, below[] = {-1, 4};
    uint16_t endless[] = {0x3c00, 0x7c00, 0};
    refused(&u, 4, "has seen item 4, out of order or beyond the 4 of the model");
    u.seen = twice;
    refused(&u, 5, "has seen item 4");
    u.seen = below;
    refused(&u, 5, "has seen item -1");
    u = a_user();
    u.factors = 2;
    refused(&u, 5, "has 2 factors, the model 3");
    u = a_user();
    u.value = endless;
    refused(&u, 5, "factor 2 of user 42 is not finite");
}

static void a_place_takes_an_item_and_a_factor(void **state)
{
    (void)state;
    struct tv_user_document u = a_user();
    assert_true(tv_user_document_is_placed(&u));
    u.n_seen = 0;
    assert_false(tv_user_document_is_placed(&u));
    u = a_user();
    u.value = value + 1; /* -0 alone */
    u.factors = 1;
    assert_false(tv_user_document_is_placed(&u));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_is_read),
        cmocka_unit_test(fields_that_are_not_there_have_defaults),
        cmocka_unit_test(what_disagrees_is_corrupt),
        cmocka_unit_test(a_place_takes_an_item_and_a_factor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
