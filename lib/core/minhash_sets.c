/* minhash_sets: signatures of many items from a stream of pairs.
 *
 * Pairs gather in a batch. A full batch is worked off by all threads, each taking the items whose row falls to it, so no
 * two write the same signature and the result does not depend on their number.
 */
#include "trivet/minhash_sets.h"

#include <omp.h>
#include <stdlib.h>

#include "trivet/buffer.h"

enum { BATCH = 1 << 16 };

struct tv_minhash_batch {
    int32_t n;
    int32_t row[BATCH];
    uint32_t hash[BATCH];
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
    free(s->batch);
    *s = (struct tv_minhash_sets){0};
}

static enum tv_status more_rows(struct tv_minhash_sets *s, struct tv_error *err)
{
    size_t size = (size_t)tv_minhash_size(s->functions), room = (size_t)s->room + (size_t)s->room / 2 + 1024;
    uint32_t *values = realloc(s->values, room * size * sizeof *values);
    s->values = values ? values : s->values;
    uint32_t *witness = realloc(s->witness, room * size * sizeof *witness);
    s->witness = witness ? witness : s->witness;
    if (values == NULL || witness == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the signatures of %zu items, %zu bytes each", room,
                       2 * size * sizeof *values);
    s->room = (int32_t)room;
    return TV_OK;
}

/* The user's number; `element` is theirs if they are new, NULL for the decimal text of the id. */
static enum tv_status number_user(struct tv_minhash_sets *s, int64_t user, const char *element, size_t n, int32_t *number,
                                  struct tv_error *err)
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

void tv_minhash_sets_finish(struct tv_minhash_sets *s)
{
    const struct tv_minhash_batch *b = s->batch;
#pragma omp parallel num_threads(s->threads)
    {
        int32_t team = omp_get_num_threads(), own = omp_get_thread_num();
        for (int32_t i = 0; i < b->n; i++)
            if (b->row[i] % team == own)
                tv_minhash_update_witness(s->functions, tv_minhash_sets_values(s, b->row[i]),
                                          tv_minhash_sets_witness(s, b->row[i]), b->hash[i]);
    }
    s->batch->n = 0;
}
