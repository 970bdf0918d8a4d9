/* report: the end of a load in a few lines on standard output, and the same numbers as JSON for trivet.load.report.
 * load.c fills the struct while it works (tv_report_step after each step) and asks for both once the load is visible.
 */
#include "etl/load/report.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "etl/detect/kinds.h"
#include "etl/load/target.h"
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

/* --- what looks wrong ------------------------------------------------------------------------------------------------ */

/* Sets have had up to 16 times as many items as users; so many more, and the columns are likely the other way round. */
static const double swapped = 50;
static const size_t many_items = 1000;

/* A date says itself what year it is of. */
static int is_counted_early(const struct tv_tally_times *times, const struct tv_found *found)
{
    return tv_tally_is_early(times) && !tv_time_is_date(found->forms.time);
}

/* Days and hours since 1970, or seconds since some other moment, are read as seconds since 1970. */
static void warn_of_times(const struct tv_tally_times *times, const struct tv_found *found, char *out, size_t size)
{
    char a[32], b[64], moment[32] = "";
    int is_tags = found->kind->role == TV_ROLE_TAGS;
    time_t seconds = (time_t)(times->first_early / 1000000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm))
        strftime(moment, sizeof moment, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(out, size, "%s of %s before 1990, such as %s: does %.64s%s%.120s count %s? Days times 86400 and hours times 3600 are "
             "seconds; what counts from another moment is that much behind%s", tv_text_number(a, times->early),
             tv_text_are(b, times->n, "time"), moment, found->time[0] ? found->time : "the time", is_tags ? " of " : "",
             is_tags ? found->file->label : "", tv_time_form_name(found->forms.time),
             is_tags || !found->has_header ? "" : "; --columns time=none leaves the column out");
}

/* A number that stands for no rating is the highest or the lowest of all. */
static void warn_of_word(const struct tv_tally_end *end, int low, char *out, size_t size)
{
    char n[64], value[TV_TEXT_FLOAT], next[TV_TEXT_FLOAT];
    tv_text_float(value, low ? -end->value : end->value);
    snprintf(out, size, "%s %s, and no other is %s %s: does %s say that there is no rating? Such lines are to be taken out of the file first",
             tv_text_are(n, end->n, "rating"), value, low ? "below" : "above", tv_text_float(next, low ? -end->next : end->next), value);
}

/* The warnings of a load: what is possible, and hardly ever meant. Returns how many there are. */
static int warn(const struct tv_report *r, char warnings[TV_REPORT_MAX_WARNINGS][800])
{
    const struct tv_tally *t = r->tally;
    char a[64], b[64];
    int n = 0;
    if (r->titles > 0 && r->rated_titles == 0)
        snprintf(warnings[n++], 800, "%s and %s, and no title is of a rated item: are the ids of the two files of one kind? "
                 "trivet-etl inspect shows them", tv_text_count(a, (long long)t->items.n, "rated item"),
                 tv_text_count(b, r->titles, "title"));
    if (!r->set->counts && t->rows > 1 && t->min == t->max)
        snprintf(warnings[n++], 800, "every rating is %s, so there is nothing to learn from the values: is it the right column? where it "
                 "only says that something was seen, --algorithm als-implicit learns from that", tv_text_float(a, t->min));
    for (int low = 0; low < 2 && !r->set->counts; low++)
        if (tv_tally_is_word(low ? &t->low : &t->high))
            warn_of_word(low ? &t->low : &t->high, low, warnings[n++], 800);
    if (t->items.n > many_items && (double)t->items.n > swapped * (double)t->users.n)
        snprintf(warnings[n++], 800, "%s and only %s: are the two columns the right way round? --columns user=...,item=... says which is "
                 "which", tv_text_count(a, (long long)t->items.n, "item"), tv_text_count(b, (long long)t->users.n, "user"));
    const struct tv_found *ratings = &r->set->chosen[TV_ROLE_RATINGS];
    if (is_counted_early(&t->times, ratings))
        warn_of_times(&t->times, ratings, warnings[n++], 800);
    if (is_counted_early(&t->tag_times, &r->set->chosen[TV_ROLE_TAGS]))
        warn_of_times(&t->tag_times, &r->set->chosen[TV_ROLE_TAGS], warnings[n++], 800);
    tv_events_warning(&r->set->events, &ratings->dialect, ratings->file->name, ratings->has_header, warnings[n], 800);
    n += warnings[n][0] != '\0';
    if (r->set->unlike[0])
        snprintf(warnings[n++], 800, "%s", r->set->unlike);
    if (r->set->n_passed_over > 0)
        snprintf(warnings[n++], 800, "%.120s%s like ratings, too, and %s not read: trivet-etl load FILE --append adds what belongs to "
                 "them", r->set->passed_over, r->set->n_passed_over > 1 ? " and other files look" : " looks",
                 r->set->n_passed_over > 1 ? "were" : "was");
    return n;
}

/* A line only where titles were looked for. */
static void print_titles(const struct tv_report *r, FILE *out)
{
    char n[64];
    if (r->titles < 0)
        return;
    long long without = (long long)r->tally->items.n - r->rated_titles, unrated = r->titles - r->rated_titles;
    fprintf(out, "  titles      %s %s none", tv_text_count(n, without, "rated item"), without == 1 ? "has" : "have");
    if (!r->append)
        fprintf(out, ", %s %s no rating", tv_text_count(n, unrated, "title"), unrated == 1 ? "has" : "have");
    fprintf(out, "\n");
}

static void print_warnings(const struct tv_report *r, FILE *out)
{
    char warnings[TV_REPORT_MAX_WARNINGS][800];
    int n = warn(r, warnings);
    for (int i = 0; i < n; i++)
        fprintf(out, "  warning     %s\n", warnings[i]);
}

/* How many lines were refused, by reason, an example of each, and the query that shows all. */
static void print_rejects(const struct tv_report *r, FILE *out)
{
    char number[64];
    fprintf(out, "  rejected    %s", tv_text_count(number, r->rejects->n, "line"));
    for (int i = 0; i < r->rejects->n_reasons; i++)
        fprintf(out, "%s %s x %s", i ? "," : ":", tv_text_number(number, r->rejects->reasons[i].n),
                r->rejects->reasons[i].reason);
    fprintf(out, "\n");
    for (int i = 0; i < r->rejects->n_reasons; i++)
        fprintf(out, "              %s: %s\n", r->rejects->reasons[i].reason, r->rejects->reasons[i].example);
    if (r->rejects->n > 0 && r->load > 0)
        fprintf(out, "              SELECT file, line, reason, raw FROM trivet.reject WHERE load_id = %lld\n",
                (long long)r->load);
}

/* A line only for data that has codes, or for a load that brought some. */
static void print_codes(const struct tv_report *r, FILE *out)
{
    char users[64], items[64];
    size_t new_users = tv_codes_new(r->codes, TV_CODE_USER), new_items = tv_codes_new(r->codes, TV_CODE_ITEM);
    if (new_users || new_items || r->set->codes[TV_CODE_USER] || r->set->codes[TV_CODE_ITEM])
        fprintf(out, "  codes       %s and %s are new in trivet.code\n",
                tv_text_count(users, (long long)new_users, "user"), tv_text_count(items, (long long)new_items, "item"));
}

/* A line of rows that repeat a pair. */
static void print_repeated(FILE *out, const char *title, long long rows)
{
    char n[64];
    fprintf(out, "  %-12s%s %s a pair of user and item\n", title, tv_text_count(n, rows, "row"), rows == 1 ? "repeats" : "repeat");
}

/* The values in two lines: ratings have a scale, and may repeat a pair; counts of plays have a range, and repeated
 * pairs were added up. */
static void print_values(const struct tv_report *r, FILE *out)
{
    char scale[96], n[64], low[TV_TEXT_FLOAT], high[TV_TEXT_FLOAT];
    if (!r->set->counts) {
        fprintf(out, "  scale       %s\n", tv_tally_scale(r->tally, scale));
        print_repeated(out, "duplicates", r->duplicates);
        return;
    }
    fprintf(out, "  counts      %s to %s plays of an item by a user\n", tv_text_float(low, r->tally->min),
            tv_text_float(high, r->tally->max));
    print_repeated(out, "added up", r->added_up);
    if (r->added_to_loaded > 0)
        fprintf(out, "  appended    %s of user and item had plays already: added to them\n", tv_text_count(n, r->added_to_loaded, "pair"));
}

/* A line only where there are any. */
static void print_gave_way(const struct tv_report *r, FILE *out)
{
    char n[64];
    if (r->gave_way > 0)
        fprintf(out, "  single      %s left out: single ratings of the same pairs stay\n", tv_text_count(n, r->gave_way, "row"));
}

/* A line only where there are such times: a wrong unit or a slip of a century. */
static void print_times(const struct tv_report *r, FILE *out)
{
    char n[64];
    if (r->tally->odd_times > 0)
        fprintf(out, "  times       %s %s a time outside 1970 to 2100\n", tv_text_count(n, r->tally->odd_times, "row"),
                r->tally->odd_times == 1 ? "has" : "have");
    if (r->tally->times.early > 0 && !is_counted_early(&r->tally->times, &r->set->chosen[TV_ROLE_RATINGS])) /* of most a warning tells */
        fprintf(out, "  times       %s %s a time between 1970 and 1990\n", tv_text_count(n, r->tally->times.early, "row"),
                r->tally->times.early == 1 ? "has" : "have");
}

/* The seconds in all, and by step. */
static void print_steps(const struct tv_report *r, FILE *out)
{
    fprintf(out, "  seconds     %.2f", seconds_of(r));
    for (int i = 0; i < r->n_steps; i++)
        fprintf(out, "%s %s %.2f", i ? "," : ":", r->steps[i].name, r->steps[i].seconds);
    fprintf(out, "\n");
}

static const char *next_of(const struct tv_report *r)
{
    return r->set->counts ? "trivet-train fit --algorithm als-implicit" : "trivet-train fit";
}

static void print_rows(const struct tv_report *r, FILE *out)
{
    char a[64], b[64], c[64];
    fprintf(out, "  %s     %s, %s, %s\n", r->set->counts ? "plays  " : "ratings", tv_text_count(a, r->tally->rows, "row"),
            tv_text_count(b, (long long)r->tally->users.n, "user"), tv_text_count(c, (long long)r->tally->items.n, "item"));
}

void tv_report_print_read(const struct tv_report *r, FILE *out)
{
    char scale[96];
    print_rows(r, out);
    if (!r->set->counts)
        fprintf(out, "  scale       %s\n", tv_tally_scale(r->tally, scale));
    print_times(r, out);
    print_rejects(r, out);
    print_warnings(r, out);
}

void tv_report_print(const struct tv_report *r, FILE *out)
{
    char a[64], b[64];
    fprintf(out, "load %lld: %s (%s)%s\n", (long long)r->load, r->name, r->set->format,
            r->set->generated ? ", a generated set" : "");
    print_rows(r, out);
    print_values(r, out);
    print_gave_way(r, out);
    print_times(r, out);
    fprintf(out, "  density     %.4g %% of all pairs\n", 100 * density_of(r));
    fprintf(out, "  described   %s, %s\n", tv_text_count(a, r->items, "item"), tv_text_count(b, r->tags, "tag"));
    print_titles(r, out);
    print_codes(r, out);
    print_rejects(r, out);
    print_steps(r, out);
    print_warnings(r, out);
    fprintf(out, "  next        %s%s\n", next_of(r), r->set->counts ? ", which takes values as counts" : "");
    tv_target_print_to_do(r->to_do, out);
}

/* --- as JSON -------------------------------------------------------------------------------------------------------- */

/* Which file was read as what. */
static json_t *files_of(const struct tv_set *set)
{
    json_t *files = json_array();
    for (int role = 0; role < TV_ROLE_COUNT; role++)
        if (set->chosen[role].file)
            json_array_append_new(files, json_pack("{s:s, s:s, s:s}", "file", set->chosen[role].file->label, "role",
                                                   tv_role_name((enum tv_role)role), "read",
                                                   set->chosen[role].how[0] ? set->chosen[role].how + strlen(", ") : ""));
    return files;
}

/* Adds what to type next, and what for. */
static void add_to_do(json_t *report, const struct tv_report *r)
{
    json_t *list = json_array();
    for (int i = 0; r->to_do && i < tv_pg_rows_count(r->to_do); i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "what", tv_pg_cell(r->to_do, i, 0), "hint", tv_pg_cell(r->to_do, i, 1)));
    if (r->to_do)
        json_object_set(report, "to_do", list);
    json_decref(list);
    json_object_set_new(report, "next", json_string(next_of(r)));
    json_object_set_new(report, "files", files_of(r->set));
}

/* Adds what looks wrong, and an example of each reason. */
static void add_sanity(json_t *report, const struct tv_report *r)
{
    char warnings[TV_REPORT_MAX_WARNINGS][800];
    json_t *list = json_array(), *examples = json_object();
    int n = warn(r, warnings);
    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_string(warnings[i]));
    for (int i = 0; i < r->rejects->n_reasons; i++)
        json_object_set_new(examples, r->rejects->reasons[i].reason, json_string(r->rejects->reasons[i].example));
    json_object_set_new(report, "warnings", list);
    json_object_set_new(report, "examples", examples);
    json_object_set_new(report, "odd_times", json_integer(r->tally->odd_times));
    json_object_set_new(report, "early_times", json_integer(r->tally->times.early));
    if (r->titles < 0)
        return;
    json_object_set_new(report, "rated_without_title", json_integer((json_int_t)r->tally->items.n - r->rated_titles));
    if (!r->append)
        json_object_set_new(report, "titles_without_rating", json_integer(r->titles - r->rated_titles));
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
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:f, s:I, s:f, s:I, s:I, s:I, s:o, s:f, s:o}", "values",
                  r->set->counts ? "counts" : "ratings", "added_up", (json_int_t)r->added_up,
                  "added_to_loaded", (json_int_t)r->added_to_loaded, "gave_way", (json_int_t)r->gave_way, "rows",
                  (json_int_t)r->tally->rows, "users", (json_int_t)r->tally->users.n, "items",
                  (json_int_t)r->tally->items.n, "scale", tv_tally_scale(r->tally, scale), "min", (double)r->tally->min,
                  "max", (double)r->tally->max, "duplicates", (json_int_t)r->duplicates, "density", density_of(r),
                  "described", (json_int_t)r->items, "tags", (json_int_t)r->tags, "rejected", (json_int_t)r->rejects->n,
                  "reasons", reasons, "seconds", seconds_of(r), "steps", steps);
    if (report)
        add_sanity(report, r);
    if (report)
        add_to_do(report, r);
    char *text = report ? json_dumps(report, JSON_COMPACT) : NULL;
    json_decref(report);
    return text;
}
