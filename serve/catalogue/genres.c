/* genres: the names of a catalogue's genres, and which of them each item has. Filters and the page that asks for
 * ratings compare an item's genres by number; the names are for parameters and pages.
 */
#include "serve/catalogue/genres.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "trivet/base/buffer.h"

/* One name of "Comedy|Drama", which is no C string: it ends at a bar. */
struct name {
    const char *text;
    size_t n;
    int32_t number; /* in the order in which names were first seen */
};

/* Goes on to the next name that is not empty; 0 at the end. *at begins as the joined names. */
static int next_name(const char **at, struct name *name)
{
    while (**at == '|')
        ++*at;
    name->text = *at;
    name->n = strcspn(*at, "|");
    *at += name->n;
    return name->n > 0;
}

/* As strcmp orders the names. */
static int by_name(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* Names while they are collected, each once. There are few, and items many, so they are looked up in a tree (tsearch). */
struct collecting {
    void *tree;
    struct name **names; /* (n) by number; owned */
    size_t n, capacity;
};

static void forget(struct collecting *c)
{
    for (size_t i = 0; i < c->n; i++) {
        tdelete(c->names[i], &c->tree, by_name);
        free(c->names[i]);
    }
    free(c->names);
}

/* The name's number, or -1 without memory. The text stays where it is as long as the tree is there, so it is not copied. */
static int32_t number_of(struct collecting *c, const struct name *name)
{
    struct name **found = tfind(name, &c->tree, by_name), *own;
    if (found)
        return (*found)->number;
    if (c->n == c->capacity) {
        size_t capacity = c->capacity ? c->capacity * 2 : 32;
        struct name **names = realloc(c->names, capacity * sizeof *names);
        if (names == NULL)
            return -1;
        c->names = names;
        c->capacity = capacity;
    }
    if ((own = malloc(sizeof *own)) == NULL)
        return -1;
    *own = *name;
    own->number = (int32_t)c->n;
    if (tsearch(own, &c->tree, by_name) == NULL) {
        free(own);
        return -1;
    }
    c->names[c->n] = own;
    return (int32_t)c->n++;
}

/* Writes the rows, by number. */
static enum tv_status write_rows(struct tv_genres *g, struct collecting *c, const struct tv_items *catalogue, struct tv_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < catalogue->n; i++) {
        struct name name;
        for (const char *at = catalogue->items[i].genres; next_name(&at, &name);)
            if ((g->of[n++] = number_of(c, &name)) < 0)
                return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the genres");
        g->at[i + 1] = n;
    }
    return TV_OK;
}

static int by_name_of(const void *a, const void *b)
{
    return by_name(*(struct name *const *)a, *(struct name *const *)b);
}

/* Puts the names into their order, and into the rows places instead of numbers. */
static enum tv_status settle(struct tv_genres *g, struct collecting *c, size_t total, struct tv_error *err)
{
    size_t bytes = 0, used = 0;
    for (size_t i = 0; i < c->n; i++)
        bytes += c->names[i]->n + 1;
    int32_t *place = tv_alloc(c->n, sizeof *place, "the genres", err);
    g->names = tv_alloc(c->n + 1, sizeof *g->names, "the genres", err);
    g->text = tv_alloc(bytes, 1, "the genres", err);
    if (place == NULL || g->names == NULL || g->text == NULL) {
        free(place);
        return TV_ERR_NO_MEMORY;
    }
    if (c->n > 0)
        qsort(c->names, c->n, sizeof *c->names, by_name_of);
    for (; g->n < c->n; g->n++) {
        const struct name *name = c->names[g->n];
        place[name->number] = (int32_t)g->n;
        g->names[g->n] = memcpy(g->text + used, name->text, name->n); /* the block is all zero */
        used += name->n + 1;
    }
    for (size_t i = 0; i < total; i++)
        g->of[i] = place[g->of[i]];
    free(place);
    return TV_OK;
}

enum tv_status tv_genres_create(struct tv_genres *out, const struct tv_items *catalogue, struct tv_error *err)
{
    struct collecting c = {0};
    struct name name;
    size_t total = 0;
    *out = (struct tv_genres){0};
    for (size_t i = 0; i < catalogue->n; i++)
        for (const char *at = catalogue->items[i].genres; next_name(&at, &name);)
            total++;
    out->of = tv_alloc(total, sizeof *out->of, "the items' genres", err);
    out->at = tv_alloc(catalogue->n + 1, sizeof *out->at, "the items' genres", err);
    enum tv_status status = out->of && out->at ? write_rows(out, &c, catalogue, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = settle(out, &c, total, err);
    forget(&c);
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
