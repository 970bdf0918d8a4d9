/* stage: encodes rows for COPY and sends them in blocks. Ratings, of which there are most, go in the binary format,
 * which spares Postgres the parsing of numbers; the rest goes as text.
 */
#include "etl/load/stage.h"

#include <stdio.h>
#include <string.h>

#include "etl/load/copy_text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/store/pg_copy.h"

/* Postgres works while we read on: blocks near the size of a socket buffer keep both sides busy. */
enum { BLOCK = 64 * 1024, BUFFER_MAX = 16 * 1024 * 1024 };

void tv_stage_init(struct tv_stage *s, struct tv_pg *pg, struct tv_codes *codes, struct tv_rejects *rejects)
{
    *s = (struct tv_stage){.pg = pg, .codes = codes, .rejects = rejects, .out = TV_BUFFER_INIT(BUFFER_MAX)};
}

void tv_stage_free(struct tv_stage *s)
{
    tv_buffer_free(&s->out);
    tv_tally_free(&s->tally);
}

/* Hands the gathered bytes to libpq. After a failure no COPY is open any more. */
static enum tv_status send(struct tv_stage *s, struct tv_error *err)
{
    enum tv_status status = tv_pg_copy_put(s->pg, s->out.data, s->out.size, err);
    tv_buffer_clear(&s->out);
    if (status != TV_OK)
        s->open = 0; /* the server has ended it */
    return status;
}

/* --- ratings: COPY's binary format ------------------------------------------------------------------------------ */

/* n bytes of a number, the highest first, as the binary format has them. */
static unsigned char *put(unsigned char *p, uint64_t value, int n)
{
    for (int i = n - 1; i >= 0; i--)
        *p++ = (unsigned char)(value >> (8 * i));
    return p;
}

/* A row of the binary format: the number of fields, then the length and the bytes of each. PostgreSQL counts
 * microseconds from the year 2000. */
static enum tv_status put_rating(void *context, const struct tv_rating_row *row, struct tv_error *err)
{
    static const int64_t epoch_2000 = INT64_C(946684800000000);
    struct tv_stage *s = context;
    unsigned char bytes[2 + 4 + 8 + 4 + 8 + 4 + 4 + 4 + 8], *p = bytes;
    uint32_t bits;
    memcpy(&bits, &row->value, sizeof bits);
    p = put(p, 4, 2);
    p = put(put(p, 8, 4), (uint64_t)row->user, 8);
    p = put(put(p, 8, 4), (uint64_t)row->item, 8);
    p = put(put(p, 4, 4), bits, 4);
    if (row->time == TV_NUMBER_NO_TIME)
        p = put(p, UINT32_MAX, 4); /* length -1 is null */
    else
        p = put(put(p, 8, 4), (uint64_t)(row->time - epoch_2000), 8);
    tv_tally_add_time(&s->tally, row->time);
    s->rows++;
    enum tv_status status = tv_tally_add(&s->tally, row->user, row->item, row->value, err);
    if (status == TV_OK)
        status = tv_buffer_append(&s->out, bytes, (size_t)(p - bytes), err);
    return status == TV_OK && s->out.size >= BLOCK ? send(s, err) : status;
}

/* FREEZE writes rows as VACUUM FREEZE would leave them, so that no vacuum has to come back for them. */
enum tv_status tv_stage_begin_ratings(struct tv_stage *s, int64_t load, struct tv_error *err)
{
    static const char header[19] = "PGCOPY\n\377\r\n"; /* signature, then flags and extension length: zeros */
    char sql[160];
    snprintf(
        sql, sizeof sql,
        "COPY trivet.rating_load_%lld (user_id, item_id, value, rated_at) FROM STDIN (FORMAT binary, FREEZE)",
        (long long)load);
    enum tv_status status = tv_pg_copy_in(s->pg, sql, err);
    s->open = s->binary = status == TV_OK;
    s->rows = 0;
    return status == TV_OK ? tv_buffer_append(&s->out, header, sizeof header, err) : status;
}

/* --- items and tags: COPY's text format ------------------------------------------------------------------------- */

/* The columns stand in the order of tv_stage_begin_items. */
static enum tv_status put_item(void *context, const struct tv_item_row *row, struct tv_error *err)
{
    struct tv_stage *s = context;
    struct tv_buffer *out = &s->out;
    s->rows++;
    enum tv_status status = tv_copy_text_int(out, ++s->items, 0, err);
    if (status == TV_OK)
        status = tv_copy_text_text(out, s->kind, err);
    if (status == TV_OK)
        status = tv_copy_text_int(out, row->item, !row->has_item, err);
    if (status == TV_OK)
        status = tv_copy_text_text(out, row->title, err);
    if (status == TV_OK)
        status = tv_copy_text_int(out, row->year, row->year == 0, err);
    if (status == TV_OK)
        status = tv_copy_text_array(out, row->genres, row->n_genres, !row->has_genres, err);
    if (status == TV_OK)
        status = tv_copy_text_text(out, row->imdb_id, err);
    if (status == TV_OK)
        status = tv_copy_text_int(out, row->tmdb_id, row->tmdb_id == 0, err);
    if (status == TV_OK)
        status = tv_copy_text_text(out, row->extra, err);
    if (status == TV_OK)
        status = tv_copy_text_text(out, row->listed, err);
    if (status == TV_OK)
        status = tv_copy_text_end(out, err);
    return status == TV_OK && out->size >= BLOCK ? send(s, err) : status;
}

/* The columns stand in the order of tv_stage_begin_tags. */
static enum tv_status put_tag(void *context, const struct tv_tag_row *row, struct tv_error *err)
{
    struct tv_stage *s = context;
    s->rows++;
    tv_tally_add_tag_time(&s->tally, row->time);
    enum tv_status status = tv_copy_text_int(&s->out, row->user, 0, err);
    if (status == TV_OK)
        status = tv_copy_text_int(&s->out, row->item, 0, err);
    if (status == TV_OK)
        status = tv_copy_text_text(&s->out, row->tag, err);
    if (status == TV_OK)
        status = tv_copy_text_time(&s->out, row->time, err);
    if (status == TV_OK)
        status = tv_copy_text_end(&s->out, err);
    return status == TV_OK && s->out.size >= BLOCK ? send(s, err) : status;
}

/* Items and tags go into temporary tables of the data's connection, from where transaction 2 takes them (load.c). */
enum tv_status tv_stage_begin_items(struct tv_stage *s, const char *kind, struct tv_error *err)
{
    enum tv_status status =
        tv_pg_copy_in(s->pg,
                      "COPY pg_temp.load_item (seq, kind, item_id, title, year, genres, imdb_id, "
                      "tmdb_id, extra, listed_title) FROM STDIN",
                      err);
    s->open = status == TV_OK;
    s->rows = 0;
    s->kind = kind;
    return status;
}

enum tv_status tv_stage_begin_tags(struct tv_stage *s, struct tv_error *err)
{
    enum tv_status status =
        tv_pg_copy_in(s->pg, "COPY pg_temp.load_tag (user_id, item_id, tag, tagged_at) FROM STDIN", err);
    s->open = status == TV_OK;
    s->rows = 0;
    return status;
}

/* --- end -------------------------------------------------------------------------------------------------------- */

/* A binary COPY ends with a field count of -1. Whether all rows are in is known only from the answer to the end. */
enum tv_status tv_stage_end(struct tv_stage *s, struct tv_error *err)
{
    enum tv_status status =
        s->binary ? tv_buffer_append(&s->out, "\377\377", 2, err) : TV_OK; /* the trailer */
    if (status == TV_OK && s->out.size > 0)
        status = send(s, err);
    if (status != TV_OK)
        return status;
    s->open = s->binary = 0;
    return tv_pg_copy_end(s->pg, NULL, err);
}

/* Rows that were sent are gone with the COPY, and those that were not are forgotten. */
void tv_stage_abort(struct tv_stage *s)
{
    if (s->open)
        tv_pg_copy_abort(s->pg, "the load was given up");
    s->open = s->binary = 0;
    tv_buffer_clear(&s->out);
}

/* --- the other members of the sink ---------------------------------------------------------------------------- */

static enum tv_status number_code(void *context, enum tv_code_kind kind, const char *text, size_t n, int64_t *id,
                                  struct tv_error *err)
{
    struct tv_stage *s = context;
    return tv_codes_number(s->codes, kind, text, n, id, err);
}

static enum tv_status put_reject(void *context, const char *file, const struct tv_record *record,
                                 const struct tv_error *why, struct tv_error *err)
{
    struct tv_stage *s = context;
    return tv_rejects_add(s->rejects, file, record, why, err);
}

/* Readers call it every so often, so this is also where a signal ends them. */
static enum tv_status on_progress(void *context, double bytes, struct tv_error *err)
{
    struct tv_stage *s = context;
    if (tv_interrupted())
        return tv_fail(err, TV_ERR_INTERRUPTED, "interrupted");
    double rows = (double)s->rows;
    /* The rows to come are guessed from the bytes read: lines are about equally long. */
    s->progress.total = s->file_bytes > 0 && bytes > 0 ? rows * s->file_bytes / bytes : 0;
    tv_progress_update(&s->progress, rows);
    return TV_OK;
}

struct tv_sink tv_stage_sink(struct tv_stage *s)
{
    return (struct tv_sink){.context = s,
                            .rating = put_rating,
                            .item = put_item,
                            .tag = put_tag,
                            .code = number_code,
                            .reject = put_reject,
                            .progress = on_progress};
}
