/* read: signatures from the rows of a row source, as they come: no row is kept, so memory is that of the signatures. */
#include <string.h>

#include "train/similar/similar.h"
#include "train/source/reading.h"
#include "trivet/base/log.h"
#include "trivet/cli/interrupt.h"
#include "trivet/cli/progress.h"
#include "trivet/model/code_list.h"
#include "trivet/store/pg_copy.h"
#include "trivet/store/pg_rows.h"

/* Where rows go, and the line that shows how many came. */
struct progress {
    struct tv_minhash_sets *sets;
    struct tv_progress shown;
};

/* Takes a row into the signatures; what the user thought of the item plays no part. */
static enum tv_status take_row(void *context, const struct tv_pg_triple *row, struct tv_error *err)
{
    struct progress *r = context;
    if ((r->sets->n_pairs & 4095) == 0)
        tv_progress_update(&r->shown, (double)r->sets->n_pairs);
    return tv_minhash_sets_add(r->sets, row->a, row->b, err);
}

/* Postgres's own guess at the number of rows, for the time that is left: counting would read everything once more. 0:
 * it has none. */
static double guess_rows(struct tv_pg *pg)
{
    int64_t rows = 0;
    enum tv_status status = tv_pg_int(
        pg,
        "SELECT sum(greatest(c.reltuples, 0))::bigint FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'trivet.rating'::regclass",
        0, NULL, &rows, NULL);
    return status == TV_OK ? (double)rows : 0;
}

/* The element of a user with a code is the code and not the number, so that signatures are the same in another
 * trivet. Codes must be known before the first row. */
static enum tv_status name_users(struct tv_minhash_sets *sets, struct tv_pg *pg, struct tv_error *err)
{
    struct tv_code_list codes = {0};
    enum tv_status status = tv_code_list_read(&codes, pg, "user", err);
    for (size_t i = 0; i < codes.n && status == TV_OK; i++) {
        const char *code = tv_pg_cell(codes.rows, (int)i, 1);
        status = tv_minhash_sets_name(sets, codes.ids[i], code, strlen(code), err);
    }
    tv_code_list_free(&codes);
    return status;
}

/* An analyst's SQL runs on a login that can only read, trivet's own in the snapshot. */
static enum tv_status read_rows(const struct tv_reading *reading, struct tv_minhash_sets *sets, const char *source, int own,
                                struct tv_error *err)
{
    struct progress r = {.sets = sets};
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    enum tv_status status =
        tv_buffer_format(&sql, err, "SELECT userid::bigint, movieid::bigint, rating::real FROM %s", source);
    tv_progress_start(&r.shown, "reading who rated what", "rows", own ? 0 : guess_rows(reading->snapshot));
    if (status == TV_OK)
        status = tv_reading_rows(reading, tv_buffer_string(&sql), 1, take_row, &r, err);
    tv_minhash_sets_finish(sets);
    tv_progress_end(&r.shown);
    tv_buffer_free(&sql);
    return status;
}

/* A build opens the snapshot after `begin` (similar.c), so that no change falls between the two. */
enum tv_status tv_similar_read_sets(struct tv_minhash_sets *sets, const struct tv_settings *settings,
                                    const char *source, int own, int size, struct tv_error *err)
{
    struct tv_reading reading = {.settings = settings};
    enum tv_status status = tv_minhash_sets_create(sets, size, (int)tv_settings_int(settings, "threads"), err);
    if (status == TV_OK)
        status = tv_reading_open_snapshot(&reading, NULL, err);
    if (status == TV_OK && own)
        status = tv_reading_open_row_source(&reading, source, err);
    if (status == TV_OK)
        status = tv_interrupt_watch(tv_reading_connection(&reading), err);
    if (status == TV_OK)
        status = name_users(sets, reading.snapshot, err);
    if (status == TV_OK)
        status = read_rows(&reading, sets, source, own, err);
    tv_reading_close(&reading);
    return status;
}
