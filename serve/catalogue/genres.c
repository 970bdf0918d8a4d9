/* genres: the names of a catalogue's genres, and which of them each item has. Filters and the page that asks for
 * ratings compare an item's genres by number; the names are for parameters and pages.
 */
#include "serve/catalogue/genres.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "trivet/base/buffer.h"

/* Calls `take` for each name in "Comedy|Drama"; returns how many there are. Names are no C strings: they end at a
 * bar. NULL only counts. */
static size_t each_name(const char *joined, void (*take)(void *context, const char *name, size_t n),
                        void *context)
{
    size_t names = 0;
    for (const char *at = joined; *at;) {
        size_t n = strcspn(at, "|");
        if (n > 0 && take)
            take(context, at, n);
        names += n > 0;
        at += n + (at[n] == '|');
    }
    return names;
}

/* The context of collect: `end` is where the next name goes in genres->text. */
struct collecting {
    struct tv_genres *genres;
    char *end;
};

static void collect(void *context, const char *name, size_t n)
{
    struct collecting *c = context;
    c->genres->names[c->genres->n++] = memcpy(c->end, name, n);
    c->end += n;
    *c->end++ = '\0';
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two passes: how much room all names take, duplicates included, and then the names, sorted and once each. A name
 * with its NUL takes no more room than it did with its bar. The text keeps the duplicates, to which no name
 * points. */
static enum tv_status collect_names(struct tv_genres *g, const struct tv_items *catalogue,
                                    struct tv_error *err)
{
    size_t names = 0, bytes = 1, distinct = 0;
    for (size_t i = 0; i < catalogue->n; i++) {
        names += each_name(catalogue->items[i].genres, NULL, NULL);
        bytes += strlen(catalogue->items[i].genres) + 1;
    }
    g->names = tv_alloc(names + 1, sizeof *g->names, "the genres", err);
    g->text = tv_alloc(bytes, 1, "the genres", err);
    if (g->names == NULL || g->text == NULL)
        return TV_ERR_NO_MEMORY;
    struct collecting c = {g, g->text};
    for (size_t i = 0; i < catalogue->n; i++)
        each_name(catalogue->items[i].genres, collect, &c);
    qsort(g->names, names, sizeof *g->names, by_name);
    for (size_t i = 0; i < names; i++)
        if (distinct == 0 || strcmp(g->names[i], g->names[distinct - 1]) != 0)
            g->names[distinct++] = g->names[i];
    g->names[distinct] = NULL;
    g->n = distinct;
    return TV_OK;
}

/* The first place whose name does not come before this one: the name's own, because every name is in the list, and
 * longer ones that begin with it come after it. */
static size_t place_of(const struct tv_genres *g, const char *name, size_t n)
{
    size_t low = 0, high = g->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(g->names[middle], name, n);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The context of place: the number of genres written so far. */
struct placing {
    struct tv_genres *genres;
    size_t n;
};

static void place(void *context, const char *name, size_t n)
{
    struct placing *p = context;
    p->genres->of[p->n++] = (int32_t)place_of(p->genres, name, n);
}

/* `names` is complete before items get places in it. On failure *out is empty. */
enum tv_status tv_genres_create(struct tv_genres *out, const struct tv_items *catalogue,
                                const struct tv_item *const *items, int32_t n_items, struct tv_error *err)
{
    size_t total = 0;
    *out = (struct tv_genres){0};
    enum tv_status status = collect_names(out, catalogue, err);
    for (int32_t i = 0; i < n_items; i++)
        total += items[i] ? each_name(items[i]->genres, NULL, NULL) : 0;
    if (status == TV_OK) {
        out->of = tv_alloc(total + 1, sizeof *out->of, "the items' genres", err);
        out->at = tv_alloc((size_t)n_items + 1, sizeof *out->at, "the items' genres", err);
        status = out->of && out->at ? TV_OK : TV_ERR_NO_MEMORY;
    }
    struct placing p = {out, 0};
    for (int32_t i = 0; status == TV_OK && i < n_items; i++) {
        if (items[i])
            each_name(items[i]->genres, place, &p);
        out->at[i + 1] = p.n;
    }
    if (status != TV_OK)
        tv_genres_free(out);
    return status;
}

void tv_genres_free(struct tv_genres *g)
{
    free(g->names);
    free(g->text);
    free(g->of);
    free(g->at);
    *g = (struct tv_genres){0};
}

/* One after the other, because binary search needs the order of strcmp, and people write "comedy" for "Comedy". */
int32_t tv_genres_find(const struct tv_genres *g, const char *name)
{
    for (size_t i = 0; i < g->n; i++)
        if (strcasecmp(g->names[i], name) == 0)
            return (int32_t)i;
    return -1;
}
