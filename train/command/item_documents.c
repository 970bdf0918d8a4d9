/* item_documents: what the database knows of items, as MongoDB keeps it: titles, genres, counts, and the fields that the
 * input had beside. fit writes them with its model, and similar with its index.
 */
#include "train/command/item_documents.h"

#include <stdio.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/named.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/store/mongo_write.h"
#include "trivet/store/pg_copy.h"
#include "trivet/store/pg_rows.h"

enum { LARGEST = 32 << 20 }; /* bytes of a document's text: MongoDB takes no more than 16 MB anyway */

/* Documents on their way into MongoDB. Their texts come from the input, so some may be what MongoDB cannot hold. */
struct listing {
    struct tv_mongo_bulk *bulk;
    const char *score_kind; /* or NULL */
    struct tv_buffer text;
    struct tv_buffer refused;     /* '{1,2,3': items whose documents MongoDB cannot hold */
    struct tv_named poorer, lost; /* those that are written without what the input had beside, and those not at all */
    int64_t n;
};

/* COPY's text format: a backslash escapes b, f, n, r, t, v and itself; the line feed at the end is not part of it. */
static enum tv_status unescape(struct tv_buffer *out, const char *bytes, size_t n, struct tv_error *err)
{
    static const char from[] = "bfnrtv\\", to[] = "\b\f\n\r\t\v\\";
    enum tv_status status = tv_buffer_reserve(out, n, err);
    for (size_t i = 0; status == TV_OK && i < n && bytes[i] != '\n'; i++) {
        char c = bytes[i];
        if (c == '\\' && i + 1 < n) {
            const char *escape = strchr(from, bytes[++i]);
            c = escape ? to[escape - from] : bytes[i];
        }
        status = tv_buffer_append(out, &c, 1, err);
    }
    return status;
}

/* Adds the document in l->text, with what a score is as its last member. */
static enum tv_status add_text(struct listing *l, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    if (l->score_kind && l->text.size > 0 && l->text.data[l->text.size - 1] == '}') {
        l->text.size--;
        status = tv_buffer_format(&l->text, err, ",\"score_kind\":\"%s\"}", l->score_kind);
    }
    return status == TV_OK ? tv_mongo_bulk_add_json(l->bulk, l->text.data, l->text.size, err) : status;
}

/* One document. TV_ERR_INPUT, with the reason in *err, is about this document alone: others may still be written. */
static enum tv_status add_document(struct listing *l, const char *bytes, size_t n, struct tv_error *err)
{
    if (n > LARGEST)
        return tv_fail(err, TV_ERR_INPUT, "its text has %zu bytes", n);
    tv_buffer_clear(&l->text);
    enum tv_status status = unescape(&l->text, bytes, n, err);
    return status == TV_OK ? add_text(l, err) : status;
}

/* A line of (item_id, document). A document that MongoDB cannot hold is noted for write_poorer and does not end the
 * COPY; any other failure does, and its error is the one that is told. */
static enum tv_status take_item(void *context, const char *bytes, size_t n, struct tv_error *err)
{
    struct listing *l = context;
    struct tv_error why = {0};
    if (tv_interrupted())
        return tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while writing items");
    size_t id = (size_t)((const char *)memchr(bytes, '\t', n) - bytes);
    enum tv_status status = add_document(l, bytes + id + 1, n - id - 1, &why);
    l->n++;
    if (status == TV_OK)
        return TV_OK;
    if (status != TV_ERR_INPUT) {
        *err = why;
        return status;
    }
    char name[24];
    snprintf(name, sizeof name, "%.*s", (int)id, bytes);
    tv_named_add(&l->poorer, name, why.message);
    return tv_buffer_format(&l->refused, err, "%s%s", l->refused.size ? "," : "{", name);
}

/* Writes the noted documents once more, without the fields of trivet.item.extra, which are the input's own and of
 * any size. An item that MongoDB cannot hold even so is left out and named. */
static enum tv_status write_poorer(struct tv_pg *pg, struct listing *l, struct tv_error *err)
{
    static const char sql[] = "SELECT item_id, core FROM trivet.item_document WHERE item_id = ANY ($1::bigint[])";
    struct tv_pg_rows *rows = NULL;
    if (l->poorer.n == 0)
        return TV_OK;
    enum tv_status status = tv_buffer_text(&l->refused, "}", err);
    const char *ids = tv_buffer_string(&l->refused);
    if (status == TV_OK)
        status = tv_pg_query(pg, sql, 1, &ids, &rows, err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++) {
        struct tv_error why = {0};
        const char *text = tv_pg_cell(rows, i, 1);
        tv_buffer_clear(&l->text);
        status = tv_buffer_text(&l->text, text, &why);
        if (status == TV_OK)
            status = add_text(l, &why);
        if (status == TV_ERR_INPUT) {
            tv_named_add(&l->lost, tv_pg_cell(rows, i, 0), why.message);
            status = TV_OK;
        } else if (status != TV_OK) {
            *err = why;
        }
    }
    tv_pg_rows_free(rows);
    return status;
}

/* One line in the log for each of the two kinds, if there were any. */
static void report_items(const struct listing *l)
{
    char n[64];
    if (l->poorer.n > 0)
        tv_log_info("%s published without extra fields, because MongoDB cannot hold them (item %s): %s",
                    tv_text_are(n, l->poorer.n, "item"), l->poorer.names, l->poorer.why);
    if (l->lost.n > 0)
        tv_log_info("%s not published, because MongoDB cannot hold even what they are called (item %s): %s",
                    tv_text_are(n, l->lost.n, "item"), l->lost.names, l->lost.why);
}

enum tv_status tv_item_documents_write(struct tv_mongo *mongo, const char *collection, const char *score_kind, struct tv_pg *pg,
                                       int64_t *n, struct tv_error *err)
{
    struct listing l = {.score_kind = score_kind,
                        .text = TV_BUFFER_INIT(LARGEST + 64),
                        .refused = TV_BUFFER_INIT(1 << 26)};
    enum tv_status status = tv_mongo_bulk_begin(&l.bulk, mongo, collection, err);
    if (status == TV_OK)
        status = tv_pg_copy_out(pg, "COPY (SELECT item_id, document FROM trivet.item_document) TO STDOUT", take_item, &l, err);
    if (status == TV_OK)
        status = write_poorer(pg, &l, err);
    enum tv_status ended = tv_mongo_bulk_end(l.bulk, status == TV_OK ? err : NULL);
    if (status == TV_OK)
        report_items(&l);
    tv_buffer_free(&l.text);
    tv_buffer_free(&l.refused);
    *n = l.n;
    return status == TV_OK ? ended : status;
}
