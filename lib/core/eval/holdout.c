/* holdout: held-out pairs, in user order, become a matrix beside the training one; pairs that are cold are counted. It
 * exists because leaving cold pairs out in silence would flatter every method: the counts say how much of the portion
 * was judged. */
#include "trivet/core/eval/holdout.h"

#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

/* State of one pass over the portion. */
struct filling {
    struct tv_holdout *out;
    const struct tv_matrix *training;
    struct tv_dense_map users, items;
    uint8_t *known;      /* (n_items) 1: an item that the portion has */
    int64_t *cold_items; /* raw ids as they come */
    size_t n_cold_items;
};

void tv_holdout_free(struct tv_holdout *h)
{
    if (h == NULL)
        return;
    tv_csr_free(&h->test);
    free(h->unreachable);
    memset(h, 0, sizeof *h);
}

/* The pairs come by user and item, so the matrix only grows at its end. */
static void take(struct filling *f, int64_t user, int64_t item, float value)
{
    struct tv_holdout *h = f->out;
    int64_t row = tv_dense_map_find(&f->users, user), column = tv_dense_map_find(&f->items, item);
    h->counts.rows++;
    if (column >= 0)
        f->known[column] = 1;
    else
        f->cold_items[f->n_cold_items++] = item;
    if (row < 0) {
        h->counts.cold_user_rows++;
    } else if (column < 0) {
        h->counts.cold_item_rows++;
        h->unreachable[row] += value >= h->min_relevant;
    } else {
        h->test.column[h->test.n_values] = (int32_t)column;
        h->test.value[h->test.n_values++] = value;
        h->test.start[row + 1]++; /* a length yet */
    }
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Items of the portion: those of the training matrix were marked on the way, the cold ones have raw ids alone and are
 * sorted to count each once. */
static void count_items(struct filling *f)
{
    struct tv_holdout_counts *c = &f->out->counts;
    qsort(f->cold_items, f->n_cold_items, sizeof *f->cold_items, ascending);
    for (size_t i = 0; i < f->n_cold_items; i++)
        c->cold_items += i == 0 || f->cold_items[i] != f->cold_items[i - 1];
    c->items = c->cold_items;
    for (int32_t i = 0; i < f->training->csr.n_cols; i++)
        c->items += f->known[i];
}

/* Users come one after the other, so a new one is told by the id before; the counts make starts at the end, as in
 * csr.c. */
static void fill(struct filling *f, const struct tv_pairs *p, const struct tv_split *split, enum tv_portion portion)
{
    struct tv_holdout *h = f->out;
    int64_t before = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (split->portion[i] != portion)
            continue;
        if (h->counts.rows == 0 || p->user[i] != before) {
            h->counts.users++;
            h->counts.cold_users += tv_dense_map_find(&f->users, p->user[i]) < 0;
        }
        before = p->user[i];
        take(f, p->user[i], p->item[i], p->value[i]);
    }
    for (int32_t row = 0; row < h->test.n_rows; row++)
        h->test.start[row + 1] += h->test.start[row];
    count_items(f);
}

enum tv_status tv_holdout_create(struct tv_holdout *out, const struct tv_pairs *pairs, const struct tv_split *split,
                                 enum tv_portion portion, const struct tv_matrix *training, float min_relevant,
                                 struct tv_error *err)
{
    /* Sized for the case that the whole portion is warm, and for the other that it is all cold. */
    size_t n_users = (size_t)training->csr.n_rows, n_items = (size_t)training->csr.n_cols, n = split->n[portion];
    struct filling f = {.out = out, .training = training};
    *out = (struct tv_holdout){.min_relevant = min_relevant};
    out->test.n_rows = training->csr.n_rows;
    out->test.n_cols = training->csr.n_cols;
    out->test.start = tv_alloc(n_users + 1, sizeof *out->test.start, "held-out ratings", err);
    out->test.column = tv_alloc(n, sizeof *out->test.column, "held-out ratings", err);
    out->test.value = tv_alloc(n, sizeof *out->test.value, "held-out ratings", err);
    out->unreachable = tv_alloc(n_users, sizeof *out->unreachable, "held-out ratings", err);
    f.known = tv_alloc(n_items, sizeof *f.known, "held-out ratings", err);
    f.cold_items = tv_alloc(n, sizeof *f.cold_items, "held-out ratings", err);
    int ok = out->test.start && out->test.column && out->test.value && out->unreachable && f.known && f.cold_items;
    if (ok) {
        tv_dense_map_create(&f.users, training->users, n_users);
        tv_dense_map_create(&f.items, training->items, n_items);
        fill(&f, pairs, split, portion);
    } else {
        tv_holdout_free(out);
    }
    tv_dense_map_free(&f.users);
    tv_dense_map_free(&f.items);
    free(f.known);
    free(f.cold_items);
    return ok ? TV_OK : TV_ERR_NO_MEMORY;
}
