/* packing: a model whose item side is filled row by row, and what becomes of rows that float16 cannot hold. */
#include "train/learn/packing.h"

#include <inttypes.h>
#include <string.h>

#include "train/learn/algorithm.h"
#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/core/formats/half.h"

/* The ids are copied, because the matrix stays the caller's. n_items is that of the matrix until tv_learn_end_packing.
 */
struct tv_model *tv_learn_new_model(const struct tv_matrix *d, const struct tv_learn_settings *s, int columns,
                                    struct tv_error *err)
{
    struct tv_model *m = tv_alloc(1, sizeof *m, "a model", err);
    if (m == NULL)
        return NULL;
    size_t n = (size_t)d->csr.n_cols;
    m->factors = columns;
    m->n_items = d->csr.n_cols;
    m->n_learned = d->csr.n_rows;
    m->sigma_power = s->sigma;
    m->created_at = tv_clock_wall();
    strcpy(m->algorithm, s->algorithm->name);
    strcpy(m->score_kind, s->algorithm->score_kind);
    m->item_ids = tv_alloc(n, sizeof *m->item_ids, "item ids", err);
    m->item_factors = tv_alloc(n * (size_t)columns, sizeof *m->item_factors, "item factors", err);
    if (m->item_ids == NULL || m->item_factors == NULL) {
        tv_model_free(m);
        return NULL;
    }
    memcpy(m->item_ids, d->items, n * sizeof *m->item_ids);
    return m;
}

/* The row goes to the first free place, so rows behind one that is left out move up. Rows must come in order: then
 * a place is read before it is written. */
void tv_learn_pack_row(struct tv_learn_packing *p, struct tv_model *m, size_t item, const float *row)
{
    size_t k = (size_t)m->factors, lost = tv_half_from_floats(m->item_factors + p->kept * k, row, k);
    m->item_ids[p->kept] = m->item_ids[item];
    if (lost > 0)
        tv_named_add_int(p->beyond, m->item_ids[item], NULL);
    p->lost += lost;
    p->kept += lost == 0;
}

/* Item ids and factors keep the memory of the items that were left out; n_items says where they end. */
enum tv_status tv_learn_end_packing(const struct tv_learn_packing *p, struct tv_model *m, int quiet, const char *hint,
                                    struct tv_error *err)
{
    char items[64];
    const struct tv_named *beyond = p->beyond;
    if (beyond->n > m->n_items / 2) {
        tv_fail(err, TV_ERR_NUMERIC,
                "%zu item factors are beyond %g, the largest float16 (of %" PRId64 " of %d items: %s)", p->lost,
                (double)TV_HALF_MAX, beyond->n, (int)m->n_items, beyond->names);
        return tv_hint(err, "%s", hint);
    }
    m->n_items = (int32_t)p->kept;
    if (beyond->n > 0 && !quiet)
        tv_log_info("%s left out of the model: a factor is beyond %g, the largest float16 (item %s); %s",
                    tv_text_are(items, beyond->n, "item"), (double)TV_HALF_MAX, beyond->names, hint);
    return TV_OK;
}
