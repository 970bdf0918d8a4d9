/* report: the end of a load in a few lines on standard output, and the same numbers as JSON for trivet.load.report.
 * load.c fills the struct while it works (tv_report_step after each step) and asks for both once the load is visible.
 */
#include "etl/load/report.h"

#include <jansson.h>

#include "trivet/base/clock.h"
#include "trivet/base/text.h"

/* The array has room for more steps than a load has; a step beyond it would only be missing from the report. */
void tv_report_step(struct tv_report *r, const char *name, double *clock)
{
    double now = tv_clock();
    if (r->n_steps < TV_REPORT_MAX_STEPS) {
        r->steps[r->n_steps].name = name;
        r->steps[r->n_steps++].seconds = now - *clock;
    }
    *clock = now;
}

/* The sum of the steps, in which waiting for the lock is not counted (load.c). */
static double seconds_of(const struct tv_report *r)
{
    double sum = 0;
    for (int i = 0; i < r->n_steps; i++)
        sum += r->steps[i].seconds;
    return sum;
}

/* The share of all possible pairs that have a rating: distinct pairs by users times items; 0 for an empty load. Rows
 * that repeat a pair are taken off first, whether they stayed (duplicates) or were added up (plays). */
static double density_of(const struct tv_report *r)
{
    double cells = (double)r->tally->users.n * (double)r->tally->items.n;
    return cells > 0 ? (double)(r->tally->rows - r->added_up - r->duplicates) / cells : 0;
}

/* How many lines were refused, by reason, and the query that shows them. */
static void print_rejects(const struct tv_report *r, FILE *out)
{
    char number[32];
    fprintf(out, "  rejected    %s lines", tv_text_number(number, r->rejects->n));
    for (int i = 0; i < r->rejects->n_reasons; i++)
        fprintf(out, "%s %s x %s", i ? "," : ":", tv_text_number(number, r->rejects->reasons[i].n),
                r->rejects->reasons[i].reason);
    fprintf(out, "\n");
    if (r->rejects->n > 0)
        fprintf(out, "              SELECT file, line, reason, raw FROM trivet.reject WHERE load_id = %lld\n",
                (long long)r->load);
}

/* A line only for data that has codes, or for a load that brought some. */
static void print_codes(const struct tv_report *r, FILE *out)
{
    char users[32], items[32];
    size_t new_users = tv_codes_new(r->codes, TV_CODE_USER), new_items = tv_codes_new(r->codes, TV_CODE_ITEM);
    if (new_users || new_items || r->set->codes[TV_CODE_USER] || r->set->codes[TV_CODE_ITEM])
        fprintf(out, "  codes       %s users and %s items are new in trivet.code\n",
                tv_text_number(users, (long long)new_users), tv_text_number(items, (long long)new_items));
}

/* The values in two lines: ratings have a scale, and may repeat a pair; counts of plays have a range, and repeated
 * pairs were added up. */
static void print_values(const struct tv_report *r, FILE *out)
{
    char scale[96], n[32];
    if (!r->set->counts) {
        fprintf(out, "  scale       %s\n", tv_tally_scale(r->tally, scale));
        fprintf(out, "  duplicates  %s rows repeat a pair of user and item\n", tv_text_number(n, r->duplicates));
        return;
    }
    fprintf(out, "  counts      %.9g to %.9g plays of an item by a user\n", (double)r->tally->min,
            (double)r->tally->max);
    fprintf(out, "  added up    %s rows repeat a pair of user and item\n", tv_text_number(n, r->added_up));
}

/* A line only where there are such times: a wrong unit or a slip of a century. */
static void print_times(const struct tv_report *r, FILE *out)
{
    char n[32];
    if (r->tally->odd_times > 0)
        fprintf(out, "  times       %s rows have a time outside 1970 to 2100\n", tv_text_number(n, r->tally->odd_times));
}

/* The seconds in all, and by step. */
static void print_steps(const struct tv_report *r, FILE *out)
{
    fprintf(out, "  seconds     %.2f", seconds_of(r));
    for (int i = 0; i < r->n_steps; i++)
        fprintf(out, "%s %s %.2f", i ? "," : ":", r->steps[i].name, r->steps[i].seconds);
    fprintf(out, "\n");
}

void tv_report_print(const struct tv_report *r, FILE *out)
{
    char a[32], b[32], c[32];
    fprintf(out, "load %lld: %s (%s)%s\n", (long long)r->load, r->name, r->set->format,
            r->set->generated ? ", a generated set" : "");
    fprintf(out, "  %s     %s rows, %s users, %s items\n", r->set->counts ? "plays  " : "ratings",
            tv_text_number(a, r->tally->rows),
            tv_text_number(b, (long long)r->tally->users.n), tv_text_number(c, (long long)r->tally->items.n));
    print_values(r, out);
    print_times(r, out);
    fprintf(out, "  density     %.4g %% of all pairs\n", 100 * density_of(r));
    fprintf(out, "  described   %s items, %s tags\n", tv_text_number(a, r->items),
            tv_text_number(b, r->tags));
    print_codes(r, out);
    print_rejects(r, out);
    print_steps(r, out);
    if (r->set->counts)
        fprintf(out, "  next        trivet-train fit --algorithm als-implicit, which takes values as counts\n");
}

/* The same numbers by name. People read them with SQL, so the names stay when the words of the lines above change. */
char *tv_report_json(const struct tv_report *r)
{
    char scale[96];
    json_t *reasons = json_object(), *steps = json_object();
    for (int i = 0; i < r->rejects->n_reasons; i++)
        json_object_set_new(reasons, r->rejects->reasons[i].reason, json_integer(r->rejects->reasons[i].n));
    for (int i = 0; i < r->n_steps; i++)
        json_object_set_new(steps, r->steps[i].name, json_real(r->steps[i].seconds));
    json_t *report =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:s, s:f, s:f, s:I, s:f, s:I, s:I, s:I, s:o, s:f, s:o}", "values",
                  r->set->counts ? "counts" : "ratings", "added_up", (json_int_t)r->added_up, "rows",
                  (json_int_t)r->tally->rows, "users", (json_int_t)r->tally->users.n, "items",
                  (json_int_t)r->tally->items.n, "scale", tv_tally_scale(r->tally, scale), "min", (double)r->tally->min,
                  "max", (double)r->tally->max, "duplicates", (json_int_t)r->duplicates, "density", density_of(r),
                  "described", (json_int_t)r->items, "tags", (json_int_t)r->tags, "rejected", (json_int_t)r->rejects->n,
                  "reasons", reasons, "seconds", seconds_of(r), "steps", steps);
    char *text = report ? json_dumps(report, JSON_COMPACT) : NULL;
    json_decref(report);
    return text;
}
