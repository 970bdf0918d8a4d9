/* check: is the live index what a build would give now? Its pages are compared with its signatures
 * (lib/similar/verify.c), and its signatures with those of its row source's rows. Events that wait, and ratings that
 * come meanwhile, show as differences, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/similar/similar.h"
#include "trivet/base/text.h"
#include "trivet/similar/similar.h"
#include "trivet/store/pg_rows.h"

enum { REDIS_MS = 30000 };

/* Signatures as they should be, and the index that is compared with them. */
struct comparing {
    const struct tv_minhash_sets *built;
    struct tv_similar *index;
    int64_t n; /* items of the index with an audience */
};

/* Compares one item of the index, and fails at the first whose signature is another, or which has no audience by now.
 */
static enum tv_status compare_item(void *context, int64_t item, const uint32_t *values, struct tv_error *err)
{
    struct comparing *c = context;
    int size = tv_similar_size(c->index);
    int32_t row = tv_id_map_find(&c->built->items, item);
    c->n++;
    if (row < 0)
        return tv_fail(err, TV_ERR_CORRUPT, "the index has item %" PRId64 ", which nobody rated", item);
    int shared = tv_minhash_shared(c->built->functions, values, tv_minhash_sets_values(c->built, row));
    if (shared == size)
        return TV_OK;
    return tv_fail(err, TV_ERR_CORRUPT,
                   "item %" PRId64 " has %d values of %d in the index that its audience does not give", item,
                   size - shared, size);
}

/* Every item of the index is compared; that none is missing follows from their number. */
static enum tv_status compare(struct tv_similar *index, const struct tv_minhash_sets *built, int64_t version,
                              struct tv_error *err)
{
    char items[32];
    struct comparing c = {.built = built, .index = index};
    enum tv_status status = tv_similar_verify(index, err);
    if (status == TV_OK)
        status = tv_similar_each(index, compare_item, &c, err);
    if (status == TV_OK && c.n != built->items.n)
        status =
            tv_fail(err, TV_ERR_CORRUPT, "the index has %" PRId64 " items, but %d are rated", c.n, (int)built->items.n);
    if (status == TV_OK)
        printf("index %" PRId64 " of similar items is what a build would give: %s items\n", version,
               tv_text_number(items, c.n));
    else if (status == TV_ERR_CORRUPT)
        tv_hint(err,
                "events may still wait (trivet-train similar --update); otherwise build anew: trivet-train similar");
    return status;
}

/* The journal knows what the index was built from, so the flags of the build need not be repeated. */
enum tv_status tv_similar_check(const struct tv_settings *settings, struct tv_pg *journal, struct tv_error *err)
{
    struct tv_similar *index = NULL;
    struct tv_minhash_sets sets = {0};
    struct tv_pg_rows *rows = NULL;
    char number[24] = "";
    const char *const values[] = {number};
    int64_t version = 0;
    enum tv_status status = tv_similar_open(&index, tv_settings_text(settings, "redis"), REDIS_MS, err);
    if (status == TV_OK)
        status = tv_similar_look(index, &version, NULL, err);
    snprintf(number, sizeof number, "%" PRId64, version);
    if (status == TV_OK)
        status = tv_pg_query(journal, "SELECT source, own_source FROM trivet.similar_index WHERE id = $1", 1, values,
                             &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) == 0)
        status = tv_fail(err, TV_ERR_NOT_FOUND,
                         "Redis serves index %s of similar items, which this database knows nothing of", number);
    if (status == TV_OK)
        status = tv_similar_read_sets(&sets, settings, tv_pg_cell(rows, 0, 0), tv_pg_cell(rows, 0, 1)[0] == 't',
                                      tv_similar_size(index), err);
    if (status == TV_OK)
        status = compare(index, &sets, version, err);
    tv_pg_rows_free(rows);
    tv_minhash_sets_free(&sets);
    tv_similar_close(index);
    return status;
}
