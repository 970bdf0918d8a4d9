/* reader: a connection for SQL that people write: opened, checked, and cleaned of what such SQL leaves. */
#include "trivet/model/reader.h"

#include "trivet/store/pg_rows.h"

#include <stdio.h>
#include <string.h>

#define READ_ONLY "SET default_transaction_read_only = on"

/* The same hint for a login that is missing and for one that may do too much. */
static enum tv_status say_how(struct tv_error *err)
{
    return tv_hint(err,
                   "name a login that can only read with TRIVET_READER or --reader: trivet_page is one "
                   "(postgresql://trivet_page@HOST/DATABASE); psql -c \"CREATE ROLE ann LOGIN IN ROLE trivet_reader "
                   "PASSWORD '...'\" makes another");
}

static enum tv_status no_reader(struct tv_error *err)
{
    tv_fail(err, TV_ERR_USAGE,
            "SQL that people write runs only on a connection that logged in as a role that can only "
            "read, and none is given");
    return say_how(err);
}

/* The question is about the session's login, whatever role was put on. The statement has no operator and no name
 * without a schema, because the login's own search_path could lead these astray. */
static enum tv_status check_rights(struct tv_pg *pg, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(pg, "SELECT trivet.too_much_for_a_reader()", 0, NULL, &rows, err);
    if (status == TV_ERR_STORE)
        return tv_hint(err, "is the login a member of trivet_reader (GRANT trivet_reader TO ...), and the schema up to "
                            "date (trivet-etl schema)?");
    const char *too_much = status == TV_OK ? tv_pg_cell(rows, 0, 0) : NULL;
    if (too_much) {
        tv_fail(err, TV_ERR_USAGE, "SQL that people write may not run as this login: %s", too_much);
        status = say_how(err);
    }
    tv_pg_rows_free(rows);
    return status;
}

/* The rights are asked for before anything else runs on the connection. */
enum tv_status tv_reader_open(struct tv_pg **out, const char *uri, const char *name, int wait_seconds,
                              struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    *out = NULL;
    if (uri == NULL)
        return no_reader(err);
    enum tv_status status = tv_pg_open(&pg, uri, name, wait_seconds, err);
    if (status == TV_ERR_UNAVAILABLE)
        return tv_hint(err, "is it running, and is --reader (TRIVET_READER) right?");
    if (status == TV_OK)
        status = check_rights(pg, err);
    if (status == TV_OK)
        status = tv_pg_exec(pg, READ_ONLY, 0, NULL, err);
    if (status == TV_OK)
        *out = pg;
    else
        tv_pg_close(pg);
    return status;
}

enum tv_status tv_reader_schemas(char **out, struct tv_pg *reader, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(reader, "SELECT array_to_string(current_schemas(false), ' ')", 0, NULL, &rows, err);
    if (status == TV_OK && (*out = strdup(tv_pg_cell(rows, 0, 0))) == NULL)
        status = tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the names of schemas");
    tv_pg_rows_free(rows);
    return status;
}

/* SET LOCAL, so that the limit ends with the transaction; it holds for the wait for the lock, too. */
enum tv_status tv_reader_begin(struct tv_pg *reader, int statement_seconds, struct tv_error *err)
{
    char timeout[64];
    snprintf(timeout, sizeof timeout, "SET LOCAL statement_timeout = '%ds'", statement_seconds);
    enum tv_status status = tv_pg_exec(reader, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_exec(reader, timeout, 0, NULL, err);
    return status == TV_OK ? tv_pg_exec(reader, TV_HOLD_DATASET, 0, NULL, err) : status;
}

/* DISCARD ALL also takes back that transactions are read-only, so that is said again. */
enum tv_status tv_reader_end(struct tv_pg *reader, struct tv_error *err)
{
    static const char *const steps[] = {"ROLLBACK", "DISCARD ALL", READ_ONLY};
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == TV_OK; i++)
        status = tv_pg_exec(reader, steps[i], 0, NULL, err);
    return status;
}
