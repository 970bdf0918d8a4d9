/* model_parts: what both stores need to cut a model into parts and to put it together. Private to lib/model. */
#ifndef TRIVET_MODEL_MODEL_PARTS_H
#define TRIVET_MODEL_MODEL_PARTS_H

#include "trivet/base/buffer.h"
#include "trivet/model/model.h"

/* Larger models do not exist yet: a guard against a damaged number, not a design limit. */
enum { TV_MAX_FACTORS = 4096, TV_MAX_ITEMS = 200000000 };

/* A part as it is stored. */
struct tv_part_blobs {
    const void *factors, *ids;
    size_t n_factors, n_ids; /* bytes */
};

/* Items first .. first + n - 1 as two blobs, appended. */
enum tv_status tv_part_encode(const struct tv_model *m, int32_t first, int32_t n, struct tv_buffer *factors,
                              struct tv_buffer *ids, struct tv_error *err);
/* Decodes a part into items first .. of the model, which has its arrays; *n is how many it held. TV_ERR_CORRUPT for
 * blobs that do not agree with one another or with the model's sizes; then the arrays are as before. */
enum tv_status tv_part_decode(struct tv_model *m, int32_t first, const struct tv_part_blobs *blobs, int32_t *n,
                              struct tv_error *err);
/* The singular values as one blob, appended; decoding makes m->sigma, which must be NULL before. */
enum tv_status tv_sigma_encode(const struct tv_model *m, struct tv_buffer *out, struct tv_error *err);
enum tv_status tv_sigma_decode(struct tv_model *m, const void *bytes, size_t n, struct tv_error *err);

/* An empty model with its arrays. TV_ERR_CORRUPT for sizes that no model can have. */
enum tv_status tv_model_create(struct tv_model **out, int64_t run_number, int factors, int64_t n_items,
                               struct tv_error *err);

#endif
