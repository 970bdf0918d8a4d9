/* import_codes: the dictionary that a model came with, codes.jsonl. Users get their codes from it, and this trivet's
 * own dictionary takes it in, so that ratings loaded later mean the same users and items. Where a code has another
 * number here, or a number another code, the model cannot live beside the data of this trivet, and is refused.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "train/travel/import.h"
#include "trivet/base/code.h"
#include "trivet/model/life/lock.h"
#include "trivet/store/pg_rows.h"

/* Users' codes stay in memory, sorted by id as they come, until the users' documents are written. */
static enum tv_status keep_user(struct tv_import_codes *codes, int64_t id, const char *code, struct tv_error *err)
{
    if (codes->n == codes->capacity) {
        size_t capacity = codes->capacity ? 2 * codes->capacity : 1024;
        struct tv_import_code *users = realloc(codes->users, capacity * sizeof *users);
        if (users == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for %zu codes", capacity);
        codes->users = users;
        codes->capacity = capacity;
    }
    char *copy = strdup(code);
    codes->users[codes->n] = (struct tv_import_code){id, copy};
    codes->n += copy != NULL;
    return copy ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a code");
}

/* One line, for example {"kind": "user", "id": 8000000000000000, "code": "f3a1"}: checked, kept if it is a user's,
 * and appended to the JSON array that goes to Postgres. An id outside the range of codes would take the place of an
 * integer id. */
static enum tv_status take_line(struct tv_import *im, const char *text, const json_t *line, struct tv_buffer *out,
                                struct tv_error *err)
{
    const char *kind = json_string_value(json_object_get(line, "kind")),
               *code = json_string_value(json_object_get(line, "code"));
    int64_t id = json_integer_value(json_object_get(line, "id"));
    struct tv_import_codes *codes = &im->codes;
    int is_user = kind && strcmp(kind, "user") == 0;
    if (kind == NULL || code == NULL || (!is_user && strcmp(kind, "item") != 0) || id < TV_CODE_FIRST ||
        id >= TV_CODE_END || tv_code_refusal(code, strlen(code)))
        return tv_fail(err, TV_ERR_INPUT, "is no code and its number");
    if (is_user && codes->n > 0 && id <= codes->users[codes->n - 1].id)
        return tv_fail(err, TV_ERR_INPUT, "has a user who does not come after the one before");
    enum tv_status status = is_user ? keep_user(codes, id, code, err) : TV_OK;
    return status == TV_OK ? tv_buffer_format(out, err, "%s%s", out->size ? "," : "[", text) : status;
}

/* What is wrong is said with the line's number. */
static enum tv_status take_text(void *context, const char *text, long long number, struct tv_buffer *out, struct tv_error *err)
{
    struct tv_import *im = context;
    json_t *line = json_loads(text, 0, NULL);
    enum tv_status status = take_line(im, text, line, out, err);
    json_decref(line);
    if (status == TV_ERR_INPUT)
        tv_context(err, "%s/" TV_FOLDER_CODES ", line %lld", im->dir, number);
    return status;
}

/* trivet.import_codes inserts what is new and returns the first contradiction, or null. */
static enum tv_status take_in(const struct tv_import *im, struct tv_pg *pg, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(pg, "SELECT trivet.import_codes($1)", 1, &im->dataset, &rows, err);
    if (status == TV_OK && tv_pg_cell(rows, 0, 0)) {
        status = tv_fail(err, TV_ERR_INPUT, "%s has ids that mean others in this trivet: %s", im->dir,
                         tv_pg_cell(rows, 0, 0));
        tv_hint(err, "import it into a trivet with a Postgres of its own");
    }
    tv_pg_rows_free(rows);
    return status;
}

/* All in one transaction, which is rolled back if there is a contradiction: the dictionary of the model's data set, which may be
 * away, takes in all codes or none. It is committed before the run begins; codes without ratings hurt nobody if the import fails later. A folder
 * without the file has no codes. */
enum tv_status tv_import_read_codes(struct tv_import *im, struct tv_error *err)
{
    const struct tv_import_lines codes = {.insert = "INSERT INTO pg_temp.import_code SELECT kind, id, code "
                                                    "FROM jsonb_to_recordset($1::jsonb) AS line (kind text, id bigint, code text)",
                                          .most = 1 << 20,
                                          .take = take_text,
                                          .context = im};
    char path[TV_FOLDER_PATH];
    struct tv_pg *pg = tv_lock_connection(im->stores.lock);
    FILE *in = fopen(tv_folder_file(path, im->dir, TV_FOLDER_CODES), "re");
    if (in == NULL)
        return errno == ENOENT ? TV_OK : tv_fail(err, TV_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    enum tv_status status = tv_pg_exec(pg, "BEGIN", 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_exec(pg, "CREATE TEMPORARY TABLE import_code (kind text, id bigint, code text) "
                                "ON COMMIT DROP", 0, NULL, err);
    if (status == TV_OK)
        status = tv_import_send_lines(&codes, in, pg, err);
    if (status == TV_OK)
        status = take_in(im, pg, err);
    enum tv_status ended =
        tv_pg_exec(pg, status == TV_OK ? "COMMIT" : "ROLLBACK", 0, NULL, status == TV_OK ? err : NULL);
    fclose(in);
    return status == TV_OK ? ended : status;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = ((const struct tv_import_code *)b)->id;
    return (x > y) - (x < y);
}

const char *tv_import_user_code(const struct tv_import *im, int64_t id)
{
    const struct tv_import_codes *codes = &im->codes;
    const struct tv_import_code *found =
        codes->n ? bsearch(&id, codes->users, codes->n, sizeof *codes->users, by_id) : NULL;
    return found ? found->code : NULL;
}

void tv_import_free_codes(struct tv_import *im)
{
    for (size_t i = 0; i < im->codes.n; i++)
        free(im->codes.users[i].code);
    free(im->codes.users);
}
