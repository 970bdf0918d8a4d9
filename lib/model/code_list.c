/* code_list: the codes of one kind by their numbers, read from trivet.code once and found by binary search. The
 * texts stay in the result that PostgreSQL sent.
 */
#include "trivet/model/code_list.h"

#include <stdlib.h>

#include "trivet/base/buffer.h"
#include "trivet/base/code.h"
#include "trivet/store/pg_rows.h"

/* The place of the first id that is not below `id`. */
static size_t lower_bound(const int64_t *ids, size_t n, int64_t id)
{
    size_t low = 0;
    while (low < n) {
        size_t middle = low + (n - low) / 2;
        if (ids[middle] < id)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

/* Ids ascend, so the first one that is not below the range decides. */
int tv_code_list_needed(const int64_t *ids, size_t n)
{
    size_t at = lower_bound(ids, n, TV_CODE_FIRST);
    return at < n && ids[at] < TV_CODE_END;
}

enum tv_status tv_code_list_read(struct tv_code_list *out, struct tv_pg *pg, const char *kind, struct tv_error *err)
{
    *out = (struct tv_code_list){.n = 0};
    enum tv_status status = tv_pg_query(pg, "SELECT id, code FROM trivet.code WHERE kind = $1 ORDER BY id", 1, &kind,
                                        &out->rows, err);
    if (status != TV_OK)
        return status;
    size_t n = (size_t)tv_pg_rows_count(out->rows);
    out->ids = tv_alloc(n, sizeof *out->ids, "the numbers of codes", err);
    if (n > 0 && out->ids == NULL) {
        tv_code_list_free(out);
        return TV_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < n; i++)
        out->ids[i] = strtoll(tv_pg_cell(out->rows, (int)i, 0), NULL, 10);
    out->n = n;
    return TV_OK;
}

const char *tv_code_list_find(const struct tv_code_list *list, int64_t id)
{
    size_t at = lower_bound(list->ids, list->n, id);
    return at < list->n && list->ids[at] == id ? tv_pg_cell(list->rows, (int)at, 1) : NULL;
}

void tv_code_list_free(struct tv_code_list *list)
{
    free(list->ids);
    tv_pg_rows_free(list->rows);
    *list = (struct tv_code_list){.n = 0};
}
