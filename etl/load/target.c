/* target: asks Postgres for the data set of a name, and has it take the place of the current one. */
#include "etl/load/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/model/other_data.h"
#include "trivet/schema/patient.h"
#include "trivet/store/pg_rows.h"

enum tv_status tv_target_find(struct tv_target *out, struct tv_pg *pg, const char *name, int append,
                              struct tv_error *err)
{
    const char *const values[] = {name, append ? "true" : "false"};
    struct tv_pg_rows *rows = NULL;
    enum tv_status status =
        tv_pg_query(pg,
                    "SELECT t.number, (t.number <> trivet.current_dataset())::int "
                    "FROM trivet.load_target($1, $2) t(number)",
                    2, values, &rows, err);
    if (status != TV_OK)
        return status;
    const char *number = tv_pg_cell(rows, 0, 0), *away = tv_pg_cell(rows, 0, 1);
    snprintf(out->number, sizeof out->number, "%s", number ? number : "");
    out->away = away && *away == '1';
    tv_pg_rows_free(rows);
    return TV_OK;
}

enum tv_status tv_target_check_name(struct tv_pg *pg, const char *given, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    if (given == NULL)
        return TV_OK;
    enum tv_status status = tv_pg_query(pg,
                                        "SELECT c.name, trivet.shell_word(d.name) FROM trivet.dataset c LEFT JOIN trivet.dataset d ON d.name = $1 "
                                        "WHERE c.current AND c.name <> $1",
                                        1, &given, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0) {
        const char *there = tv_pg_cell(rows, 0, 1);
        tv_fail(err, TV_ERR_INPUT, "--append adds to the data set that is loaded, which is %s and not %s", tv_pg_cell(rows, 0, 0), given);
        status = there ? tv_hint(err, "bring that one back first: trivet-etl datasets use %s", there)
                       : tv_hint(err, "there is no data set of that name; without --append it becomes one");
    }
    tv_pg_rows_free(rows);
    return status;
}

static const char *const kinds[] = {"ratings", "counts of plays"};

enum tv_status tv_target_check_kind(struct tv_pg *pg, int counts, struct tv_error *err)
{
    const char *const values[] = {counts ? "true" : "false"};
    int64_t other = 0;
    enum tv_status status = tv_pg_int(pg,
                                      "SELECT count(*) FROM trivet.load WHERE state = 'complete' "
                                      "AND $1::boolean IS DISTINCT FROM trivet.holds_counts()",
                                      1, values, &other, err);
    if (status != TV_OK || other == 0)
        return status;
    tv_fail(err, TV_ERR_INPUT, "these are %s, and what is loaded are %s: a value would be one or the other", kinds[counts], kinds[!counts]);
    return tv_hint(err, "without --append they are a data set of their own, and both are kept; --columns says otherwise how a file is to be read");
}

static enum tv_status refuse(struct tv_error *err)
{
    return tv_hint(err, "give it a name of its own, --name NAME, and both are kept; --same if it is the same data all the same");
}

enum tv_status tv_target_check_singles(const struct tv_target *t, struct tv_pg *pg, const char *name, int counts, struct tv_error *err)
{
    const char *const values[] = {t->number, counts ? "true" : "false"};
    int64_t singles = 0;
    if (t->number[0] == '\0')
        return TV_OK;
    enum tv_status status = tv_pg_int(pg, "SELECT trivet.load_other_kind($1, $2)", 2, values, &singles, err);
    if (status != TV_OK || singles == 0)
        return status;
    tv_fail(err, TV_ERR_INPUT, "these are %s, and a data set %s is there already, of %s: %lld single ones stay, and would be taken for %s",
            kinds[counts], name, kinds[!counts], (long long)singles, kinds[counts]);
    return refuse(err);
}

/* A file or a folder is a data set by its name alone, and two that have nothing to do with each other may share it. */
enum tv_status tv_target_tell(const struct tv_target *t, struct tv_pg *pg, const char *name, const char *source,
                              struct tv_error *err)
{
    const char *const values[] = {t->number, source};
    struct tv_pg_rows *rows = NULL;
    if (t->number[0] == '\0')
        return TV_OK;
    enum tv_status status =
        tv_pg_query(pg,
                    "SELECT string_agg(DISTINCT source, ', '), sum(row_count) FROM trivet.load "
                    "WHERE dataset = $1::bigint AND state IN ('complete', 'away') HAVING bool_and(source <> $2)",
                    2, values, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0 && tv_pg_cell(rows, 0, 0)) {
        char n[32];
        tv_log_info("this replaces the data set %s, which was loaded from %s (%s rows): other data wants a --name of its own",
                    name, tv_pg_cell(rows, 0, 0), tv_text_number(n, atoll(tv_pg_cell(rows, 0, 1))));
    }
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_target_same(const struct tv_target *t, struct tv_pg *pg, const char *fingerprint,
                              const char *options, int append, int *same, struct tv_error *err)
{
    const char *const values[] = {t->number, fingerprint, options, append ? "true" : "false"};
    int64_t answer = 0;
    *same = 0;
    if (t->number[0] == '\0')
        return TV_OK;
    enum tv_status status = tv_pg_int(pg, "SELECT trivet.load_is_there($1, $2, $3, $4)::int", 4, values, &answer, err);
    *same = answer == 1;
    return status;
}

enum tv_status tv_target_others(char **out, struct tv_pg *pg, const char *source, const char *name, struct tv_error *err)
{
    const char *const values[] = {source, name};
    struct tv_pg_rows *rows = NULL;
    enum tv_status status =
        tv_pg_query(pg,
                    "SELECT string_agg(name || ' (from ' || source || ')', ', ' ORDER BY id) FROM trivet.load "
                    "WHERE state = 'complete' AND (source <> $1 OR name <> $2::text AND NOT EXISTS (SELECT FROM trivet.dataset WHERE name = $2)) "
                    "AND NOT generated",
                    2, values, &rows, err);
    const char *names = status == TV_OK ? tv_pg_cell(rows, 0, 0) : NULL;
    *out = names ? strdup(names) : NULL;
    if (names && *out == NULL)
        status = tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the names of what is loaded");
    tv_pg_rows_free(rows);
    return status;
}

/* The context of use_once, which may be called several times. */
struct use {
    struct tv_pg *pg;
    const char *number;
};

static enum tv_status use_once(void *context, struct tv_error *err)
{
    const struct use *u = context;
    return tv_pg_exec(u->pg, "SELECT trivet.use_dataset($1)", 1, &u->number, err);
}

enum tv_status tv_target_use(const struct tv_target *t, struct tv_pg *pg, int seconds, struct tv_error *err)
{
    struct use u = {.pg = pg, .number = t->number};
    const struct tv_patience patience = {
        .what = "waiting for queries on trivet.rating to end, to bring the other data set back",
        .tables = "{trivet.rating,trivet.code,trivet.item,trivet.tag}",
        .readers = 1,
        .seconds = seconds};
    return tv_patiently(pg, &patience, use_once, &u, err);
}

/* Where single ratings would be taken over, the pairs decide. Otherwise titles that agree say that it is the same data, and pairs of a full
 * table say nothing. */
static enum tv_status check_pairs(struct tv_pg *pg, const char *load, const char *name, struct tv_error *err)
{
    const char *const values[] = {load, name};
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(pg,
                                        "SELECT p.asked, p.kept, p.by_chance, p.singles FROM trivet.load_other_pairs($1, $2) p "
                                        "WHERE trivet.has_other_pairs(p.asked, p.kept, p.by_chance) "
                                        "AND (p.singles > 0 OR 4 * p.kept < p.asked AND NOT trivet.has_same_titles($2))",
                                        2, values, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0) {
        const char *singles = tv_pg_cell(rows, 0, 3);
        int none = strcmp(singles, "0") == 0;
        tv_fail(err, TV_ERR_INPUT,
                "a data set %s is there already, and of %s of its ratings %s have their user and item here, too, where chance alone "
                "makes it %s: this is other data, and would %s%s%s",
                name, tv_pg_cell(rows, 0, 0), tv_pg_cell(rows, 0, 1), tv_pg_cell(rows, 0, 2), none ? "replace it" : "take over ",
                none ? "" : singles, none ? "" : " single ratings");
        status = refuse(err);
    }
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_target_check(struct tv_pg *pg, const char *load, const char *name, struct tv_error *err)
{
    enum tv_status status = tv_other_data_by_titles(pg, name, "both have", "this is other data", err);
    if (status == TV_ERR_INPUT)
        status = refuse(err);
    return status == TV_OK ? check_pairs(pg, load, name, err) : status;
}

/* An item is not called otherwise because more ratings of it come. That the pairs are new is what they are added for. */
enum tv_status tv_target_check_added(struct tv_pg *pg, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(pg, "SELECT name FROM trivet.dataset WHERE current", 0, NULL, &rows, err);
    const char *name = status == TV_OK && tv_pg_rows_count(rows) > 0 ? tv_pg_cell(rows, 0, 0) : NULL;
    if (name)
        status = tv_other_data_by_titles(pg, name, "both have", "this is other data, and would be mixed with it", err);
    if (name && status == TV_ERR_INPUT)
        status = tv_hint(err, "without --append it is a data set of its own, with --name NAME, and both are kept; --same if it is the same "
                              "data all the same");
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_target_out_of_date(struct tv_pg_rows **out, struct tv_pg *pg, struct tv_error *err)
{
    return tv_pg_query(pg, "SELECT what, hint FROM trivet.out_of_date()", 0, NULL, out, err);
}

void tv_target_print_to_do(const struct tv_pg_rows *rows, FILE *out)
{
    for (int i = 0; rows && i < tv_pg_rows_count(rows); i++)
        fprintf(out, "  %-11s %s: %s\n", i ? "" : "to do", tv_pg_cell(rows, i, 0), tv_pg_cell(rows, i, 1));
}
