/* findings: how a check tells what it did, what it could not do and what it saw, and the lists of documents that it
 * found to be wrong. The counts become the exit code of `trivet-train repair`, so a check tells through these
 * functions alone.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/repair/inside.h"
#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/model/journal.h"
#include "trivet/store/mongo_write.h"

enum { LINE = 1024 };

void tv_repair_tell(struct tv_repair *r, enum tv_repair_finding kind, const char *format, ...)
{
    char line[LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (kind == TV_REPAIR_SEEN) {
        if (r->report)
            r->report->say(r->report->context, line);
        return;
    }
    *(kind == TV_REPAIR_DONE ? &r->changes : &r->problems) += 1;
    tv_log(kind == TV_REPAIR_DONE ? TV_LOG_INFO : TV_LOG_ERROR, "repair: %s", line);
}

/* Both arrays are grown one after the other, and a failure of the second leaves the first larger than `capacity`
 * says: harmless, and freed with it. */
enum tv_status tv_repair_keep(struct tv_repair_ids *list, int64_t id, int64_t rev, struct tv_error *err)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 256;
        int64_t *ids = realloc(list->ids, capacity * sizeof *ids);
        list->ids = ids ? ids : list->ids;
        int64_t *revs = ids ? realloc(list->revs, capacity * sizeof *revs) : NULL;
        list->revs = revs ? revs : list->revs;
        if (revs == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for %zu documents that are to be mended", capacity);
        list->capacity = capacity;
    }
    list->ids[list->n] = id;
    list->revs[list->n++] = rev;
    return TV_OK;
}

void tv_repair_ids_free(struct tv_repair_ids *list)
{
    free(list->ids);
    free(list->revs);
    *list = (struct tv_repair_ids){0};
}

/* Folding in and counting replace only a document of a lower rev, so a document that is wrong is first given rev 0. */
enum tv_status tv_repair_lower(struct tv_repair *r, const char *collection, const struct tv_repair_ids *list,
                               struct tv_error *err)
{
    int64_t n_set = 0;
    struct tv_mongo_change *changes = tv_alloc(list->n + 1, sizeof *changes, "what is to be mended", err);
    if (changes == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < list->n; i++)
        changes[i] = (struct tv_mongo_change){.id = list->ids[i],
                                              .guard = list->revs[i],
                                              .set = {.name = "rev", .type = TV_MONGO_FIELD_INT64, .integer = 0}};
    enum tv_status status = tv_mongo_set_where(r->stores->mongo, collection, "rev", changes, list->n, &n_set, err);
    free(changes);
    return status;
}

enum tv_status tv_repair_give_up(struct tv_repair *r, int64_t run_number, struct tv_error *err)
{
    enum tv_status status = tv_lifecycle_discard(r->stores, run_number, err);
    if (status == TV_OK)
        status = tv_run_set_state(r->journal, run_number, TV_RUN_PRUNED, err);
    r->changes++;
    return status;
}
