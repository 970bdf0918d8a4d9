/* model_parts: cuts a model's item side into blobs and puts it together again. Blobs come from stores that anybody
 * may have written to, so each size is checked before it is believed.
 */
#include "lib/model/model_parts.h"

#include <stdlib.h>
#include <string.h>

#include "trivet/core/formats/codec.h"
#include "trivet/core/formats/half.h"

/* A part decodes to at most its own arrays and a little msgpack around them. */
static size_t part_limit(const struct tv_model *m, size_t bytes_per_item)
{
    return (size_t)m->n_items * bytes_per_item + 4096;
}

enum tv_status tv_part_encode(const struct tv_model *m, int32_t first, int32_t n, struct tv_buffer *factors,
                              struct tv_buffer *ids, struct tv_error *err)
{
    const struct tv_array f =
        tv_array_2d(TV_F2, m->item_factors + (size_t)first * (size_t)m->factors, (size_t)n, (size_t)m->factors);
    const struct tv_array i = tv_array_1d(TV_I8, m->item_ids + first, (size_t)n);
    enum tv_status status = tv_blob_encode(factors, &f, err);
    return status == TV_OK ? tv_blob_encode(ids, &i, err) : status;
}

/* Nothing is written unless the part fits what is left of the arrays. */
enum tv_status tv_part_decode(struct tv_model *m, int32_t first, const struct tv_part_blobs *blobs, int32_t *n,
                              struct tv_error *err)
{
    struct tv_array f = {0}, i = {0};
    size_t k = (size_t)m->factors, room = (size_t)(m->n_items - first);
    enum tv_status status =
        tv_blob_decode_as(&f, TV_F2, 2, blobs->factors, blobs->n_factors, part_limit(m, 2 * k), err);
    if (status == TV_OK)
        status = tv_blob_decode_as(&i, TV_I8, 1, blobs->ids, blobs->n_ids, part_limit(m, 8), err);
    if (status == TV_OK && (f.shape[1] != k || f.shape[0] != i.shape[0] || f.shape[0] > room || f.shape[0] == 0))
        status = tv_fail(err, TV_ERR_CORRUPT,
                         "a part of model %lld is (%zu, %zu) factors and %zu ids, where at most "
                         "(%zu, %zu) are left",
                         (long long)m->run_number, f.shape[0], f.shape[1], i.shape[0], room, k);
    if (status == TV_OK) {
        memcpy(m->item_factors + (size_t)first * k, f.data, f.n_bytes);
        memcpy(m->item_ids + first, i.data, i.n_bytes);
        *n = (int32_t)f.shape[0];
    }
    tv_array_free(&f);
    tv_array_free(&i);
    return status;
}

enum tv_status tv_sigma_encode(const struct tv_model *m, struct tv_buffer *out, struct tv_error *err)
{
    const struct tv_array a = tv_array_1d(TV_F8, m->sigma, (size_t)m->factors);
    return tv_blob_encode(out, &a, err);
}

enum tv_status tv_sigma_decode(struct tv_model *m, const void *bytes, size_t n, struct tv_error *err)
{
    struct tv_array a = {0};
    enum tv_status status = tv_blob_decode_as(&a, TV_F8, 1, bytes, n, (size_t)m->factors * 8 + 4096, err);
    if (status == TV_OK && a.shape[0] != (size_t)m->factors)
        status = tv_fail(err, TV_ERR_CORRUPT, "model %lld has %zu singular values and %d factors",
                         (long long)m->run_number, a.shape[0], m->factors);
    if (status == TV_OK && (m->sigma = tv_alloc((size_t)m->factors, sizeof *m->sigma, "singular values", err)) == NULL)
        status = TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        memcpy(m->sigma, a.data, a.n_bytes);
    tv_array_free(&a);
    return status;
}

/* Sizes are judged before memory is asked for, because they may be a damaged store's. */
enum tv_status tv_model_create(struct tv_model **out, int64_t run_number, int factors, int64_t n_items,
                               struct tv_error *err)
{
    if (factors < 1 || factors > TV_MAX_FACTORS || n_items < 1 || n_items > TV_MAX_ITEMS)
        return tv_fail(err, TV_ERR_CORRUPT, "model %lld says it has %lld items and %d factors", (long long)run_number,
                       (long long)n_items, factors);
    struct tv_model *m = tv_alloc(1, sizeof *m, "a model", err);
    if (m == NULL)
        return TV_ERR_NO_MEMORY;
    m->run_number = run_number;
    m->factors = factors;
    m->n_items = (int32_t)n_items;
    m->item_ids = tv_alloc((size_t)n_items, sizeof *m->item_ids, "item ids", err);
    m->item_factors = tv_alloc((size_t)n_items * (size_t)factors, sizeof *m->item_factors, "item factors", err);
    if (m->item_ids == NULL || m->item_factors == NULL) {
        tv_model_free(m);
        return TV_ERR_NO_MEMORY;
    }
    *out = m;
    return TV_OK;
}

/* A factor that is not finite would make every score of its item one, and ids that do not ascend could not be
 * searched. */
enum tv_status tv_model_check(const struct tv_model *m, struct tv_error *err)
{
    for (int32_t i = 1; i < m->n_items; i++)
        if (m->item_ids[i] <= m->item_ids[i - 1])
            return tv_fail(err, TV_ERR_CORRUPT, "the item ids of model %lld do not ascend at %lld",
                           (long long)m->run_number, (long long)m->item_ids[i]);
    for (size_t i = 0; i < (size_t)m->n_items * (size_t)m->factors; i++)
        if (!tv_half_is_finite(m->item_factors[i]))
            return tv_fail(err, TV_ERR_CORRUPT, "model %lld has an item factor that is not finite",
                           (long long)m->run_number);
    uint64_t found = tv_model_checksum(m);
    if (found != m->checksum)
        return tv_fail(err, TV_ERR_CORRUPT, "the checksum of model %lld is %016llx, but %016llx was written",
                       (long long)m->run_number, (unsigned long long)found, (unsigned long long)m->checksum);
    return TV_OK;
}
