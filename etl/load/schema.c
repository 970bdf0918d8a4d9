/* schema: applies sql/ in the order of the file names, each file in one transaction. A database that is in use goes on
 * meanwhile: a file whose locks somebody keeps from us is tried again.
 *
 * A database remembers a hash of the files it was given, so that functions which change without a new version of the
 * tables reach it, too. */
#include "etl/load/schema.h"

#include <inttypes.h>
#include <stdio.h>

#include "etl/load/signatures.h"
#include "trivet/base/buffer.h"
#include "trivet/base/embedded.h"
#include "trivet/base/hash.h"
#include "trivet/base/log.h"
#include "trivet/model/journal.h"
#include "trivet/model/patient.h"
#include "trivet/store/pg_rows.h"

extern const struct tv_embedded tv_sql[];

/* The version of the schema that the database has; 0 for a database without one. */
static enum tv_status found_version(struct tv_pg *pg, int64_t *version, struct tv_error *err)
{
    int64_t there = 0;
    *version = 0;
    enum tv_status status =
        tv_pg_int(pg, "SELECT (to_regclass('trivet.schema_version') IS NOT NULL)::int", 0, NULL, &there, err);
    if (status == TV_OK && there)
        status = tv_pg_int(pg, "SELECT coalesce(max(version), 0) FROM trivet.schema_version", 0, NULL,
                           version, err);
    return status;
}

/* The hash of all files' text, in their order. */
static void hash_files(char *out, size_t size)
{
    uint64_t hash = TV_HASH_START;
    for (const struct tv_embedded *file = tv_sql; file->name; file++)
        hash = tv_hash(hash, file->text, file->size);
    snprintf(out, size, "%016" PRIx64, hash);
}

/* *other is 1 if the database was given other files than this program has. The column `files` is read through to_jsonb,
 * because a table of an older schema has no such column yet, and naming it would be an error. */
static enum tv_status has_other_files(struct tv_pg *pg, int *other, struct tv_error *err)
{
    char hash[24];
    const char *value = hash;
    int64_t same = 0;
    hash_files(hash, sizeof hash);
    enum tv_status status = tv_pg_int(
        pg, "SELECT count(*) FROM trivet.schema_version v WHERE to_jsonb(v) ->> 'files' = $1", 1, &value, &same, err);
    *other = same == 0;
    return status;
}

/* Called last, so that a run that ends early applies everything again. */
static enum tv_status remember_files(struct tv_pg *pg, struct tv_error *err)
{
    char hash[24];
    const char *value = hash;
    hash_files(hash, sizeof hash);
    return tv_pg_exec(pg,
                      "UPDATE trivet.schema_version SET files = $1 "
                      "WHERE version = (SELECT max(version) FROM trivet.schema_version)",
                      1, &value, err);
}

/* The context of run_script, which may be called several times. */
struct script {
    struct tv_pg *pg;
    const char *text;
};

static enum tv_status run_script(void *context, struct tv_error *err)
{
    const struct script *s = context;
    return tv_pg_script(s->pg, s->text, err);
}

/* The file, and ahead of it, in the same transaction, what makes way for functions with other parameters. */
static enum tv_status apply_file(struct tv_pg *pg, const char *text, const struct tv_patience *patience, struct tv_error *err)
{
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 24);
    enum tv_status status = tv_signatures_make_way(&sql, pg, text, err);
    if (status == TV_OK)
        status = tv_buffer_text(&sql, text, err);
    struct script script = {.pg = pg, .text = tv_buffer_string(&sql)};
    if (status == TV_OK)
        status = tv_patiently(pg, patience, run_script, &script, err);
    tv_buffer_free(&sql);
    return status;
}

/* All files run, also those that did not change: each may run any number of times. Old functions are tidied up at
 * the end, when nothing of the new files can need them. */
static enum tv_status apply_files(struct tv_pg *pg, int lock_wait, struct tv_error *err)
{
    const struct tv_patience patience = {.what = "waiting to apply the schema", .readers = 1, .seconds = lock_wait};
    for (const struct tv_embedded *file = tv_sql; file->name; file++) {
        enum tv_status status = apply_file(pg, file->text, &patience, err);
        if (status == TV_ERR_STORE && err && err->hint[0] == '\0')
            tv_hint(err, "only the login that made the schema, or a superuser, brings it up to date: trivet-etl schema");
        if (status != TV_OK)
            return tv_context(err, "%s", file->name);
    }
    enum tv_status status = tv_signatures_tidy(pg, err);
    if (status != TV_OK)
        return status;
    tv_log_info("schema trivet: version %d applied", TV_SCHEMA_VERSION);
    return remember_files(pg, err);
}

/* The lock is the session's, and another one than that of loads and trainings, since the schema has to be there
 * before that one can be asked for. */
enum tv_status tv_schema_apply(struct tv_pg *pg, int always, int lock_wait, int *applied, struct tv_error *err)
{
    /* Two programs that find an empty database at the same time must not both fill it. */
    static const char lock[] = "SELECT pg_advisory_lock(hashtext('trivet schema'))";
    static const char unlock[] = "SELECT pg_advisory_unlock(hashtext('trivet schema'))";
    int64_t version;
    int other = 0;
    *applied = 0;
    enum tv_status status = tv_pg_exec(pg, lock, 0, NULL, err);
    if (status != TV_OK)
        return status;
    status = found_version(pg, &version, err);
    if (status == TV_OK && version > TV_SCHEMA_VERSION) {
        tv_fail(err, TV_ERR_STORE,
                "the schema trivet in this database has version %lld, this program knows %d",
                (long long)version, TV_SCHEMA_VERSION);
        status = tv_hint(err, "use the newer trivet, or another database");
    } else if (status == TV_OK && version > 0) {
        status = has_other_files(pg, &other, err);
    }
    if (status == TV_OK && (always || version < TV_SCHEMA_VERSION || other)) {
        status = apply_files(pg, lock_wait, err);
        *applied = status == TV_OK;
    }
    tv_ignore(tv_pg_exec(pg, unlock, 0, NULL, NULL), "it ends with the connection at the latest");
    return status;
}
