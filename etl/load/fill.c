/* fill: the first transaction of a load. It makes a table that nobody sees, sends the rows of all files, and indexes and
 * counts what came.
 */
#include <stdio.h>
#include <stdlib.h>

#include "etl/load/load.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/store/pg_rows.h"

/* Opens the COPY that the rows of a file of this role go through. */
static enum tv_status open_copy(struct tv_load *l, enum tv_role role, struct tv_error *err)
{
    static const char *const kinds[TV_ROLE_COUNT] = {
        [TV_ROLE_ITEMS] = "item", [TV_ROLE_LINKS] = "link", [TV_ROLE_METADATA] = "metadata"};
    if (role == TV_ROLE_RATINGS)
        return tv_stage_begin_ratings(&l->stage, l->id, err);
    return role == TV_ROLE_TAGS ? tv_stage_begin_tags(&l->stage, err)
                                : tv_stage_begin_items(&l->stage, kinds[role], err);
}

/* Loads the file of one role. Genres and words serve the readers of other files, and the marker only says that the set
 * is generated: these three have no rows. */
static enum tv_status read_role(struct tv_load *l, enum tv_role role, struct tv_error *err)
{
    const struct tv_input_file *file = l->set.chosen[role].file;
    if (file == NULL || role == TV_ROLE_GENRES || role == TV_ROLE_WORDS || role == TV_ROLE_MARKER)
        return TV_OK;
    char what[300];
    snprintf(what, sizeof what, "loading %s", file->name);
    struct tv_sink sink = tv_stage_sink(&l->stage);
    l->stage.file_bytes = file->size;
    tv_progress_start(&l->stage.progress, what, "rows", 0);
    enum tv_status status = open_copy(l, role, err);
    if (status == TV_OK)
        status = tv_set_read(&l->set, role, &sink, err);
    if (status == TV_OK)
        status = tv_stage_end(&l->stage, err);
    else
        tv_stage_abort(&l->stage);
    tv_progress_end(&l->stage.progress);
    return status;
}

/* Repeated pairs were counted on the way if the rows of each user stand together (tally.h); otherwise Postgres
 * counts. */
static enum tv_status count_rows(struct tv_load *l, struct tv_error *err)
{
    char rows[24];
    const char *const values[] = {l->id_text, rows};
    int64_t duplicates = l->stage.tally.repeats, tags = 0;
    snprintf(rows, sizeof rows, "%lld", l->stage.tally.rows);
    enum tv_status status = TV_OK;
    if (l->stage.tally.users_apart)
        status = tv_pg_int(l->data, "SELECT trivet.load_duplicates($1, $2)", 2, values, &duplicates, err);
    if (status == TV_OK)
        status = tv_pg_int(l->data, "SELECT count(*) FROM pg_temp.load_tag", 0, NULL, &tags, err);
    l->report.duplicates = duplicates;
    l->report.tags = tags;
    return status;
}

/* Plays that came one by one become one row a pair, which says how many. From then on no pair is repeated. */
static enum tv_status add_up(struct tv_load *l, struct tv_error *err)
{
    const char *const values[] = {l->id_text};
    int64_t pairs = 0;
    if (l->stage.tally.repeats == 0 && !l->stage.tally.users_apart)
        return TV_OK;
    enum tv_status status = tv_pg_int(l->data, "SELECT trivet.load_add_up($1)", 1, values, &pairs, err);
    l->report.added_up = l->stage.tally.rows - pairs;
    l->summed = 1;
    l->stage.tally.repeats = 0;
    l->stage.tally.users_apart = 0;
    return status;
}

/* Reads the smallest and the largest value anew: counts that were added up have others than the lines had.
 * trivet.load_index noted them. */
static enum tv_status read_ends(struct tv_load *l, struct tv_error *err)
{
    const char *const values[] = {l->id_text};
    struct tv_pg_rows *rows = NULL;
    enum tv_status status =
        tv_pg_query(l->data, "SELECT low, high FROM trivet.load WHERE id = $1", 1, values, &rows, err);
    if (status == TV_OK) {
        l->stage.tally.min = strtof(tv_pg_cell(rows, 0, 0), NULL);
        l->stage.tally.max = strtof(tv_pg_cell(rows, 0, 1), NULL);
    }
    tv_pg_rows_free(rows);
    return status;
}

/* Indexes what came, and notes its smallest and largest value: as rows went by they were counted, unless Postgres has summed them
 * since. */
static enum tv_status index_rows(struct tv_load *l, struct tv_error *err)
{
    enum { WORTH_A_LINE = 2000000 }; /* rows that take seconds to index */
    char rows[32], low[TV_TEXT_FLOAT], high[TV_TEXT_FLOAT];
    const char *const values[] = {l->id_text, l->summed ? NULL : low, l->summed ? NULL : high};
    tv_text_float(low, l->stage.tally.min);
    tv_text_float(high, l->stage.tally.max);
    if (l->stage.tally.rows >= WORTH_A_LINE)
        tv_log_info("indexing %s ratings", tv_text_number(rows, l->stage.tally.rows));
    enum tv_status status = tv_pg_exec(l->data, "SELECT trivet.load_index($1, $2, $3)", 3, values, err);
    return status == TV_OK && l->summed ? read_ends(l, err) : status;
}

/* One transaction from making the table to its index: COPY may FREEZE rows only in the transaction that made their
 * table. */
enum tv_status tv_load_fill(struct tv_load *l, struct tv_error *err)
{
    const char *const values[] = {l->id_text};
    enum tv_status status = tv_pg_exec(l->data, "BEGIN", 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_exec(l->data, "SELECT trivet.load_create($1)", 1, values, err);
    if (status == TV_OK)
        status = tv_codes_read(l->codes, l->data, l->target.number, err);
    tv_report_step(&l->report, "prepare", &l->clock);
    if (status == TV_OK)
        status = read_role(l, TV_ROLE_RATINGS, err);
    tv_report_step(&l->report, "ratings", &l->clock);
    for (int role = TV_ROLE_RATINGS + 1; role < TV_ROLE_COUNT && status == TV_OK; role++)
        status = read_role(l, (enum tv_role)role, err);
    if (status == TV_OK)
        status = tv_codes_write(l->codes, l->data, err);
    tv_report_step(&l->report, "items", &l->clock);
    if (status == TV_OK)
        status = tv_rejects_flush(&l->rejects, err);
    if (status == TV_OK)
        status = tv_rejects_check_rows(&l->rejects, l->stage.tally.rows, l->set.chosen[TV_ROLE_RATINGS].file->name, err);
    if (status == TV_OK && l->set.counts)
        status = add_up(l, err);
    if (status == TV_OK)
        status = index_rows(l, err);
    tv_report_step(&l->report, "index", &l->clock);
    if (status == TV_OK)
        status = count_rows(l, err);
    tv_report_step(&l->report, "count", &l->clock);
    return status == TV_OK ? tv_pg_exec(l->data, "COMMIT", 0, NULL, err) : status;
}
