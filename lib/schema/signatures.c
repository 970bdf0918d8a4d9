/* signatures: reads which functions a file makes, and asks Postgres which of them have other parameters there. It
 * understands as much SQL as the files of sql/ have: comments of two dashes, quotes and brackets.
 */
#include "lib/schema/signatures.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "trivet/base/log.h"
#include "trivet/store/pg_rows.h"

static const char create[] = "create or replace function trivet.";

/* Steps over one character of SQL, or over a whole comment, or over a text in quotes. */
static const char *step(const char *p)
{
    if (p[0] == '-' && p[1] == '-')
        return p + strcspn(p, "\n");
    if (*p == '\'' || *p == '"') {
        const char *end = strchr(p + 1, *p);
        return end ? end + 1 : p + strlen(p);
    }
    return p + 1;
}

/* Finds the comma or the closing bracket that belongs to no bracket in between. */
static const char *end_of_parameter(const char *p)
{
    for (int depth = 0; *p; p = step(p)) {
        if (depth == 0 && (*p == ',' || *p == ')'))
            return p;
        depth += (*p == '(') - (*p == ')');
    }
    return p;
}

/* Comments count as blanks. */
static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (isspace((unsigned char)*p) || (p[0] == '-' && p[1] == '-')))
        p = *p == '-' ? step(p) : p + 1;
    return p;
}

/* Skips a name, quoted or not, and the blanks behind it. */
static const char *skip_word(const char *p, const char *end)
{
    if (p < end && *p == '"')
        return skip_blanks(step(p), end);
    while (p < end && (isalnum((unsigned char)*p) || *p == '_'))
        p++;
    return skip_blanks(p, end);
}

/* 1 if the word stands at p, in any case, with a blank behind it. */
static int is_word(const char *p, const char *word)
{
    size_t n = strlen(word);
    return strncasecmp(p, word, n) == 0 && isspace((unsigned char)p[n]);
}

/* "unsure bigint[] = null" -> "bigint[]"; nothing of a parameter that only gives back, because Postgres does not
 * count it among those that make a function another one. */
static void append_type(char *types, const char *p, const char *end)
{
    p = skip_blanks(p, end);
    if (p == end || is_word(p, "out"))
        return;
    if (is_word(p, "in") || is_word(p, "inout") || is_word(p, "variadic"))
        p = skip_word(p, end);
    p = skip_word(p, end); /* its name */
    const char *to = p;
    while (to < end && *to != '=' && !is_word(to, "default") && !(to[0] == '-' && to[1] == '-'))
        to++;
    while (to > p && isspace((unsigned char)to[-1]))
        to--;
    size_t n = strlen(types);
    snprintf(types + n, TV_SIGNATURE - n, "%s%.*s", n ? "," : "", (int)(to - p), p);
}

/* Only the words that make a function are looked for, so bodies and everything else are passed over. */
int tv_signature_next(const char **at, char *name, char *types)
{
    const char *found = strcasestr(*at, create);
    if (found == NULL)
        return 0;
    const char *p = found + strlen(create);
    size_t n = strcspn(p, " \t\n(");
    snprintf(name, TV_SIGNATURE, "%.*s", (int)n, p);
    types[0] = '\0';
    p = strchr(p, '(');
    while (p && (*p == '(' || *p == ',')) {
        const char *end = end_of_parameter(p + 1);
        append_type(types, p + 1, end);
        p = end;
    }
    *at = p ? p : found + strlen(create);
    return 1;
}

/* Names and parameters of functions called `name` that take anything else. Types are compared as types, so "int" is
 * "integer". */
static enum tv_status find_others(struct tv_pg *pg, const char *name, const char *types, struct tv_pg_rows **rows,
                                  struct tv_error *err)
{
    static const char sql[] =
        "SELECT p.oid::regprocedure, format('%s_before_%s', p.proname, p.oid) FROM pg_proc p"
        " WHERE p.pronamespace = to_regnamespace('trivet') AND p.proname = $1"
        " AND ARRAY(SELECT t FROM unnest(p.proargtypes) WITH ORDINALITY u(t, n) ORDER BY n)"
        " IS DISTINCT FROM ARRAY(SELECT to_regtype(t)::oid FROM unnest(string_to_array($2, ',')) WITH ORDINALITY u(t, n)"
        " ORDER BY n)";
    const char *const values[] = {name, types};
    return tv_pg_query(pg, sql, 2, values, rows, err);
}

/* A function that somebody's view or function depends on cannot be dropped. It is renamed instead, and they go on
 * with it. */
enum tv_status tv_signatures_make_way(struct tv_buffer *sql, struct tv_pg *pg, const char *text, struct tv_error *err)
{
    char name[TV_SIGNATURE], types[TV_SIGNATURE];
    enum tv_status status = TV_OK;
    for (const char *at = text; status == TV_OK && tv_signature_next(&at, name, types);) {
        struct tv_pg_rows *rows = NULL;
        status = find_others(pg, name, types, &rows, err);
        for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++)
            status = tv_buffer_format(sql, err,
                                      "DO $way$ BEGIN DROP FUNCTION %s; EXCEPTION WHEN dependent_objects_still_exist THEN "
                                      "ALTER FUNCTION %s RENAME TO %s; END $way$;\n",
                                      tv_pg_cell(rows, i, 0), tv_pg_cell(rows, i, 0), tv_pg_cell(rows, i, 1));
        tv_pg_rows_free(rows);
    }
    return status;
}

/* A function that was put aside calls its successor with what it takes, each by its name: its own text may speak of functions
 * that are no more, or of itself by the name it had. As it does what the successor does, a parallel plan may run it where the
 * successor may be run. Where that cannot be, it stays as it is. */
static const char go_on[] =
    "DO $way$ DECLARE f record; BEGIN FOR f IN"
    " SELECT format('CREATE OR REPLACE FUNCTION %s(%s) RETURNS %s LANGUAGE sql %s PARALLEL %s AS %L', p.oid::regproc,"
    " pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),"
    " CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END, s.parallel,"
    " format(CASE WHEN c.columns IS NULL THEN 'SELECT trivet.%2$I(%3$s)' ELSE 'SELECT %1$s FROM trivet.%2$I(%3$s)' END,"
    " c.columns, regexp_replace(p.proname, '_before_[0-9]+$', ''), c.arguments)) AS sql"
    " FROM pg_proc p CROSS JOIN LATERAL (SELECT string_agg(quote_ident(n), ', ' ORDER BY i) FILTER (WHERE m = 't') AS columns,"
    " coalesce(string_agg(format('%I => $%s', n, i), ', ' ORDER BY i) FILTER (WHERE m <> 't' AND n <> ''), '') AS arguments"
    " FROM unnest(p.proargnames, coalesce(p.proargmodes, array_fill('i'::\"char\", ARRAY[p.pronargs::int]))) WITH ORDINALITY u(n, m, i)) c"
    " CROSS JOIN LATERAL (SELECT CASE WHEN bool_and(n.proparallel = 's') THEN 'SAFE' WHEN bool_and(n.proparallel <> 'u')"
    " THEN 'RESTRICTED' ELSE 'UNSAFE' END AS parallel FROM pg_proc n WHERE n.pronamespace = p.pronamespace"
    " AND n.proname = regexp_replace(p.proname, '_before_[0-9]+$', '')) s"
    " WHERE p.pronamespace = 'trivet'::regnamespace AND p.proname ~ '_before_[0-9]+$'"
    " LOOP BEGIN EXECUTE f.sql; EXCEPTION WHEN syntax_error_or_access_rule_violation THEN NULL; END; END LOOP; END $way$";

/* Functions that were put aside by any earlier update are looked at, because what used them may have gone since. */
enum tv_status tv_signatures_tidy(struct tv_pg *pg, struct tv_error *err)
{
    static const char aside[] =
        "SELECT p.oid::regprocedure, regexp_replace(p.proname, '_before_[0-9]+$', ''), "
        "(SELECT string_agg(DISTINCT coalesce(r.ev_class::regclass::text, pg_describe_object(d.classid, d.objid, 0)), ', ')"
        " FROM pg_depend d LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid"
        " WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid AND d.deptype = 'n')"
        " FROM pg_proc p WHERE p.pronamespace = 'trivet'::regnamespace AND p.proname ~ '_before_[0-9]+$' ORDER BY p.oid DESC";
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(pg, aside, 0, NULL, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0)
        status = tv_pg_exec(pg, go_on, 0, NULL, err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++) {
        char drop[2 * TV_SIGNATURE];
        const char *users = tv_pg_cell(rows, i, 2);
        snprintf(drop, sizeof drop, "DROP FUNCTION %s", tv_pg_cell(rows, i, 0));
        if (users == NULL)
            status = tv_pg_exec(pg, drop, 0, NULL, err);
        else
            tv_log_info("trivet.%s has other parameters now; %s goes on with those it had, until made again",
                        tv_pg_cell(rows, i, 1), users);
    }
    tv_pg_rows_free(rows);
    return status;
}
