/* export_codes: codes.jsonl, the dictionary of the users and items that have codes; no file where nobody has one. */
#include <inttypes.h>
#include <jansson.h>

#include "train/travel/export.h"

/* Lines of users come in ascending order of ids, because users are read in that order; import relies on it. */
enum tv_status tv_export_code(struct tv_export *e, const char *kind, int64_t id, const char *code, struct tv_error *err)
{
    enum tv_status status = e->codes ? TV_OK : tv_folder_open_text(&e->codes, &e->folder, TV_FOLDER_CODES, err);
    if (status != TV_OK)
        return status;
    json_t *line = json_pack("{s:s, s:I, s:s}", "kind", kind, "id", (json_int_t)id, "code", code);
    int failed = line == NULL || json_dumpf(line, e->codes, 0) != 0 || fputc('\n', e->codes) == EOF;
    json_decref(line);
    return failed ? tv_fail(err, TV_ERR_IO, "cannot write " TV_FOLDER_CODES) : TV_OK;
}

enum tv_status tv_export_close_codes(struct tv_export *e, struct tv_error *err)
{
    enum tv_status status = tv_folder_close_text(e->codes, TV_FOLDER_CODES, err);
    e->codes = NULL;
    return status;
}
