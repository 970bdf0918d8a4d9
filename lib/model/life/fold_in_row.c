/* fold_in_row: a row of a user's ratings, as PostgreSQL gives it, becomes a document. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/life/fold_in_row.h"
#include "trivet/store/pg_rows.h"

enum { USER, REV, CODE, ITEMS, RATINGS };

/* A number as text depends on extra_float_digits, which somebody's function may have set in this very statement; its
 * bits do not. `hex` is behind what was read before. */
static float next_value(const char **hex)
{
    char digits[9];
    snprintf(digits, sizeof digits, "%.8s", *hex);
    uint32_t bits = (uint32_t)strtoul(digits, NULL, 16);
    float value;
    memcpy(&value, &bits, sizeof value);
    *hex += strlen(digits);
    return value;
}

/* The element of '{1,NULL,3}' that follows; NULL: no more. *text is behind the bracket or comma before it. */
static const char *next_element(const char **text)
{
    const char *element = *text;
    size_t n = strcspn(element, ",}");
    *text = element + n + (element[n] == ',');
    return n > 0 ? element : NULL;
}

/* 1 if there are as many ratings as items. */
static int agree(const char *items, const char *ratings)
{
    size_t n = 0;
    if (items == NULL)
        return 1;
    if (*items != '{' || ratings == NULL)
        return 0;
    for (items++; next_element(&items);)
        n++;
    return strlen(ratings) == 8 * n;
}

static int is_asked(const int64_t *ids, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id)
            return 1;
    return 0;
}

/* Only what was checked here is read by tv_fold_in_row without looking. */
enum tv_status tv_fold_in_check_rows(const struct tv_pg_rows *rows, const int64_t *ids, size_t n, struct tv_error *err)
{
    for (int r = 0; r < tv_pg_rows_count(rows); r++) {
        const char *user = tv_pg_cell(rows, r, USER);
        if (user == NULL || tv_pg_cell(rows, r, REV) == NULL || !is_asked(ids, n, atoll(user)) ||
            !agree(tv_pg_cell(rows, r, ITEMS), tv_pg_cell(rows, r, RATINGS)))
            return tv_fail(err, TV_ERR_STORE, "it does not give rows of (user, item, rating)");
    }
    return TV_OK;
}

/* Rows that are no ratings are left out, as train/source/rows.c does. */
static enum tv_status take_ratings(struct tv_evidence *e, int64_t user_id, const char *items, const char *ratings,
                                   struct tv_error *err)
{
    enum tv_status status = TV_OK;
    const char *item;
    if (items == NULL) /* the user has none */
        return TV_OK;
    for (items++; status == TV_OK && (item = next_element(&items));) {
        float rating = next_value(&ratings);
        if (*item != 'N' && isfinite(rating))
            status = tv_evidence_add(e, user_id, atoll(item), rating, err);
    }
    return status;
}

enum tv_status tv_fold_in_row(struct tv_fold_in_space *s, struct tv_evidence *e,
                              const struct tv_fold_in_model *fold_in_model, const struct tv_pg_rows *rows, int row,
                              struct tv_error *err)
{
    int64_t user_id = atoll(tv_pg_cell(rows, row, USER));
    enum tv_status status = take_ratings(e, user_id, tv_pg_cell(rows, row, ITEMS), tv_pg_cell(rows, row, RATINGS), err);
    if (status == TV_OK)
        status = tv_fold_in_document(fold_in_model, s, user_id, e->items, e->ratings, e->n_pairs, err);
    s->document.rev = atoll(tv_pg_cell(rows, row, REV));
    s->document.code = tv_pg_cell(rows, row, CODE);
    return status;
}
