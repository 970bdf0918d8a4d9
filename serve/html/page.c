/* page: fills templates, and makes the parts that several pages have. Templates and other files of serve/pages are
 * in the program as the table tv_pages, made by the build, so a server needs no files beside it.
 */
#include "serve/html/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "serve/catalogue/words.h"
#include "serve/html/handlers.h"
#include "serve/web/parameters.h"
#include "trivet/base/clock.h"
#include "trivet/base/text.h"
#include "trivet/version.h"

enum { STATIC_SECONDS = 300 }; /* a browser keeps a file for so long, and the old one after an upgrade */

/* Files are looked at one after the other, as there are a few dozen. */
const struct tv_embedded *tv_page_file(const char *name)
{
    for (const struct tv_embedded *file = tv_pages; file->name; file++)
        if (strcmp(file->name, name) == 0)
            return file;
    return NULL;
}

/* Writes the slot whose name is the n bytes at `name`; 0 if there is none. A part that failed makes the whole fail. */
static int fill_slot(struct tv_out *out, const struct tv_slot *slots, const char *name, size_t n)
{
    for (; slots->name; slots++) {
        if (strlen(slots->name) != n || memcmp(slots->name, name, n) != 0)
            continue;
        if (slots->text)
            tv_out_html(out, slots->text);
        else if (slots->html) {
            tv_out_bytes(out, slots->html->buffer.data, slots->html->buffer.size);
            out->failed |= slots->html->failed;
        }
        return 1;
    }
    return 0;
}

/* A slot of the template that is not given, or a template that is not there, is a mistake of ours: the output is
 * marked, and the answer becomes a 500 rather than half a page. */
void tv_page_fill(struct tv_out *out, const char *name, const struct tv_slot *slots)
{
    const struct tv_embedded *file = tv_page_file(name);
    const char *at = file ? file->text : "";
    out->failed |= file == NULL;
    for (const char *open; (open = strstr(at, "{{")) != NULL;) {
        const char *close = strstr(open, "}}");
        tv_out_bytes(out, at, (size_t)(open - at));
        if (close == NULL || !fill_slot(out, slots, open + 2, (size_t)(close - open - 2)))
            out->failed = 1;
        at = close ? close + 2 : "";
    }
    tv_out_text(out, at);
}

/* One unit, cut and not rounded: for an age, "3 hours" is as much as a reader wants. */
char *tv_page_duration(char *out, double seconds)
{
    static const struct {
        double seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    size_t u = 0;
    while (u < 3 && seconds < units[u].seconds)
        u++;
    long long n = seconds < 0 ? 0 : (long long)(seconds / units[u].seconds);
    snprintf(out, 32, "%lld %s%s", n, units[u].name, n == 1 ? "" : "s");
    return out;
}

/* "Model 2, svd, 15 factors: items with more than 10 rating rows, ..." */
static void write_option(struct tv_out *out, const char *value, const char *name,
                         const struct tv_model_info *info, const char *chosen)
{
    char text[sizeof info->filter_text + 128];
    snprintf(text, sizeof text, "%s%s%s, %d factors%s%s", name, info->algorithm[0] ? ", " : "",
             info->algorithm, info->factors, info->filter_text[0] ? ": " : "", info->filter_text);
    const struct tv_slot slots[] = {
        {"value", value, NULL},
        {"text", text, NULL},
        {"selected", chosen && strcmp(chosen, value) == 0 ? "selected" : "", NULL},
        {NULL, NULL, NULL}};
    tv_page_fill(out, "option.html", slots);
}

/* A user id of a form belongs to the live model's data set, so models of another one are offered only to a reader who is
 * at one. */
static int is_offered(const struct tv_model_info *info, const struct tv_resident *live, const char *value,
                      const char *chosen)
{
    return live == NULL || strcmp(info->dataset, live->info.dataset) == 0 || (chosen && strcmp(chosen, value) == 0);
}

/* The live one first, then every model that is kept, newest first, each with the filter it learned through. MongoDB
 * is not asked here: handlers of pages refresh the list before (tv_model_list_refresh), and a problem's page shows
 * those that are known. */
static void write_options(struct tv_out *out, struct tv_models *models, const char *chosen)
{
    struct tv_listed_models *kept = tv_model_list_known(models->model_list);
    struct tv_resident *live = tv_shelf_live(models->shelf);
    char value[24], name[64];
    if (live) {
        snprintf(name, sizeof name, "The live one: model %" PRId64, live->run_number);
        write_option(out, "live", name, &live->info, chosen);
    }
    for (size_t i = kept ? kept->n : 0; i-- > 0;) {
        snprintf(value, sizeof value, "%" PRId64, kept->models[i].info.run_number);
        snprintf(name, sizeof name, "Model %s", value);
        if (is_offered(&kept->models[i].info, live, value, chosen))
            write_option(out, value, name, &kept->models[i].info, chosen);
    }
    tv_resident_release(live);
    tv_model_list_release(kept);
}

/* Pages of problems have the form, too, filled in as it was sent, so that a reader corrects one field. */
void tv_page_form(struct tv_out *out, struct tv_models *models, const struct tv_request *request,
                  const struct tv_out *filters)
{
    const char *user = tv_parameter(request, "user_id"), *top = tv_parameter(request, "top");
    struct tv_out options;
    tv_out_init(&options);
    write_options(&options, models, tv_parameter(request, "model"));
    const struct tv_slot slots[] = {{"user_id", user ? user : "", NULL},
                                    {"top", top ? top : "15", NULL},
                                    {"options", NULL, &options},
                                    {"filters", NULL, filters},
                                    {NULL, NULL, NULL}};
    tv_page_fill(out, "form.html", slots);
    tv_out_free(&options);
}

enum { LONG_VALUE = 40 }; /* a longer one gets a line of its own */

/* A fact that is not told is left out. */
static void write_fact(struct tv_out *out, const char *name, const char *value)
{
    const struct tv_slot slots[] = {{"name", name, NULL},
                                    {"value", value, NULL},
                                    {"kind", strlen(value) > LONG_VALUE ? "wide" : "narrow", NULL},
                                    {NULL, NULL, NULL}};
    if (value[0])
        tv_page_fill(out, "fact.html", slots);
}

static void write_count(struct tv_out *out, const char *name, int64_t n)
{
    char text[32];
    if (n >= 0)
        write_fact(out, name, tv_text_number(text, n));
}

/* Facts that the description does not tell are left out. */
void tv_page_facts(struct tv_out *out, const struct tv_resident *s, int64_t live)
{
    const struct tv_model_info *info = &s->info;
    char text[128], age[32];
    snprintf(text, sizeof text, "%" PRId64 "%s", s->run_number, s->run_number == live ? ", live" : ", not live");
    write_fact(out, "Model", text);
    snprintf(text, sizeof text, "%s ago", tv_page_duration(age, tv_clock_wall() - s->created_at));
    write_fact(out, "Made", text);
    snprintf(text, sizeof text, "%s%s%d factors", info->algorithm, info->algorithm[0] ? ", " : "",
             info->factors ? info->factors : s->factors);
    write_fact(out, "Method", text);
    write_fact(out, "Data", info->data_name);
    write_count(out, "Items", s->n_items);
    write_count(out, tv_words_of(info)->learned, info->rows);
    write_count(out, "Users learned from", info->users);
    write_count(out, "Users folded in", info->users_folded_in);
    write_fact(out, "Filter", info->filter_text);
    write_fact(out, "Source", info->source);
}

/* The banner says on every page that its model learned from generated ratings, so that nobody takes the lists for
 * real taste. */
void tv_page_finish(struct tv_response *response, const char *title, const struct tv_resident *resident,
                    const struct tv_out *content)
{
    struct tv_out banner;
    char dataset[24] = "";
    static const struct tv_slot no_slots[] = {{NULL, NULL, NULL}};
    tv_out_init(&banner);
    if (resident && resident->info.generated)
        tv_page_fill(&banner, "banner.html", no_slots);
    if (resident && resident->dataset)
        snprintf(dataset, sizeof dataset, "%" PRId64, resident->dataset);
    const struct tv_slot slots[] = {{"title", title, NULL},
                                    {"dataset", dataset, NULL},
                                    {"banner", NULL, &banner},
                                    {"content", NULL, content},
                                    {"version", TRIVET_VERSION, NULL},
                                    {NULL, NULL, NULL}};
    response->type = "text/html; charset=utf-8";
    tv_page_fill(&response->out, "layout.html", slots);
    tv_out_free(&banner);
}

/* Every file that a route names has an ending. */
static const char *type_of(const char *name)
{
    const char *end = strrchr(name, '.');
    return strcmp(end, ".css") == 0   ? "text/css; charset=utf-8"
           : strcmp(end, ".svg") == 0 ? "image/svg+xml"
           : strcmp(end, ".js") == 0  ? "text/javascript; charset=utf-8"
                                      : "application/json";
}

/* The name comes from the address, and only addresses in the table of routes come here: no other file can be asked
 * for. */
enum tv_outcome tv_handle_file(struct tv_app *app, const struct tv_request *request,
                               struct tv_response *response)
{
    (void)app;
    const struct tv_embedded *file = tv_page_file(request->path_segments[0]);
    response->out.failed = file == NULL; /* a route without its file would be a mistake of the build */
    if (file) {
        response->type = type_of(file->name);
        response->lent = file->text;
        response->lent_size = file->size;
        response->cache_seconds = STATIC_SECONDS;
    }
    return TV_ANSWERED;
}
