/* schema: applies sql/ in the order of the file names, each file in one transaction. A database that is in use goes on
 * meanwhile: a file whose locks somebody keeps from us is tried again.
 *
 * A database remembers a hash of the files it was given, so that functions which change without a new version of the
 * tables reach it, too. */
#include "trivet/schema/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/schema/signatures.h"
#include "trivet/base/buffer.h"
#include "trivet/base/embedded.h"
#include "trivet/base/hash.h"
#include "trivet/base/log.h"
#include "trivet/schema/patient.h"
#include "trivet/schema/version.h"
#include "trivet/store/pg_rows.h"

extern const struct tv_embedded tv_sql[];

/* The hash of this program's files, made once a run. */
struct files {
    char hash[24];
};

/* Of all files' text, in their order. */
static struct files hash_files(void)
{
    struct files files;
    uint64_t hash = TV_HASH_START;
    for (const struct tv_embedded *file = tv_sql; file->name; file++)
        hash = tv_hash(hash, file->text, file->size);
    snprintf(files.hash, sizeof files.hash, "%016" PRIx64, hash);
    return files;
}

/* 1 if the files that the database was given are others than this program's, or not all of them are through. */
static int has_other_files(const struct tv_schema_found *found, const struct files *files)
{
    return strcmp(found->files, files->hash) != 0;
}

/* Other files of the same version begin: until the last is through, the schema is not whole. A new version needs no such mark,
 * since its row comes without files; nor do the same files again, which change nothing for those who work with them. */
static enum tv_status mark_unfinished(struct tv_pg *pg, const struct tv_schema_found *found, const struct files *files,
                                      struct tv_error *err)
{
    if (found->version != TV_SCHEMA_VERSION || !has_other_files(found, files))
        return TV_OK;
    return tv_pg_exec(pg,
                      "UPDATE trivet.schema_version SET files = NULL "
                      "WHERE version = (SELECT max(version) FROM trivet.schema_version)",
                      0, NULL, err);
}

/* Called last, so that a run that ends early applies everything again. */
static enum tv_status remember_files(struct tv_pg *pg, const struct files *files, struct tv_error *err)
{
    const char *value = files->hash;
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

/* A refusal without a hint of its own is that of a right. */
static enum tv_status explain(enum tv_status status, struct tv_error *err)
{
    if (status == TV_ERR_STORE && err && err->hint[0] == '\0')
        return tv_hint(err, "only the login that made the schema, or a superuser, brings it up to date: trivet-etl schema");
    return status;
}

static enum tv_status run_files(struct tv_pg *pg, int lock_wait, struct tv_error *err)
{
    const struct tv_patience patience = {.what = "waiting to apply the schema", .readers = 1, .seconds = lock_wait};
    for (const struct tv_embedded *file = tv_sql; file->name; file++) {
        enum tv_status status = explain(apply_file(pg, file->text, &patience, err), err);
        if (status != TV_OK)
            return tv_context(err, "%s", file->name);
    }
    return TV_OK;
}

/* All files run, also those that did not change: each may run any number of times. Old functions are tidied up at
 * the end, when nothing of the new files can need them. */
static enum tv_status apply_files(struct tv_pg *pg, const struct tv_schema_found *found, const struct files *files, int lock_wait,
                                  struct tv_error *err)
{
    if (found->version > 0 && found->version < TV_SCHEMA_VERSION)
        tv_log_info("schema trivet: version %" PRId64 " is brought up to version %d", found->version, TV_SCHEMA_VERSION);
    enum tv_status status = explain(mark_unfinished(pg, found, files, err), err);
    if (status == TV_OK)
        status = run_files(pg, lock_wait, err);
    if (status == TV_OK)
        status = tv_signatures_tidy(pg, err);
    if (status == TV_OK)
        status = remember_files(pg, files, err);
    if (status == TV_OK)
        tv_log_info("schema trivet: version %d applied", TV_SCHEMA_VERSION);
    return status;
}

/* --- whether, and who --------------------------------------------------------------------------------------- */

/* The lock is the session's, and another one than that of loads and trainings, since the schema has to be there before that one
 * can be asked for. Two programs that find an empty database at the same time must not both fill it. */
static enum tv_status take_turn(struct tv_pg *pg, struct tv_error *err)
{
    int64_t got = 0;
    enum tv_status status = tv_pg_int(pg, "SELECT pg_try_advisory_lock(hashtext('trivet schema'))::int", 0, NULL, &got, err);
    if (status != TV_OK || got)
        return status;
    tv_log_info("waiting for another program that brings the schema up to date");
    return tv_pg_exec(pg, "SELECT pg_advisory_lock(hashtext('trivet schema'))", 0, NULL, err);
}

static void end_turn(struct tv_pg *pg)
{
    tv_ignore(tv_pg_exec(pg, "SELECT pg_advisory_unlock(hashtext('trivet schema'))", 0, NULL, NULL),
              "it ends with the connection at the latest");
}

enum tv_status tv_schema_apply(struct tv_pg *pg, int always, int lock_wait, struct tv_error *err)
{
    const struct files files = hash_files();
    struct tv_schema_found found;
    enum tv_status status = take_turn(pg, err);
    if (status != TV_OK)
        return status;
    status = tv_schema_look(pg, &found, err);
    if (status == TV_OK && found.kind == TV_SCHEMA_NEWER)
        status = tv_schema_judge(&found, err);
    else if (status == TV_OK && (always || found.kind != TV_SCHEMA_KNOWN || has_other_files(&found, &files)))
        status = apply_files(pg, &found, &files, lock_wait, err);
    end_turn(pg);
    return status;
}

/* 1 if the files can do their work in this session: it may write, which a standby's never does, and its login is a superuser
 * or one that owns the schema. What such a login lacks all the same, the files themselves are refused. */
static enum tv_status may_change(struct tv_pg *pg, int64_t *may, struct tv_error *err)
{
    static const char sql[] =
        "SELECT (current_setting('transaction_read_only') = 'off' AND (r.rolsuper OR pg_has_role(n.nspowner, 'MEMBER')))::int"
        " FROM pg_catalog.pg_roles r, pg_catalog.pg_namespace n WHERE r.rolname = current_user AND n.nspname = 'trivet'";
    return tv_pg_int(pg, sql, 0, NULL, may, err);
}

static int is_behind(const struct tv_schema_found *found)
{
    return found->kind == TV_SCHEMA_OLDER || found->kind == TV_SCHEMA_UNFINISHED;
}

/* Another program may be at it already. It is waited for also by a login that could not do it. */
static enum tv_status bring_up(struct tv_pg *pg, struct tv_schema_found *found, int lock_wait, struct tv_error *err)
{
    int64_t may = 0;
    enum tv_status status = take_turn(pg, err);
    if (status != TV_OK)
        return status;
    status = tv_schema_look(pg, found, err);
    if (status == TV_OK && is_behind(found))
        status = may_change(pg, &may, err);
    if (status == TV_OK && may) {
        const struct files files = hash_files();
        status = apply_files(pg, found, &files, lock_wait, err);
        if (status == TV_OK)
            status = tv_schema_look(pg, found, err);
    }
    end_turn(pg);
    return status;
}

enum tv_status tv_schema_ready(struct tv_pg *pg, int lock_wait, struct tv_error *err)
{
    struct tv_schema_found found;
    enum tv_status status = tv_schema_look(pg, &found, err);
    if (status == TV_OK && is_behind(&found))
        status = bring_up(pg, &found, lock_wait, err);
    return status == TV_OK ? tv_schema_judge(&found, err) : status;
}

enum tv_status tv_schema_open(struct tv_pg **out, const struct tv_settings *settings, const char *name, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    enum tv_status status =
        tv_pg_open(&pg, tv_settings_text(settings, "postgres"), name, (int)tv_settings_int(settings, "wait"), err);
    if (status == TV_OK)
        status = tv_schema_ready(pg, (int)tv_settings_int(settings, "lock-wait"), err);
    if (status == TV_OK)
        *out = pg;
    else
        tv_pg_close(pg);
    return status;
}
