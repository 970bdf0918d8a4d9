/* filter_sql: makes SQL of the table of filter parameters: sql/002_filter_values.sql, what the filter's functions know of the
 * parameters, and sql/019_calls.sql, the functions that people call with parameters by name.
 *
 * usage: filter_sql [--check] FOLDER
 *
 * Without --check both files are written. With it nothing is: status 1 says that a file is not what the table makes. The build
 * checks; `cmake --build build --target filter-sql` writes. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/model/filter_parameters.h"

static const struct tv_filter_parameter parameters[] = {
#define PARAMETER(name_, ...) {.name = #name_, __VA_ARGS__},
#include "trivet/model/filter_parameters.def"
};
enum { N = sizeof parameters / sizeof *parameters };

static const char head[] =
    "-- Made by tools/filter_sql.c from include/trivet/model/filter_parameters.def, which is the place to change:\n"
    "--     cmake --build build --target filter-sql\n";

/* --- which parameters a function takes ------------------------------------------------------------------------------ */

#define STEP(s) (1U << (s))
enum {
    ON_ROWS = STEP(TV_FILTER_TIMES) | STEP(TV_FILTER_VALUES) | STEP(TV_FILTER_ITEMS),
    SAMPLE = STEP(TV_FILTER_SAMPLE),
    LIMIT = STEP(TV_FILTER_ROW_LIMIT),
    ITEM_CUT = STEP(TV_FILTER_ITEM_CUT),
    USER_CUT = STEP(TV_FILTER_USER_CUT),
    CUTS = ITEM_CUT | USER_CUT,
    ALL = ON_ROWS | SAMPLE | LIMIT | CUTS,
    EVIDENCE = 1 /* of ON_ROWS, those that users are folded in by */
};

static int takes(unsigned steps, const struct tv_filter_parameter *p)
{
    return steps == EVIDENCE ? (STEP(p->step) & ON_ROWS) && !p->only_learning : (STEP(p->step) & steps) != 0;
}

/* A function by name is a call of the function in `sql/` that takes all values at once, and whose name ends in _of. */
struct function {
    const char *name;
    const char *before; /* what it takes ahead of the filter's parameters, with its comma, or "" */
    unsigned steps;     /* the steps whose parameters it takes */
    const char *after;  /* what it takes behind them */
    const char *returns;
    const char *marks; /* volatility, and whether it may run in parallel */
};

static const char pairs[] = "table (userid bigint, movieid bigint, rating real)";
static const char stable[] = "stable parallel safe", restricted[] = "stable parallel restricted";
static const char activity[] = "table (count bigint, how_many bigint, cumulative_share float8, share_of_rows float8, "
                               "quantiles float8[], kept boolean)";

static const struct function functions[] = {
    {"check_filter", "", CUTS | SAMPLE | LIMIT, "", "boolean", "immutable parallel safe"},
    {"chosen_ratings", "", ON_ROWS, "", "table (user_id bigint, item_id bigint, value real, rated_at timestamptz)", stable},
    {"chosen_rows", "", ON_ROWS, "", "table (user_id bigint, item_id bigint, value real)", stable},
    {"kept_items", "", ITEM_CUT | ON_ROWS, "", "table (movieid bigint)", stable},
    {"kept_users", "", USER_CUT | ON_ROWS | SAMPLE, "", "table (userid bigint)", stable},
    {"user_item", "", ALL, "", pairs, stable},
    {"evidence", "", EVIDENCE, "", pairs, stable},
    {"sparsity", "", ALL, "",
     "table (row_count bigint, users bigint, items bigint, user_ids bigint, item_ids bigint,\n"
     "               users_without_activity float8, items_without_views float8, density float8)",
     stable},
    {"why_empty", "", ALL, "", "table (step text, suggestion text)", stable},
    {"filter_values", "", ALL, "", "jsonb", stable},
    {"core", "", CUTS | ON_ROWS | SAMPLE, "", "table (userids bigint[], movieids bigint[])", restricted},
    {"user_item_core", "", ALL, "", pairs, restricted},
    {"funnel", "", ALL, "",
     "table (step int, name text, row_count bigint, users bigint, items bigint, density float8,\n"
     "               removed_rows bigint, removed_users bigint, removed_items bigint, users_below_minimum bigint,\n"
     "               limit_cut boolean, note text, parameters jsonb)",
     restricted},
    {"sweep_counts", "min_users_for_item int[], min_items_for_user int[], max_items_for_user int[], ",
     ON_ROWS | SAMPLE | LIMIT, "",
     "table (min_users int, min_items int, max_items int, row_count bigint, users bigint, items bigint, limit_cut boolean)",
     restricted},
    {"sweep", "x text, x_values text[], y text = null, y_values text[] = null, ", ALL, "",
     "table (x_place int, y_place int, x_value text, y_value text, row_count bigint, users bigint, items bigint,\n"
     "               density float8, share_of_rows float8, share_of_users float8, limit_cut boolean, parameters jsonb)",
     "stable parallel unsafe"},
    {"activity_of_users", "", ALL, "", activity, stable},
    {"activity_of_items", "", ALL, "", activity, stable},
    {"why_item", "id bigint, ", ALL, "",
     "table (item_id bigint, title text, kept boolean, step int, name text, counted bigint, threshold bigint, reason text)",
     restricted},
    {"why_user", "id bigint, ", ALL, "",
     "table (user_id bigint, kept boolean, step int, name text, counted bigint, threshold bigint, reason text)", restricted},
    {"save_preset", "name text, ", ALL, ", note text = null, replace boolean = false", "jsonb", "volatile"},
};

/* --- text ----------------------------------------------------------------------------------------------------------- */

/* "10", or "null" */
static const char *standard(const struct tv_filter_parameter *p)
{
    return p->standard ? p->standard : "null";
}

/* row(...)::trivet.filter_values: the values that `steps` takes, by their names with `mine` ahead, and the defaults of others. */
static void write_row(FILE *out, unsigned steps, const char *mine)
{
    char value[128];
    int column = 40;
    fprintf(out, "row(");
    for (int i = 0; i < N; i++) {
        int own = takes(steps, &parameters[i]);
        snprintf(value, sizeof value, "%s%s", own ? mine : "", own ? parameters[i].name : standard(&parameters[i]));
        column += (int)strlen(value) + 2;
        fprintf(out, "%s%s", i == 0 ? "" : column > 118 ? ",\n        " : ", ", value);
        column = column > 118 ? 8 + (int)strlen(value) : column;
    }
    fprintf(out, ")::trivet.filter_values");
}

/* Numbers that SQL's own type does not already keep to. */
static int has_range(const struct tv_filter_parameter *p)
{
    return p->kind == TV_FILTER_INTEGER || (p->kind == TV_FILTER_REAL && p->least > -1e30);
}

/* "an integer from 0", in SQL's words: what filter_value refuses others with. */
static void write_wanted(char *to, size_t size, const struct tv_filter_parameter *p)
{
    const char *or_null = p->standard ? "" : ", or null";
    if (p->kind == TV_FILTER_INTEGER)
        snprintf(to, size, "an integer from %.0f%s", p->least, or_null);
    else if (p->kind == TV_FILTER_TIME)
        snprintf(to, size, "a time, as 2015-04-01%s", or_null);
    else if (p->kind == TV_FILTER_NAMES)
        snprintf(to, size, "a list of genres, as {Drama,Comedy}%s", or_null);
    else if (p->above)
        snprintf(to, size, "a fraction above %g, at most %g%s", p->least, p->most, or_null);
    else if (has_range(p))
        snprintf(to, size, "a number from %g, at most %g%s", p->least, p->most, or_null);
    else
        snprintf(to, size, "a number%s", p->standard ? "" : " or null");
}

/* --- sql/002_filter_values.sql -------------------------------------------------------------------------------------- */

static void write_type(FILE *out)
{
    fprintf(out, "-- A database that has been in use keeps the type, because functions take it: what is new is added to it.\n"
                 "do $$\ndeclare\n    wanted constant text[] := array[\n");
    for (int i = 0; i < N; i++) /* as format_type() writes it */
        fprintf(out, "        '%s ' || format_type('%s'::regtype, null)%s\n", parameters[i].name, parameters[i].type,
                i < N - 1 ? "," : "];");
    fprintf(out, "    found text[];\n"
                 "    same int := 0;\n"
                 "    changes text;\n"
                 "begin\n"
                 "    if to_regtype('trivet.filter_values') is null then\n"
                 "        execute format('create type trivet.filter_values as (%%s)', array_to_string(wanted, ', '));\n"
                 "        return;\n"
                 "    end if;\n"
                 "    found := array(select a.attname || ' ' || format_type(a.atttypid, a.atttypmod) from pg_attribute a\n"
                 "                   where a.attrelid = 'trivet.filter_values'::regclass and a.attnum > 0 and not a.attisdropped\n"
                 "                   order by a.attnum);\n"
                 "    while found[same + 1] = wanted[same + 1] loop\n"
                 "        same := same + 1;\n"
                 "    end loop;\n"
                 "    select string_agg(t.change, ', ' order by t.nr) into changes\n"
                 "    from (select 0, 'drop attribute ' || split_part(f, ' ', 1) from unnest(found) with ordinality u (f, nr) where nr > same\n"
                 "          union all\n"
                 "          select nr, 'add attribute ' || w from unnest(wanted) with ordinality u (w, nr) where nr > same) t (nr, change);\n"
                 "    if changes is not null then\n"
                 "        execute 'alter type trivet.filter_values ' || changes;\n"
                 "    end if;\n"
                 "end\n$$;\n"
                 "comment on type trivet.filter_values is\n"
                 "'A value for each parameter of trivet.user_item: what the functions whose names end in _of hand around.';\n\n");
}

static void write_table(FILE *out)
{
    char wanted[128];
    fprintf(out, "create or replace function trivet.filter_table()\n"
                 "returns table (nr int, name text, type text, step int, in_evidence boolean, or_null boolean, lowest float8, highest float8,\n"
                 "               above boolean, wanted text)\n"
                 "language sql immutable parallel safe as $$\n    values\n");
    for (int i = 0; i < N; i++) {
        const struct tv_filter_parameter *p = &parameters[i];
        write_wanted(wanted, sizeof wanted, p);
        fprintf(out, "        (%d, '%s', '%s', %d, %s, %s, ", i + 1, p->name, p->type, (int)p->step,
                takes(EVIDENCE, p) ? "true" : "false", p->standard ? "false" : "true");
        if (has_range(p) && p->kind == TV_FILTER_INTEGER && p->most >= 9e18) /* a double cannot tell the largest bigint */
            fprintf(out, "%.17g, null, ", p->least);
        else if (has_range(p))
            fprintf(out, "%.17g, %.17g, ", p->least, p->most);
        else
            fprintf(out, "null, null, ");
        fprintf(out, "%s, '%s')%s\n", p->above ? "true" : "false", wanted, i < N - 1 ? "," : "");
    }
    fprintf(out, "$$;\n"
                 "comment on function trivet.filter_table() is\n"
                 "'The parameters of trivet.user_item in their order: name, type, the step of trivet.funnel that each acts in (2 to 4: a condition\n"
                 "on rows), whether users are folded in by it, whether it may be null, its range (null: that of its type), and in words what it must be.';\n\n");
}

static void write_values(FILE *out)
{
    fprintf(out, "create or replace function trivet.filter_defaults() returns trivet.filter_values\n"
                 "language sql immutable parallel safe as $$\n    select ");
    write_row(out, 0, "");
    fprintf(out, "\n$$;\ncomment on function trivet.filter_defaults() is 'The filter''s defaults.';\n\n");
    fprintf(out, "create or replace function trivet.filter_evidence(given trivet.filter_values) returns trivet.filter_values\n"
                 "language sql immutable parallel safe as $$\n    select ");
    write_row(out, EVIDENCE, "given.");
    fprintf(out, "\n$$;\ncomment on function trivet.filter_evidence(trivet.filter_values) is\n"
                 "'The conditions on rows that users are folded in by; all else at its default.';\n\n");
    fprintf(out, "create or replace function trivet.filter_up_to(step int, given trivet.filter_values) returns trivet.filter_values\n"
                 "language sql immutable parallel safe as $$\n    select row(\n");
    for (int i = 0; i < N; i++)
        fprintf(out, "        case when step >= %d then given.%s else %s end%s\n", (int)parameters[i].step, parameters[i].name,
                standard(&parameters[i]), i < N - 1 ? "," : ")::trivet.filter_values");
    fprintf(out, "$$;\ncomment on function trivet.filter_up_to(int, trivet.filter_values) is\n"
                 "'What acts up to a step of trivet.funnel; all else at its default.';\n\n");
    fprintf(out, "create or replace function trivet.filter_texts(given trivet.filter_values) returns text[]\n"
                 "language sql stable parallel safe as $$\n    select array[");
    for (int i = 0; i < N; i++)
        fprintf(out, "%sgiven.%s::text", i == 0 ? "" : i % 3 ? ", " : ",\n                 ", parameters[i].name);
    fprintf(out, "]\n$$;\ncomment on function trivet.filter_texts(trivet.filter_values) is 'The values as text, in the order of trivet.filter_table.';\n\n");
}

/* A condition, and what is said where it holds; what may be null is compared as SQL does, and so never out of range. */
static void write_check(FILE *out, const struct tv_filter_parameter *p, int *n)
{
    char wanted[128];
    write_wanted(wanted, sizeof wanted, p);
    if (!has_range(p) || (p->not_below && p->standard && p->kind == TV_FILTER_INTEGER)) /* the other one is in range */
        return;
    fprintf(out, "    %s ", (*n)++ ? "elsif" : "if");
    if (p->standard)
        fprintf(out, "given.%s is null or ", p->name);
    if (p->kind == TV_FILTER_REAL)
        fprintf(out, "not (given.%s %s %g and given.%s <= %g) then\n", p->name, p->above ? ">" : ">=", p->least, p->name, p->most);
    else
        fprintf(out, "given.%s < %.0f then\n", p->name, p->least);
    fprintf(out, "        raise exception '%s is %%, but must be %s', coalesce(given.%s::text, 'null')\n"
                 "            using column = '%s', errcode = 'TV001';\n", p->name, wanted, p->name, p->name);
}

static void write_order(FILE *out, const struct tv_filter_parameter *p, int *n)
{
    if (p->not_below == NULL)
        return;
    fprintf(out, "    %s ", (*n)++ ? "elsif" : "if");
    if (p->standard)
        fprintf(out, "given.%s is null or ", p->name);
    fprintf(out, "given.%s < given.%s then\n"
                 "        raise exception '%s is %%, but must be at least %s, which is %%',\n"
                 "            coalesce(given.%s::text, 'null'), given.%s using column = '%s', errcode = 'TV001';\n",
            p->name, p->not_below, p->name, p->not_below, p->name, p->not_below, p->name);
}

static void write_checks(FILE *out)
{
    int n = 0;
    fprintf(out, "create or replace function trivet.check_filter_of(given trivet.filter_values) returns boolean\n"
                 "language plpgsql immutable parallel safe as $$\nbegin\n");
    for (int i = 0; i < N; i++) {
        write_check(out, &parameters[i], &n);
        write_order(out, &parameters[i], &n);
    }
    fprintf(out, "    end if;\n    return true;\nend\n$$;\n"
                 "comment on function trivet.check_filter_of(trivet.filter_values) is\n"
                 "'True, or an error that names the parameter of trivet.user_item that is out of its range.';\n");
}

static void write_values_file(FILE *out)
{
    fprintf(out, "-- 002_filter_values: the filter's parameters, as the functions of the files that follow know them: the type\n"
                 "-- trivet.filter_values, the table of the parameters, their defaults, their ranges.\n%s\n", head);
    write_type(out);
    write_table(out);
    write_values(out);
    write_checks(out);
}

/* --- sql/019_calls.sql ---------------------------------------------------------------------------------------------- */

static void write_parameter_list(FILE *out, const struct function *f)
{
    int n = 0;
    for (int i = 0; i < N; i++)
        if (takes(f->steps, &parameters[i]))
            fprintf(out, "%s    %s %s = %s", n++ ? ",\n" : "\n", parameters[i].name, parameters[i].type,
                    standard(&parameters[i]));
    fprintf(out, "%s", f->after);
}

/* "x text, y text = null, " -> "x, y, " */
static void write_arguments(FILE *out, const char *list, const char *ahead, const char *behind)
{
    for (const char *at = list + strspn(list, ", "); *at; at += strspn(at, ", ")) {
        fprintf(out, "%s%.*s%s", ahead, (int)strcspn(at, " "), at, behind);
        at += strcspn(at, ",");
    }
}

static void write_function(FILE *out, const struct function *f)
{
    fprintf(out, "create or replace function trivet.%s(%s", f->name, f->before);
    write_parameter_list(out, f);
    fprintf(out, "\n) returns %s\nlanguage sql %s as $$\n    select %strivet.%s_of(", f->returns, f->marks,
            strncmp(f->returns, "table", 5) == 0 ? "* from " : "", f->name);
    write_arguments(out, f->before, "", ", ");
    write_row(out, f->steps, "");
    write_arguments(out, f->after, ", ", "");
    fprintf(out, ")\n$$;\n\n");
}

static void write_comments(FILE *out)
{
    fprintf(out, "-- What each does is said where it is done.\n"
                 "do $$\ndeclare\n    f record;\nbegin\n"
                 "    for f in select p.oid::regprocedure as by_name, obj_description(o.oid, 'pg_proc') as text\n"
                 "             from pg_proc p join pg_proc o on o.pronamespace = p.pronamespace and o.proname = p.proname || '_of'\n"
                 "             where p.pronamespace = 'trivet'::regnamespace\n"
                 "    loop\n"
                 "        execute format('comment on function %%s is %%L', f.by_name, f.text);\n"
                 "    end loop;\nend\n$$;\n");
}

static void write_calls_file(FILE *out)
{
    fprintf(out, "-- 019_calls: the filter's functions as people and programs call them, each parameter by its name, with its default.\n%s\n"
                 "-- Each hands its values on as one, so that Postgres inlines both it and what it calls.\n\n", head);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        write_function(out, &functions[i]);
    write_comments(out);
}

/* --- files ---------------------------------------------------------------------------------------------------------- */

/* 0, or 1 and a message: the file is not `text`, or cannot be written. */
static int compare(const char *path, const char *text, size_t size)
{
    FILE *in = fopen(path, "rb");
    int same = in != NULL;
    for (size_t i = 0; i < size && same; i++)
        same = fgetc(in) == (unsigned char)text[i];
    same = same && fgetc(in) == EOF;
    if (in)
        fclose(in);
    if (!same)
        fprintf(stderr,
                "%s is not what include/trivet/model/filter_parameters.def makes; write it with\n"
                "    cmake --build <build folder> --target filter-sql\n",
                path);
    return !same;
}

static int write_out(const char *path, const char *text, size_t size)
{
    FILE *out = fopen(path, "wb");
    int good = out && fwrite(text, 1, size, out) == size;
    good = (out == NULL || fclose(out) == 0) && good;
    if (!good)
        perror(path);
    return !good;
}

static int make(const char *folder, const char *name, void (*write_file)(FILE *), int check)
{
    char path[4096], *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return 1;
    write_file(out);
    fclose(out);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int failed = check ? compare(path, text, size) : write_out(path, text, size);
    free(text);
    return failed;
}

int main(int argc, char **argv)
{
    int check = argc == 3 && strcmp(argv[1], "--check") == 0;
    if (argc != 2 + check) {
        fprintf(stderr, "usage: filter_sql [--check] FOLDER\n");
        return 2;
    }
    return make(argv[argc - 1], "002_filter_values.sql", write_values_file, check) |
           make(argv[argc - 1], "019_calls.sql", write_calls_file, check);
}
