/* pg_copy: COPY into PostgreSQL and out of it, and the rows of its binary format (PostgreSQL's documentation of
 * COPY, "Binary Format"). A COPY is the way of all that comes in many rows: a load's ratings and a training's
 * evidence.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/pg_client.h"
#include "trivet/store/pg_copy.h"

enum tv_status tv_pg_copy_in(struct tv_pg *pg, const char *sql, struct tv_error *err)
{
    PGresult *result = tv_pg_run(pg, sql, 0, NULL);
    enum tv_status status = PQresultStatus(result) == PGRES_COPY_IN ? TV_OK : tv_pg_refused(pg, result, err);
    PQclear(result);
    return status;
}

/* Reads the results that follow a COPY until libpq has no more; the first failure wins. A result that says the COPY
 * is still under way would come again and again, because nobody waits for its rows any more. */
static enum tv_status drain(struct tv_pg *pg, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    PGresult *result;
    while (tv_pg_wait_result(pg) && (result = PQgetResult(pg->conn)) != NULL) {
        if (tv_pg_succeeded(result))
            pg->affected = atoll(PQcmdTuples(result));
        else if (status == TV_OK)
            status = tv_pg_refused(pg, result, err);
        int over = tv_pg_is_copy(result) || PQstatus(pg->conn) == CONNECTION_BAD;
        PQclear(result);
        if (over)
            break;
    }
    return status == TV_OK && (pg->late || PQstatus(pg->conn) == CONNECTION_BAD) ? tv_pg_lost(pg, err) : status;
}

/* Tells why a COPY takes no more: in the server's own words, if it had any. */
static enum tv_status stopped(struct tv_pg *pg, struct tv_error *err)
{
    enum tv_status status = drain(pg, err);
    return status != TV_OK ? status : tv_pg_lost(pg, err);
}

/* In pieces, because libpq takes an int. All is sent before the next piece: libpq would otherwise keep in memory what
 * the server does not take. */
enum tv_status tv_pg_copy_put(struct tv_pg *pg, const void *bytes, size_t n, struct tv_error *err)
{
    for (const char *p = bytes; n > 0;) {
        int piece = n > 1 << 20 ? 1 << 20 : (int)n;
        if (pg->late || PQputCopyData(pg->conn, p, piece) != 1 || !tv_pg_wait_sent(pg))
            return stopped(pg, err);
        p += piece;
        n -= (size_t)piece;
    }
    return TV_OK;
}

/* Only the server's answer to the end says that the rows are in, and how many. */
enum tv_status tv_pg_copy_end(struct tv_pg *pg, long long *rows, struct tv_error *err)
{
    if (pg->late || PQputCopyEnd(pg->conn, NULL) != 1)
        return tv_pg_lost(pg, err);
    enum tv_status status = drain(pg, err);
    if (rows)
        *rows = pg->affected;
    return status;
}

/* Ending a COPY with a reason makes the server fail it, so none of its rows stay. */
void tv_pg_copy_abort(struct tv_pg *pg, const char *reason)
{
    if (!pg->late && PQputCopyEnd(pg->conn, reason) == 1)
        tv_ignore(drain(pg, NULL), "it fails as was asked, with our reason");
}

/* Gives up a COPY that sends rows: has the server cancel it, and reads away the rows that are under way. Otherwise
 * these would be the answer to the next statement. */
static void skip_rows(struct tv_pg *pg)
{
    char *bytes = NULL;
    tv_pg_cancel(pg);
    while (tv_pg_wait_row(pg, &bytes) > 0)
        PQfreemem(bytes);
    tv_ignore(drain(pg, NULL), "it fails, because it was cancelled");
}

/* A failure of `take` is the one that is told, whatever the rest of the COPY does. */
enum tv_status tv_pg_copy_out(struct tv_pg *pg, const char *sql, tv_pg_take take, void *context, struct tv_error *err)
{
    PGresult *result = tv_pg_run(pg, sql, 0, NULL);
    enum tv_status status = PQresultStatus(result) == PGRES_COPY_OUT ? TV_OK : tv_pg_refused(pg, result, err);
    PQclear(result);
    if (status != TV_OK)
        return status;
    char *bytes = NULL;
    int n;
    while (status == TV_OK && (n = tv_pg_wait_row(pg, &bytes)) > 0) {
        status = take(context, bytes, (size_t)n, err);
        PQfreemem(bytes);
    }
    if (status == TV_OK)
        return n == -1 ? drain(pg, err) : tv_pg_refused(pg, NULL, err);
    skip_rows(pg);
    return status;
}

/* Numbers in the binary format are big-endian. */
static uint64_t read_be(const unsigned char *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* The signature, flags and the length of an extension, which are at the head of the first message: 0 where it is no
 * such header. */
static int skip_copy_header(const unsigned char **p, size_t *n)
{
    enum { HEADER = 19 };
    static const char signature[] = "PGCOPY\n\377\r\n"; /* and the NUL that ends the literal: 11 bytes */
    if (*n < HEADER || memcmp(*p, signature, sizeof signature) != 0)
        return 0;
    *p += HEADER;
    *n -= HEADER;
    return 1;
}

/* The fourth column: eight bytes, or a length of -1, which is null, and no bytes. */
static int read_fourth(double *value, const unsigned char *p, size_t n)
{
    *value = NAN;
    if (n == 4 && read_be(p, 4) == 0xFFFFFFFF)
        return 1;
    if (n != 12 || read_be(p, 4) != 8)
        return 0;
    uint64_t bits = read_be(p + 4, 8);
    memcpy(value, &bits, sizeof bits);
    return 1;
}

/* Takes one field of that width: 1, 0 if it is null, -1 if it is something else. */
static int take_field(const unsigned char **p, size_t *n, size_t width, uint64_t *value)
{
    uint32_t length = *n >= 4 ? (uint32_t)read_be(*p, 4) : 0;
    int is_null = length == UINT32_MAX;
    size_t size = 4 + (is_null ? 0 : width);
    if (*n < size || (!is_null && length != width))
        return -1;
    *value = is_null ? 0 : read_be(*p + 4, (int)width);
    *p += size;
    *n -= size;
    return !is_null;
}

/* A row has the number of its fields as int16, and of each field its length as int32 and its bytes. The trailer is
 * a number of fields of -1. */
int tv_pg_triple(const char *bytes, size_t n, int *first, struct tv_pg_triple *row)
{
    static const size_t widths[] = {8, 8, 4};
    const unsigned char *p = (const unsigned char *)bytes;
    uint64_t value[3] = {0};
    if (*first && !skip_copy_header(&p, &n))
        return -1;
    *first = 0;
    if (n == 0 || (n == 2 && read_be(p, 2) == 0xFFFF))
        return 0;
    uint64_t columns = n > 2 ? read_be(p, 2) : 0;
    if (columns != 3 && columns != 4)
        return -1;
    p += 2;
    n -= 2;
    row->nulls = 0;
    for (int i = 0; i < 3; i++) {
        int kind = take_field(&p, &n, widths[i], &value[i]);
        if (kind < 0)
            return -1;
        row->nulls |= (kind == 0) << i;
    }
    uint32_t bits = (uint32_t)value[2];
    row->a = (int64_t)value[0];
    row->b = (int64_t)value[1];
    memcpy(&row->c, &bits, sizeof bits);
    row->d = NAN;
    return columns == 3 ? (n == 0 ? 1 : -1) : read_fourth(&row->d, p, n) ? 1 : -1;
}
