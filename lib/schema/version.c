/* version: which schema a database has. A table is looked for before it is asked, because a statement about one that is not
 * there would be an error of the server's. */
#include "trivet/schema/version.h"

#include <stdlib.h>

#include "trivet/base/clock.h"
#include "trivet/base/text.h"
#include "trivet/store/pg_rows.h"

/* The column `files` is read through to_jsonb, because a table of an older schema may have no such column, and naming it would
 * be an error. A schema of the same version may have been made by hand, from some of the files: then trivet.hold_run may be
 * missing. */
static enum tv_status look_at_version(struct tv_pg *pg, int has_runs, struct tv_schema_found *found, struct tv_error *err)
{
    static const char sql[] = "SELECT v.version, coalesce(to_jsonb(v) ->> 'files', ''),"
                              " (to_regprocedure('trivet.hold_run(bigint)') IS NOT NULL)::int"
                              " FROM trivet.schema_version v ORDER BY v.version DESC LIMIT 1";
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(pg, sql, 0, NULL, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0) {
        int has_functions = tv_pg_cell(rows, 0, 2)[0] == '1';
        found->version = strtoll(tv_pg_cell(rows, 0, 0), NULL, 10);
        tv_text_copy(found->files, sizeof found->files, tv_pg_cell(rows, 0, 1));
        if (found->version > TV_SCHEMA_VERSION)
            found->kind = TV_SCHEMA_NEWER;
        else if (has_runs && found->version == TV_SCHEMA_VERSION && has_functions)
            found->kind = found->files[0] ? TV_SCHEMA_KNOWN : TV_SCHEMA_UNFINISHED;
        else if (has_runs)
            found->kind = TV_SCHEMA_OLDER;
    }
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_schema_look(struct tv_pg *pg, struct tv_schema_found *found, struct tv_error *err)
{
    static const char sql[] = "SELECT (to_regclass('trivet.schema_version') IS NOT NULL)::int,"
                              " (to_regclass('trivet.run') IS NOT NULL)::int";
    struct tv_pg_rows *rows = NULL;
    *found = (struct tv_schema_found){.kind = TV_SCHEMA_NONE};
    enum tv_status status = tv_pg_query(pg, sql, 0, NULL, &rows, err);
    if (status != TV_OK)
        return status;
    int has_version = tv_pg_cell(rows, 0, 0)[0] == '1', has_runs = tv_pg_cell(rows, 0, 1)[0] == '1';
    tv_pg_rows_free(rows);
    return has_version ? look_at_version(pg, has_runs, found, err) : TV_OK;
}

enum tv_status tv_schema_judge(const struct tv_schema_found *found, struct tv_error *err)
{
    static const char bring_up[] = "bring it up to date, as the login that made it or a superuser: trivet-etl schema";
    switch (found->kind) {
    case TV_SCHEMA_NONE:
        tv_fail(err, TV_ERR_INPUT, "this database has no schema trivet yet");
        return tv_hint(err, "load ratings first: trivet-etl load DIR");
    case TV_SCHEMA_OLDER:
        tv_fail(err, TV_ERR_STORE, "the schema trivet in this database is older than this program");
        return tv_hint(err, "%s", bring_up);
    case TV_SCHEMA_UNFINISHED:
        tv_fail(err, TV_ERR_STORE, "the schema trivet in this database is half-way to version %d", TV_SCHEMA_VERSION);
        return tv_hint(err, "%s", bring_up);
    case TV_SCHEMA_NEWER:
        tv_fail(err, TV_ERR_STORE, "the schema trivet in this database has version %lld, this program knows %d",
                (long long)found->version, TV_SCHEMA_VERSION);
        return tv_hint(err, "use the newer trivet, or another database");
    default:
        return TV_OK;
    }
}

enum tv_status tv_schema_check(struct tv_pg *pg, struct tv_error *err)
{
    struct tv_schema_found found;
    enum tv_status status = tv_schema_look(pg, &found, err);
    return status == TV_OK ? tv_schema_judge(&found, err) : status;
}

/* A look that found the schema newer is not remembered, so that the next connection is not used, either. */
enum tv_status tv_schema_look_again(struct tv_pg *pg, double *looked, struct tv_error *err)
{
    struct tv_schema_found found;
    double now = tv_clock();
    if (*looked > 0 && now - *looked < TV_SCHEMA_LOOK_SECONDS)
        return TV_OK;
    enum tv_status status = tv_schema_look(pg, &found, err);
    if (status == TV_OK && found.kind == TV_SCHEMA_NEWER)
        status = tv_schema_judge(&found, err);
    if (status == TV_OK)
        *looked = now;
    return status;
}
