/* test_user_parts: blobs that fit a user's document stay in it, names in place of a blob are those of its parts, and a
 * blob that is missing is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/user_blobs.h"
#include "tests/unit/lib/model/document_fixture.h"
#include "trivet/model/user_parts.h"
#include "trivet/store/mongo_document.h"

/* Fifteen MB in all stay together, however long one of them is. Beyond that parts are written, which takes a store
 * (tests/e2e/test_long_users.py): without one, as here, it could not be done. */
static void what_fits_stays_in_the_document(void **state)
{
    (void)state;
    static char bytes[15 << 20];
    struct tv_user_document u = {.user_id = 7};
    struct tv_user_fields f;
    const struct tv_user_blobs b = {.value = {.data = bytes, .size = 100},
                                    .seen = {.data = bytes + 100, .size = 200},
                                    .rated = {.data = bytes + 300, .size = (15 << 20) - 301},
                                    .ratings = {.data = bytes + (15 << 20) - 1, .size = 1}};
    const struct tv_buffer *const blobs[] = {&b.value, &b.seen, &b.rated, &b.ratings};
    assert_int_equal(tv_user_fields_make(&f, NULL, 12, &u, &b, NULL), TV_OK);
    for (int i = 0; i < TV_BLOBS; i++) {
        assert_string_equal(f.blobs[i].name, tv_user_blob_names[i]);
        assert_int_equal(f.blobs[i].type, TV_MONGO_FIELD_BYTES);
        assert_ptr_equal(f.blobs[i].bytes, blobs[i]->data);
        assert_int_equal(f.blobs[i].n_bytes, blobs[i]->size);
    }
    tv_user_fields_free(&f);
}

static enum tv_status open_json(struct tv_user_stored *s, const char *json, int *has_parts, struct tv_error *err)
{
    struct tv_mongo_doc *doc = NULL;
    assert_int_equal(tv_mongo_doc_from_json(&doc, json, NULL), TV_OK);
    *has_parts = tv_user_document_has_parts(doc);
    enum tv_status status = tv_user_stored_open(s, NULL, 12, doc, err);
    if (status == TV_OK) {
        assert_int_equal(s->user_id, 7);
        for (int i = 0; i < TV_BLOBS; i++) {
            assert_int_equal(s->sizes[i], 5);
            assert_memory_equal(s->bytes[i], "a\0b\xff" "c", 5);
        }
    }
    tv_user_stored_close(s);
    tv_mongo_doc_free(doc);
    return status;
}

static void blobs_of_a_document_need_no_store(void **state)
{
    (void)state;
    struct tv_buffer b = TV_BUFFER_INIT(64);
    struct tv_user_stored s;
    struct tv_error err = {0};
    int has_parts = 1;
    char json[1024];
    const char *format = "{\"_id\": 7, \"value\": %s, \"seen\": %s, \"rated\": %s, \"ratings\": %s}";
    assert_int_equal(tv_buffer_append(&b, "a\0b\xff" "c", 5, NULL), TV_OK);
    char *x = binary(&b);
    snprintf(json, sizeof json, format, x, x, x, x);
    assert_int_equal(open_json(&s, json, &has_parts, NULL), TV_OK);
    assert_false(has_parts);
    snprintf(json, sizeof json, format, x, x, "3", x);
    assert_int_equal(open_json(&s, json, &has_parts, &err), TV_ERR_CORRUPT);
    assert_string_equal(err.message, "the document of user 7 has no rated");
    assert_int_equal(open_json(&s, "{\"_id\": \"seven\"}", &has_parts, NULL), TV_ERR_CORRUPT);
    free(x);
    tv_buffer_free(&b);
}

static void names_in_place_of_a_blob_are_parts(void **state)
{
    (void)state;
    struct tv_mongo_doc *doc = NULL;
    assert_int_equal(tv_mongo_doc_from_json(&doc, "{\"_id\": 7, \"ratings\": [\"p1\", \"p2\"]}", NULL), TV_OK);
    assert_true(tv_user_document_has_parts(doc));
    tv_mongo_doc_free(doc);
    assert_int_equal(tv_mongo_doc_from_json(&doc, "{\"_id\": 7, \"others\": [\"p1\"], \"seen\": []}", NULL), TV_OK);
    assert_false(tv_user_document_has_parts(doc));
    tv_mongo_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_stays_in_the_document),
        cmocka_unit_test(blobs_of_a_document_need_no_store),
        cmocka_unit_test(names_in_place_of_a_blob_are_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
