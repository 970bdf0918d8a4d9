/* fit_rows: rows of (user, item, rating) out of Postgres, whoever wants them. */
#include "train/fit.h"
#include "trivet/interrupt.h"

struct copying {
    fit_take take;
    void *context;
    int first;
};

static enum tv_status take_message(void *context, const char *bytes, size_t n, struct tv_error *err)
{
    struct copying *c = context;
    struct tv_pg_triple row;
    int kind = tv_pg_triple(bytes, n, &c->first, &row);
    if (kind < 0)
        return tv_fail(err, TV_ERR_STORE, "PostgreSQL sent a row that is not (bigint, bigint, real); a null, perhaps?");
    if (tv_interrupted())
        return tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while reading ratings");
    return kind == 0 ? TV_OK : c->take(c->context, &row, err);
}

enum tv_status fit_copy_rows(struct fit *f, const char *select, fit_take take, void *context, struct tv_error *err)
{
    struct copying c = {take, context, 1};
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    enum tv_status status = tv_buffer_format(&sql, err, "COPY (%s) TO STDOUT (FORMAT binary)", select);
    if (status == TV_OK)
        status = tv_pg_copy_out(f->reader ? f->reader : f->snapshot, tv_buffer_string(&sql), take_message, &c, err);
    tv_buffer_free(&sql);
    return status;
}
