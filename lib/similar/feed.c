/* feed: works off trivet.similar_event: asks Postgres which of the pairs are there now, and changes the index
 * accordingly. A thread of trivet-serve and `trivet-train similar` call it, each with a feed of its own.
 */
#include "trivet/similar/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/text.h"
#include "trivet/base/log.h"
#include "trivet/model/reader.h"
#include "trivet/schema/version.h"
#include "trivet/similar/settle.h"
#include "trivet/store/pg.h"
#include "trivet/store/pg_rows.h"

enum { REDIS_MS = 10000, MAX_SQL = 1 << 18, END_GONE_SECONDS = 30 };

/* A feed belongs to one thread. Its connections are opened when needed and closed after any error that may be
 * theirs. */
struct tv_similar_feed {
    char *postgres_uri, *reader_uri; /* the reader's may be NULL */
    int statement_seconds;
    struct tv_pg *pg; /* NULL between connections; holds the lock once `holds` */
    int holds;
    double looked; /* at the schema, by tv_schema_look_again */
    struct tv_pg *reader; /* NULL until SQL of an analyst's own is to be run */
    struct tv_similar *index;
    int64_t version; /* whose row source this is, 0: none */
    char *source;
    int own_source;        /* it is an analyst's, and only a reader runs it */
    int64_t dataset;       /* that the index is of; its events are for the rows of that one alone */
    int64_t known_changes; /* of the index, as noted in Postgres */
    int64_t followed;      /* the last index that this feed knows from Redis, 0: none */
    double end_gone_at;    /* when to look for indices that are over, by tv_clock */
};

enum tv_status tv_similar_feed_open(struct tv_similar_feed **out, const char *postgres_uri, const char *reader_uri,
                                    const char *redis_uri, int statement_seconds, struct tv_error *err)
{
    struct tv_similar_feed *f = tv_alloc(1, sizeof *f, "a feed of similar items", err);
    if (f == NULL)
        return TV_ERR_NO_MEMORY;
    f->statement_seconds = statement_seconds;
    f->postgres_uri = strdup(postgres_uri);
    f->reader_uri = reader_uri ? strdup(reader_uri) : NULL;
    enum tv_status status = f->postgres_uri && (f->reader_uri || !reader_uri)
                                ? TV_OK
                                : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a feed of similar items");
    if (status == TV_OK)
        status = tv_similar_open(&f->index, redis_uri, REDIS_MS, err);
    if (status == TV_OK)
        *out = f;
    else
        tv_similar_feed_close(f);
    return status;
}

/* The lock goes with the connection, so another process may take over; the row source is read anew afterwards. */
static void disconnect(struct tv_similar_feed *f)
{
    tv_pg_close(f->pg);
    tv_pg_close(f->reader);
    f->pg = f->reader = NULL;
    f->holds = 0;
    f->version = 0;
}

void tv_similar_feed_close(struct tv_similar_feed *f)
{
    if (f == NULL)
        return;
    disconnect(f);
    tv_similar_close(f->index);
    free(f->postgres_uri);
    free(f->reader_uri);
    free(f->source);
    free(f);
}

/* --- the lock, and what the index is made of ------------------------------------------------------------------ */

/* PostgreSQL keeps to its statement_timeout; the client only has to notice when the server hangs. */
static void limit_waits(const struct tv_similar_feed *f, struct tv_pg *pg)
{
    if (f->statement_seconds > 0)
        tv_pg_set_patience(pg, f->statement_seconds + TV_PG_ANSWERS);
}

/* To a schema that this program works with. */
static enum tv_status connect_to(struct tv_similar_feed *f, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    enum tv_status status = tv_pg_open(&pg, f->postgres_uri, "trivet-similar", 0, err);
    if (status != TV_OK)
        return status;
    limit_waits(f, pg);
    status = tv_schema_check(pg, err);
    if (status == TV_OK)
        f->pg = pg;
    else
        tv_pg_close(pg);
    return status;
}

/* A lock that is taken stays with the connection, and is not asked for again. The caller closes the connection after a failure. */
static enum tv_status take_lock(struct tv_similar_feed *f, struct tv_error *err)
{
    int64_t got = 0;
    enum tv_status status = f->pg ? tv_schema_look_again(f->pg, &f->looked, err) : connect_to(f, err);
    if (status == TV_OK && !f->holds)
        status = tv_pg_int(f->pg, "SELECT pg_try_advisory_lock(trivet.similar_lock_key())::int", 0, NULL, &got, err);
    f->holds |= (int)got;
    return status;
}

/* Reads what the index is made of, as its build noted it. `building` and `kept` are accepted as well:
 * between the switch in Redis and the journal's word the index serves already. */
static enum tv_status read_source(struct tv_similar_feed *f, int64_t version, struct tv_error *err)
{
    char number[24];
    const char *const values[] = {number};
    struct tv_pg_rows *rows = NULL;
    snprintf(number, sizeof number, "%" PRId64, version);
    enum tv_status status = tv_pg_query(f->pg,
                                        "SELECT source, changes, own_source, dataset FROM trivet.similar_index "
                                        "WHERE id = $1 AND state IN ('building', 'live', 'kept') AND dataset IS NOT NULL",
                                        1, values, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) == 0) { /* or it was lost, and its events have gone, or nobody knows of what it is */
        tv_fail(err, TV_ERR_STORE, "Redis serves index %s of similar items, which this database does not follow",
                number);
        status = tv_hint(err, "build one from it: trivet-train similar");
    }
    if (status == TV_OK) {
        free(f->source);
        f->source = strdup(tv_pg_cell(rows, 0, 0));
        f->known_changes = strtoll(tv_pg_cell(rows, 0, 1), NULL, 10);
        f->own_source = tv_pg_cell(rows, 0, 2)[0] == 't';
        f->dataset = strtoll(tv_pg_cell(rows, 0, 3), NULL, 10);
        f->version = f->followed = f->source ? version : 0;
        status = f->source ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a source");
    }
    tv_pg_rows_free(rows);
    return status;
}

/* Redis came back as it was some time ago, with a smaller count of changes than Postgres remembers. Applied events
 * stay in Postgres for ten minutes, and those that Redis may have forgotten are made to wait again. */
static enum tv_status start_again(struct tv_similar_feed *f, int64_t changes, struct tv_error *err)
{
    char version[24], count[24];
    const char *const values[] = {version, count};
    int64_t waiting;
    snprintf(version, sizeof version, "%" PRId64, f->version);
    snprintf(count, sizeof count, "%" PRId64, changes);
    enum tv_status status = tv_pg_int(f->pg, "SELECT trivet.similar_again($1, $2)", 2, values, &waiting, err);
    if (status == TV_OK) {
        tv_log_info("Redis has lost changes of similar items (%" PRId64 " of %" PRId64 "): applying %" PRId64
                    " events again",
                    f->known_changes - changes, f->known_changes, waiting);
        f->known_changes = changes;
    }
    return status;
}

/* --- a batch of events ---------------------------------------------------------------------------------------- */

/* The events of one item, as hashes of their users: those whose pair is there now, and those whose is not. */
struct item_events {
    int64_t item;
    uint32_t *present, *absent;
    size_t n_present, n_absent;
    int whole; /* its audience has to be read */
};

/* The events of one step. */
struct batch {
    struct tv_buffer ids; /* "{1,2,3}": the events */
    int64_t n;
    uint32_t *hashes; /* (2 n) lent to the items */
    struct item_events *items;
    size_t n_items;
    int64_t version, changes; /* of the index, from before the audiences are read */
};

static void free_batch(struct batch *b)
{
    tv_buffer_free(&b->ids);
    free(b->hashes);
    free(b->items);
}

/* The connection on which the row source is asked: SQL of an analyst's own on a login that can only read, trivet's own
 * on the feed's. Either way the events are read in the same statement, so that both are of one moment. */
static struct tv_pg *asked(const struct tv_similar_feed *f)
{
    return f->own_source ? f->reader : f->pg;
}

/* Opens a transaction that can only read; for an analyst's SQL also the login, when it is first needed. */
static enum tv_status begin_reading(struct tv_similar_feed *f, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    if (f->own_source && f->reader == NULL)
        status = tv_reader_open(&f->reader, f->reader_uri, "trivet-similar", 0, err);
    if (status == TV_OK && f->own_source)
        limit_waits(f, f->reader);
    return status == TV_OK ? tv_reader_begin(asked(f), f->statement_seconds, err) : status;
}

/* A reader's session is cleaned of what the SQL may have left in it; the feed's own is kept as it is, because it
 * holds the lock. */
static enum tv_status end_reading(struct tv_similar_feed *f, struct tv_error *err)
{
    if (asked(f) == NULL)
        return TV_OK;
    return f->own_source ? tv_reader_end(f->reader, err) : tv_pg_exec(f->pg, "COMMIT", 0, NULL, err);
}

/* SQL of an analyst's own is put into the statement as text, and could end it with its brackets; then the rows are
 * whatever it likes. A null anywhere would be taken for a text below. */
static enum tv_status check_rows(const struct tv_pg_rows *rows, struct tv_error *err)
{
    for (int r = 0; r < tv_pg_rows_count(rows); r++)
        for (int c = 0; c < tv_pg_columns_count(rows); c++)
            if (tv_pg_cell(rows, r, c) == NULL)
                return tv_fail(err, TV_ERR_STORE, "the source of similar items does not give rows of (user, item)");
    return TV_OK;
}

/* Runs a statement with the index's row source in the place of the word SOURCE, which stands in `format` once. The
 * buffer bounds the length of the row source. */
static enum tv_status query_source(struct tv_similar_feed *f, const char *format, const char *value,
                                   struct tv_pg_rows **rows, struct tv_error *err)
{
    const char *const values[] = {value};
    struct tv_buffer sql = TV_BUFFER_INIT(MAX_SQL);
    const char *place = strstr(format, "SOURCE");
    enum tv_status status = tv_buffer_append(&sql, format, (size_t)(place - format), err);
    if (status == TV_OK)
        status = tv_buffer_format(&sql, err, "%s%s", f->source, place + strlen("SOURCE"));
    if (status == TV_OK)
        status = tv_pg_query(asked(f), tv_buffer_string(&sql), 1, values, rows, err);
    tv_buffer_free(&sql);
    return status == TV_OK ? check_rows(*rows, err) : status;
}

/* One more element of an array as Postgres writes it; the closing bracket is the caller's. */
static enum tv_status append_id(struct tv_buffer *ids, const char *id, struct tv_error *err)
{
    return tv_buffer_format(ids, err, "%s%s", ids->size ? "," : "{", id);
}

/* Makes a batch of rows (event, item, element, whether the pair is there), which come by item. The hashes of an item
 * are written from its first row on, in a half for those present and one for those absent, so an item never needs
 * more room than it has rows. */
static enum tv_status gather(struct batch *b, const struct tv_pg_rows *rows, struct tv_error *err)
{
    int n = tv_pg_rows_count(rows);
    enum tv_status status = TV_OK;
    b->hashes = tv_alloc(2 * (size_t)n, sizeof *b->hashes, "events", err);
    b->items = tv_alloc((size_t)n, sizeof *b->items, "events", err);
    if (!b->hashes || !b->items)
        return TV_ERR_NO_MEMORY;
    for (int r = 0; r < n && status == TV_OK; r++) {
        int64_t item = strtoll(tv_pg_cell(rows, r, 1), NULL, 10);
        const char *element = tv_pg_cell(rows, r, 2);
        if (b->n_items == 0 || b->items[b->n_items - 1].item != item)
            b->items[b->n_items++] =
                (struct item_events){.item = item, .present = b->hashes + r, .absent = b->hashes + n + r};
        struct item_events *e = &b->items[b->n_items - 1];
        uint32_t hash = tv_minhash_hash(element, strlen(element));
        if (strcmp(tv_pg_cell(rows, r, 3), "t") == 0)
            e->present[e->n_present++] = hash;
        else
            e->absent[e->n_absent++] = hash;
        status = append_id(&b->ids, tv_pg_cell(rows, r, 0), err);
    }
    b->n = n;
    return status == TV_OK ? tv_buffer_text(&b->ids, "}", err) : status;
}

/* The oldest events, each with whether its pair is among the row source's rows now. A user's element is the code where
 * the user has one, as at the build. While another data set is loaded there are none: its rows would look as if all
 * pairs had gone. */
static enum tv_status read_events(struct tv_similar_feed *f, struct batch *b, int most, struct tv_error *err)
{
    char limits[64];
    struct tv_pg_rows *rows = NULL;
    snprintf(limits, sizeof limits, "{%" PRId64 ",%d,%" PRId64 "}", f->version, most, f->dataset);
    enum tv_status status = query_source(
        f,
        "SELECT e.id, e.item_id, coalesce(c.code, e.user_id::text),"
        " EXISTS (SELECT FROM (SELECT userid, movieid FROM SOURCE) s WHERE s.userid = e.user_id AND s.movieid = "
        "e.item_id)"
        " FROM (SELECT * FROM trivet.similar_event WHERE index_id = ($1::bigint[])[1] AND applied_at IS NULL"
        " AND trivet.current_dataset() = ($1::bigint[])[3] ORDER BY id LIMIT ($1::bigint[])[2]) e"
        " LEFT JOIN trivet.code c ON c.kind = 'user' AND c.id = e.user_id ORDER BY e.item_id, e.id",
        limits, &rows, err);
    if (status == TV_OK)
        status = gather(b, rows, err);
    tv_pg_rows_free(rows);
    return status;
}

/* --- items somebody left ---------------------------------------------------------------------------------------- */

/* Finds the items that lose a witness: only their audiences have to be read, because any other user who left
 * changes no value. "{7,9}" in wanted, empty for none. */
static enum tv_status find_losses(struct tv_similar_feed *f, struct batch *b, struct tv_buffer *wanted,
                                  struct tv_error *err)
{
    enum tv_status status = TV_OK;
    char item[24];
    for (size_t i = 0; i < b->n_items && status == TV_OK; i++) {
        struct item_events *e = &b->items[i];
        if (e->n_absent > 0)
            status = tv_similar_holds(f->index, e->item, e->absent, e->n_absent, &e->whole, err);
        snprintf(item, sizeof item, "%" PRId64, e->item);
        if (status == TV_OK && e->whole)
            status = append_id(wanted, item, err);
    }
    return status == TV_OK && wanted->size ? tv_buffer_text(wanted, "}", err) : status;
}

/* Makes an item's audience that of its rows (item, element); *next walks over the rows of all items, which come in
 * the same order. No rows: the item goes out of the index. */
static enum tv_status replace_one(struct tv_similar_feed *f, struct batch *b, const struct item_events *e,
                                  const struct tv_pg_rows *rows, int *next, struct tv_error *err)
{
    int first = *next, n = tv_pg_rows_count(rows);
    while (*next < n && strtoll(tv_pg_cell(rows, *next, 0), NULL, 10) == e->item)
        ++*next;
    uint32_t *hashes = tv_alloc((size_t)(*next - first), sizeof *hashes, "an audience", err);
    if (hashes == NULL)
        return TV_ERR_NO_MEMORY;
    for (int r = first; r < *next; r++)
        hashes[r - first] = tv_minhash_hash(tv_pg_cell(rows, r, 1), strlen(tv_pg_cell(rows, r, 1)));
    enum tv_status status =
        tv_similar_replace(f->index, e->item, hashes, (size_t)(*next - first), b->version, &b->changes, err);
    free(hashes);
    return status;
}

/* One pass over the row source for all items of the batch that lost a witness. */
static enum tv_status replace_audiences(struct tv_similar_feed *f, struct batch *b, const char *wanted,
                                        struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    int next = 0;
    struct tv_buffer sql = TV_BUFFER_INIT(4096);
    enum tv_status status =
        tv_buffer_format(&sql, err,
                         "SELECT s.movieid, coalesce(c.code, s.userid::text)"
                         " FROM (SELECT DISTINCT r.movieid, r.userid FROM (SELECT userid, movieid FROM SOURCE) r"
                         " WHERE r.movieid = ANY ($1::bigint[]) AND r.userid IS NOT NULL AND trivet.check_dataset(%" PRId64 ")) s"
                         " LEFT JOIN trivet.code c ON c.kind = 'user' AND c.id = s.userid ORDER BY s.movieid",
                         f->dataset);
    if (status == TV_OK)
        status = query_source(f, tv_buffer_string(&sql), wanted, &rows, err);
    tv_buffer_free(&sql);
    for (size_t i = 0; i < b->n_items && status == TV_OK; i++) /* both are in the order of items */
        if (b->items[i].whole)
            status = replace_one(f, b, &b->items[i], rows, &next, err);
    tv_pg_rows_free(rows);
    return status;
}

/* --- a step ----------------------------------------------------------------------------------------------------- */

/* Losses come before additions, because tv_similar_replace relies on the count of changes from before the audiences
 * were read. An item whose audience was read has its additions in it. */
static enum tv_status apply(struct tv_similar_feed *f, struct batch *b, struct tv_error *err)
{
    struct tv_buffer wanted = TV_BUFFER_INIT(1 << 20);
    enum tv_status status = find_losses(f, b, &wanted, err);
    if (status == TV_OK && wanted.size > 0)
        status = replace_audiences(f, b, tv_buffer_string(&wanted), err);
    tv_buffer_free(&wanted);
    for (size_t i = 0; i < b->n_items && status == TV_OK; i++) {
        const struct item_events *e = &b->items[i];
        if (e->n_present > 0 && !e->whole)
            status = tv_similar_add(f->index, e->item, e->present, e->n_present, NULL, err);
    }
    return status;
}

/* Notes the events as applied, and how many changes the index has now. Only if the index is still the one that the
 * events are of: it may have been switched on the way, and then the new one needs them. */
static enum tv_status note_applied(struct tv_similar_feed *f, struct batch *b, struct tv_error *err)
{
    char version[24], changes[24];
    const char *const values[] = {version, tv_buffer_string(&b->ids), changes};
    int64_t live = 0, count = 0;
    enum tv_status status = tv_similar_look(f->index, &live, &count, err);
    if (status == TV_OK && live != b->version)
        return tv_fail(err, TV_ERR_BUSY, "another index of similar items went live meanwhile");
    snprintf(version, sizeof version, "%" PRId64, b->version);
    snprintf(changes, sizeof changes, "%" PRId64, count);
    if (status == TV_OK)
        status = tv_pg_exec(f->pg, "SELECT trivet.similar_applied($1, $2, $3)", 3, values, err);
    if (status == TV_OK)
        f->known_changes = count;
    return status;
}

/* One batch from beginning to end. Redis has the changes before Postgres notes the events as applied, so a kill in
 * between applies them twice, which changes nothing. */
static enum tv_status work_off(struct tv_similar_feed *f, int most, int64_t *applied, struct tv_error *err)
{
    struct batch b = {.ids = TV_BUFFER_INIT(1 << 24)};
    enum tv_status status = tv_similar_look(f->index, &b.version, &b.changes, err);
    if (status == TV_OK && f->version != b.version)
        status = read_source(f, b.version, err);
    if (status == TV_OK && b.changes < f->known_changes)
        status = start_again(f, b.changes, err);
    if (status == TV_OK)
        status = begin_reading(f, err);
    if (status == TV_OK)
        status = read_events(f, &b, most, err);
    if (status == TV_OK && b.n > 0)
        status = apply(f, &b, err);
    enum tv_status ended = end_reading(f, status == TV_OK ? err : NULL);
    if (status == TV_OK)
        status = ended;
    if (status == TV_OK && b.n > 0)
        status = note_applied(f, &b, err);
    *applied = status == TV_OK ? b.n : 0;
    free_batch(&b);
    return status;
}

/* Every 30 seconds, also where no index is live, because an index whose process was killed gathers events all the
 * same. */
static enum tv_status end_gone(struct tv_similar_feed *f, struct tv_error *err)
{
    if (tv_clock() < f->end_gone_at)
        return TV_OK;
    f->end_gone_at = tv_clock() + END_GONE_SECONDS;
    f->version = 0; /* others may have ended ours, so it is looked up again */
    enum tv_status status = take_lock(f, err);
    return status == TV_OK && f->holds ? tv_similar_end_gone(f->pg, f->index, f->followed, err) : status;
}

/* Redis is asked first: where no index is live, Postgres is left alone but for end_gone. An index that was there and
 * is gone is looked after at once. */
enum tv_status tv_similar_feed_step(struct tv_similar_feed *f, int most, int64_t *applied, int *elsewhere,
                                    struct tv_error *err)
{
    int64_t live;
    *applied = *elsewhere = 0;
    enum tv_status status = tv_similar_look(f->index, &live, NULL, err), ended = TV_OK;
    if (status == TV_ERR_NOT_FOUND && f->version > 0)
        f->end_gone_at = 0; /* it was there */
    if (status == TV_OK || status == TV_ERR_NOT_FOUND)
        ended = end_gone(f, status == TV_OK ? err : NULL);
    if (status == TV_OK)
        status = ended;
    if (status == TV_OK)
        status = take_lock(f, err);
    *elsewhere = status == TV_OK && !f->holds;
    if (status == TV_OK && f->holds)
        status = work_off(f, most, applied, err);
    if (status == TV_ERR_UNAVAILABLE || status == TV_ERR_STORE || status == TV_ERR_INPUT || ended != TV_OK)
        disconnect(f);
    return status;
}

static void take_text(char *out, size_t size, const struct tv_pg_rows *rows, int column)
{
    const char *text = tv_pg_cell(rows, 0, column);
    tv_text_mark_cut(out, size, snprintf(out, size, "%s", text ? text : ""));
}

static void take_made(struct tv_similar_made *out, const struct tv_pg_rows *rows)
{
    const char *dataset = tv_pg_cell(rows, 0, 6), *forgets = tv_pg_cell(rows, 0, 7);
    take_text(out->notice, sizeof out->notice, rows, 0);
    take_text(out->data, sizeof out->data, rows, 1);
    take_text(out->source, sizeof out->source, rows, 2);
    out->own = tv_pg_cell(rows, 0, 3)[0] == 't';
    take_text(out->min_rating, sizeof out->min_rating, rows, 4);
    take_text(out->since, sizeof out->since, rows, 5);
    out->dataset = dataset ? strtoll(dataset, NULL, 10) : 0;
    out->forgets = forgets ? strtoll(forgets, NULL, 10) : 0;
}

/* The conditions are read out of the one form that a source has which is no SQL of an analyst's own (similar_index_source_check). */
int tv_similar_feed_made(struct tv_similar_feed *f, int64_t version, struct tv_similar_made *out)
{
    static const char of_index[] =
        "SELECT trivet.similar_data(i.id), d.name, i.source, i.own_source, "
        "CASE WHEN NOT i.own_source THEN substring(i.source FROM 'min_rating => ''([^'']*)''') END, "
        "CASE WHEN NOT i.own_source THEN substring(i.source FROM 'rated_since => ''([^'']*)''') END, i.dataset, d.forgets "
        "FROM trivet.similar_index i LEFT JOIN trivet.dataset d ON d.id = i.dataset WHERE i.id = $1";
    static const char of_none[] = "SELECT trivet.similar_none(), NULL, NULL, 'f', NULL, NULL, NULL, NULL";
    char number[24];
    const char *value = number;
    struct tv_pg_rows *rows = NULL;
    snprintf(number, sizeof number, "%" PRId64, version);
    *out = (struct tv_similar_made){0};
    if (f->pg == NULL || tv_pg_query(f->pg, version ? of_index : of_none, version ? 1 : 0, &value, &rows, NULL) != TV_OK)
        return 0;
    if (tv_pg_rows_count(rows) > 0)
        take_made(out, rows);
    tv_pg_rows_free(rows);
    return 1;
}
