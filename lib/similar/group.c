/* group: the witnesses of rows that share a key, as bytes, and the signature that a row's make. */
#include "lib/similar/inside.h"

enum { COUNT_BYTES = 2 };

/* A row in its group: a count of two bytes, then as many hashes, row after row; so the rows before are walked over.
 * Bytes come from Redis, so every count is checked against what is left. */
enum tv_status tv_similar_group_find(const struct tv_buffer *group, int32_t row, const char **at, size_t *n,
                                     struct tv_error *err)
{
    const char *p = tv_buffer_string(group), *end = p + group->size;
    *n = 0;
    for (int i = 0; p < end; i++) {
        size_t count = end - p < COUNT_BYTES ? SIZE_MAX : (unsigned char)p[0] | (size_t)(unsigned char)p[1] << 8;
        p += COUNT_BYTES;
        if (count > TV_MINHASH_MAX || count * TV_SIMILAR_HASH > (size_t)(end - p))
            return tv_fail(err, TV_ERR_CORRUPT, "the audience of row %d of an index of similar items is cut short",
                           (int)row);
        *at = p;
        *n = count;
        if (i == row % TV_SIMILAR_GROUP)
            return TV_OK;
        p += count * TV_SIMILAR_HASH;
    }
    *n = 0;
    *at = end;
    return TV_OK;
}

/* The count comes first, so that a reader can walk over a row without looking at its hashes. */
enum tv_status tv_similar_group_append(struct tv_buffer *group, const struct tv_minhash_witness *witnesses, int n,
                                       struct tv_error *err)
{
    enum tv_status status = tv_buffer_reserve(group, COUNT_BYTES + (size_t)n * TV_SIMILAR_HASH, err);
    if (status != TV_OK)
        return status;
    char *p = group->data + group->size;
    *p++ = (char)n;
    *p++ = (char)(n >> 8);
    for (int i = 0; i < n; i++, p += TV_SIMILAR_HASH)
        tv_similar_put_number(p, witnesses[i].hash, TV_SIMILAR_HASH);
    group->size = (size_t)(p - group->data);
    group->data[group->size] = '\0';
    return TV_OK;
}

/* A row that does not change is copied as it stands, hashes and all. */
enum tv_status tv_similar_group_copy(struct tv_buffer *group, const char *at, size_t n, struct tv_error *err)
{
    enum tv_status status = tv_similar_group_append(group, NULL, 0, err);
    if (status != TV_OK)
        return status;
    group->data[group->size - 2] = (char)n;
    group->data[group->size - 1] = (char)(n >> 8);
    return tv_buffer_append(group, at, n * TV_SIMILAR_HASH, err);
}

/* The signature of a set is that of its witnesses, so this gives back the values bit for bit. */
void tv_similar_sketch(const struct tv_minhash *m, const char *at, size_t n, uint32_t *values, uint32_t *witness)
{
    tv_minhash_clear(m, values);
    tv_minhash_clear(m, witness);
    for (size_t i = 0; i < n; i++)
        tv_minhash_update_witness(m, values, witness, (uint32_t)tv_similar_read_number(at + i * TV_SIMILAR_HASH, TV_SIMILAR_HASH));
}
