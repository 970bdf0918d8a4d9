/* rejects: refused lines, gathered and sent in batches. A load hands each one to tv_rejects_add through its sink
 * (stage.c); once there are more than --max-rejects of them, the load ends and is rolled back.
 */
#include "etl/load/rejects.h"

#include <stdio.h>
#include <string.h>

#include "etl/formats/encoding.h"
#include "etl/load/copy_text.h"
#include "trivet/base/text.h"
#include "trivet/store/pg_copy.h"

enum { FLUSH_BYTES = 256 * 1024 };

void tv_rejects_init(struct tv_rejects *r, struct tv_pg *pg, int64_t load, long long max)
{
    *r = (struct tv_rejects){.pg = pg, .load = load, .max = max, .batch = TV_BUFFER_INIT(4 * FLUSH_BYTES)};
}

void tv_rejects_free(struct tv_rejects *r)
{
    tv_buffer_free(&r->batch);
}

/* Keeps the first line of a reason, as much of it as there is room for. `shown` may be printed. */
static void keep_example(struct tv_rejects *r, const char *reason, const char *file, long long line, const char *shown)
{
    for (int i = 0; i < r->n_reasons; i++)
        if (r->reasons[i].n == 1 && strcmp(r->reasons[i].reason, reason) == 0) {
            char *out = r->reasons[i].example;
            size_t size = sizeof r->reasons[i].example;
            tv_text_mark_cut(out, size, snprintf(out, size, "%s line %lld: %s", file, line, shown));
        }
}

/* Counts a line under its reason. Readers give few reasons, always in the same words, so a search through all is quick;
 * one that finds no room counts in the sum alone. */
static void count(struct tv_rejects *r, const char *reason)
{
    int i = 0;
    while (i < r->n_reasons && strcmp(r->reasons[i].reason, reason) != 0)
        i++;
    if (i == r->n_reasons && i < TV_REJECTS_MAX_REASONS)
        tv_text_copy(r->reasons[r->n_reasons++].reason, sizeof r->reasons[0].reason, reason);
    if (i < TV_REJECTS_MAX_REASONS)
        r->reasons[i].n++;
    r->n++;
}

static int has_reason(const struct tv_rejects *r, const char *reason)
{
    for (int i = 0; i < r->n_reasons; i++)
        if (strcmp(r->reasons[i].reason, reason) == 0)
            return 1;
    return 0;
}

/* What can be done about some of the reasons, behind other advice or, without any, by itself. */
static const char *advice(const struct tv_rejects *r, char *out, size_t size)
{
    const char *ids = has_reason(r, "id is not an integer") ? "; --ids codes takes ids that are text" : "";
    const char *empty = has_reason(r, "empty rating") ? "; --unrated drop leaves lines without a rating out, --unrated plays takes every line as "
                                                        "one play" : "";
    snprintf(out, size, "%s%s", ids, empty);
    return out;
}

/* A row for trivet.reject, which is sent once there are many. */
static enum tv_status add_to_batch(struct tv_rejects *r, const char *file, long long line, const char *reason, const char *shown,
                                   struct tv_error *err)
{
    enum tv_status status = tv_copy_text_int(&r->batch, r->load, 0, err);
    if (status == TV_OK)
        status = tv_copy_text_text(&r->batch, file, err);
    if (status == TV_OK)
        status = tv_copy_text_int(&r->batch, line, 0, err);
    if (status == TV_OK)
        status = tv_copy_text_text(&r->batch, reason, err);
    if (status == TV_OK)
        status = tv_copy_text_text(&r->batch, shown, err);
    if (status == TV_OK)
        status = tv_copy_text_end(&r->batch, err);
    return status == TV_OK && r->batch.size >= FLUSH_BYTES ? tv_rejects_flush(r, err) : status;
}

/* There are too many. */
static enum tv_status refuse(const struct tv_rejects *r, struct tv_error *err)
{
    char text[64], where[96] = "", more[256];
    tv_fail(err, TV_ERR_INPUT, "more than %s refused; the first was %s", tv_text_count(text, r->max, "line"), r->first);
    if (r->pg)
        snprintf(where, sizeof where, "SELECT * FROM trivet.reject WHERE load_id = %lld shows them; ", (long long)r->load);
    return tv_hint(err, "%s--max-rejects allows more%s", where, advice(r, more, sizeof more));
}

enum tv_status tv_rejects_check_rows(const struct tv_rejects *r, long long rows, const char *file, struct tv_error *err)
{
    char lines[64], n[32], more[256], why[600] = "";
    size_t at = 0;
    if (rows > 0)
        return TV_OK;
    if (r->n == 0)
        return tv_fail(err, TV_ERR_INPUT, "%s holds no rating that can be read", file);
    for (int i = 0; i < r->n_reasons && at < sizeof why; i++)
        at += (size_t)snprintf(why + at, sizeof why - at, "%s%s x %s", i ? ", " : "", tv_text_number(n, r->reasons[i].n), r->reasons[i].reason);
    tv_text_mark_cut(why, sizeof why, (int)at);
    tv_fail(err, TV_ERR_INPUT, "%s holds no rating that can be read; %s refused: %s (%s)", file, tv_text_are(lines, r->n, "line"), why,
            r->reasons[0].example);
    advice(r, more, sizeof more);
    return tv_hint(err, "%s", *more ? more + strlen("; ") : "are these the right columns? --columns user=NAME,item=NAME,rating=NAME says which");
}

/* The line goes into the batch in a form that Postgres stores and a terminal may show, whatever bytes it has
 * (tv_encoding_printable). The first line is remembered for the message that ends a load. */
enum tv_status tv_rejects_add(struct tv_rejects *r, const char *file, const struct tv_record *record,
                              const struct tv_error *why, struct tv_error *err)
{
    struct tv_buffer shown = TV_BUFFER_INIT(4 * TV_REJECTS_RAW_BYTES + 16);
    count(r, why->message);
    if (r->n == 1)
        tv_text_mark_cut(r->first, sizeof r->first,
                         snprintf(r->first, sizeof r->first, "%s line %lld: %s", file, record->line, why->message));
    enum tv_status status = tv_encoding_printable(&shown, record->raw, record->raw_size, TV_REJECTS_RAW_BYTES, err);
    if (status == TV_OK) {
        keep_example(r, why->message, file, record->line, tv_buffer_string(&shown));
        if (r->pg)
            status = add_to_batch(r, file, record->line, why->message, tv_buffer_string(&shown), err);
    }
    tv_buffer_free(&shown);
    return status != TV_OK || r->n <= r->max ? status : refuse(r, err);
}

/* Each batch is a COPY of its own, which commits by itself. One that could not be sent is dropped and not sent again:
 * the load fails then, and lines that were sent before stay. */
enum tv_status tv_rejects_flush(struct tv_rejects *r, struct tv_error *err)
{
    if (r->batch.size == 0)
        return TV_OK;
    enum tv_status status =
        tv_pg_copy_in(r->pg, "COPY trivet.reject (load_id, file, line, reason, raw) FROM STDIN", err);
    if (status == TV_OK)
        status = tv_pg_copy_put(r->pg, r->batch.data, r->batch.size, err);
    if (status == TV_OK)
        status = tv_pg_copy_end(r->pg, NULL, err);
    tv_buffer_clear(&r->batch);
    return status;
}
