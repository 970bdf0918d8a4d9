/* minhash_sets: signatures of many items from a stream of pairs. The trainer builds and checks an index with it.
 *
 * Pairs gather in a batch. A full batch is grouped by item, since a signature that is at hand takes its next user in a
 * quarter of the time that it takes to fetch one from memory, and most plays are of few items. The items are then
 * shared out among all threads, so no two write the same signature and the result does not depend on their number.
 */
#include "trivet/core/sets/minhash_sets.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

enum { BATCH = 1 << 20 };

/* Pairs in the order they came, by the item's row and the user's hash, and the hashes again in the order of rows. */
struct tv_minhash_batch {
    int32_t n;
    int32_t row[BATCH];
    uint32_t hash[BATCH], grouped[BATCH];
    int32_t *start; /* (room + 1) where the hashes of each row begin in `grouped` */
};

enum tv_status tv_minhash_sets_create(struct tv_minhash_sets *s, int size, int threads, struct tv_error *err)
{
    *s = (struct tv_minhash_sets){.threads = threads > 0 ? threads : omp_get_num_procs()};
    enum tv_status status = tv_minhash_create(&s->functions, size, err);
    if (status == TV_OK && (s->batch = tv_alloc(1, sizeof *s->batch, "pairs of user and item", err)) == NULL)
        status = TV_ERR_NO_MEMORY;
    if (status != TV_OK)
        tv_minhash_sets_free(s);
    return status;
}

void tv_minhash_sets_free(struct tv_minhash_sets *s)
{
    tv_minhash_free(s->functions);
    tv_id_map_free(&s->items);
    tv_id_map_free(&s->users);
    free(s->values);
    free(s->witness);
    free(s->hashes);
    if (s->batch)
        free(s->batch->start);
    free(s->batch);
    *s = (struct tv_minhash_sets){0};
}

/* Each array is stored as soon as it is moved, so tv_minhash_sets_free finds it where a later one fails. The new part
 * of values and witness is not cleared here: a row is, when its item comes first. */
static enum tv_status more_rows(struct tv_minhash_sets *s, struct tv_error *err)
{
    size_t size = (size_t)tv_minhash_size(s->functions), room = (size_t)s->room + (size_t)s->room / 2 + 1024;
    uint32_t *values = realloc(s->values, room * size * sizeof *values);
    s->values = values ? values : s->values;
    uint32_t *witness = realloc(s->witness, room * size * sizeof *witness);
    s->witness = witness ? witness : s->witness;
    int32_t *start = realloc(s->batch->start, (room + 1) * sizeof *start);
    s->batch->start = start ? start : s->batch->start;
    if (values == NULL || witness == NULL || start == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the signatures of %zu items, %zu bytes each", room,
                       2 * size * sizeof *values);
    s->room = (int32_t)room;
    return TV_OK;
}

/* The user's number; `element` is theirs if they are new, NULL for the decimal text of the id. */
static enum tv_status number_user(struct tv_minhash_sets *s, int64_t user, const char *element, size_t n,
                                  int32_t *number, struct tv_error *err)
{
    int32_t before = s->users.n;
    enum tv_status status = tv_id_map_add(&s->users, user, number, err);
    if (status != TV_OK || s->users.n == before)
        return status;
    if (s->users.n > s->user_room) {
        int32_t room = s->user_room + s->user_room / 2 + 4096;
        uint32_t *hashes = realloc(s->hashes, (size_t)room * sizeof *hashes);
        if (hashes == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the hashes of %d users", (int)room);
        s->hashes = hashes;
        s->user_room = room;
    }
    s->hashes[*number] = element ? tv_minhash_hash(element, n) : tv_minhash_hash_id(user);
    return TV_OK;
}

enum tv_status tv_minhash_sets_name(struct tv_minhash_sets *s, int64_t user, const char *code, size_t n,
                                    struct tv_error *err)
{
    int32_t number;
    return number_user(s, user, code, n, &number, err);
}

enum tv_status tv_minhash_sets_add(struct tv_minhash_sets *s, int64_t user, int64_t item, struct tv_error *err)
{
    int32_t number, row, before = s->items.n;
    enum tv_status status = number_user(s, user, NULL, 0, &number, err);
    if (status == TV_OK)
        status = tv_id_map_add(&s->items, item, &row, err);
    if (status == TV_OK && row >= s->room)
        status = more_rows(s, err);
    if (status != TV_OK)
        return status;
    if (s->items.n > before) {
        tv_minhash_clear(s->functions, tv_minhash_sets_values(s, row));
        tv_minhash_clear(s->functions, tv_minhash_sets_witness(s, row));
    }
    s->batch->row[s->batch->n] = row;
    s->batch->hash[s->batch->n++] = s->hashes[number];
    s->n_pairs++;
    if (s->batch->n == BATCH)
        tv_minhash_sets_finish(s);
    return TV_OK;
}

/* Counting sort: `start` counts first, and ends as the rows' begins. */
static void group(struct tv_minhash_batch *b, int32_t rows)
{
    memset(b->start, 0, ((size_t)rows + 1) * sizeof *b->start);
    for (int32_t i = 0; i < b->n; i++)
        b->start[b->row[i] + 1]++;
    for (int32_t r = 0; r < rows; r++)
        b->start[r + 1] += b->start[r];
    for (int32_t i = 0; i < b->n; i++) /* now start[r] moves to the end of r, which is the begin of r + 1 */
        b->grouped[b->start[b->row[i]]++] = b->hash[i];
    memmove(b->start + 1, b->start, (size_t)rows * sizeof *b->start);
    b->start[0] = 0;
}

/* Rows differ widely in how many pairs a batch has for them, hence the dynamic schedule. */
void tv_minhash_sets_finish(struct tv_minhash_sets *s)
{
    struct tv_minhash_batch *b = s->batch;
    if (b->n == 0)
        return;
    group(b, s->items.n);
#pragma omp parallel for schedule(dynamic, 256) num_threads(s->threads)
    for (int32_t r = 0; r < s->items.n; r++)
        for (int32_t i = b->start[r]; i < b->start[r + 1]; i++)
            tv_minhash_update_witness(s->functions, tv_minhash_sets_values(s, r), tv_minhash_sets_witness(s, r),
                                      b->grouped[i]);
    b->n = 0;
}
