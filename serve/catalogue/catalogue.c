/* catalogue: the items of a data set, and what is made of them once. */
#include "serve/catalogue/catalogue.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "trivet/base/buffer.h"

/* Also frees one that is only partly made. */
static void catalogue_free(struct tv_catalogue *c)
{
    for (size_t i = 0; c->texts && i < c->items.n; i++)
        free(atomic_load_explicit(&c->texts[i], memory_order_relaxed));
    free(c->texts);
    tv_title_index_free(&c->titles);
    tv_genres_free(&c->genres);
    tv_items_free(&c->items);
    free(c);
}

enum tv_status tv_catalogue_create(struct tv_catalogue **out, int64_t dataset, struct tv_items *items, struct tv_error *err)
{
    struct tv_catalogue *c = tv_alloc(1, sizeof *c, "a catalogue", err);
    if (c == NULL) {
        tv_items_free(items);
        return TV_ERR_NO_MEMORY;
    }
    *c = (struct tv_catalogue){.dataset = dataset, .items = *items, .references = 1};
    *items = (struct tv_items){0};
    c->bytes = sizeof *c + c->items.n * (sizeof *c->items.items + sizeof *c->texts);
    c->texts = tv_alloc(c->items.n, sizeof *c->texts, "the texts of items", err);
    enum tv_status status = c->texts ? tv_genres_create(&c->genres, &c->items, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = tv_title_index_create(&c->titles, &c->items, err);
    if (status == TV_OK)
        *out = c;
    else
        catalogue_free(c);
    return status;
}

enum tv_status tv_catalogue_read(struct tv_catalogue **out, struct tv_mongo *mongo, int64_t dataset, struct tv_error *err)
{
    struct tv_items items = {0};
    enum tv_status status = tv_items_read(&items, mongo, dataset, err);
    return status == TV_OK ? tv_catalogue_create(out, dataset, &items, err) : status;
}

/* Relaxed is enough: the caller's own reference keeps it in place meanwhile. */
struct tv_catalogue *tv_catalogue_acquire(struct tv_catalogue *c)
{
    atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed);
    return c;
}

void tv_catalogue_release(struct tv_catalogue *c)
{
    /* acq_rel: all reads through this reference come before the free, whichever thread ends up freeing. */
    if (c && atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) == 1)
        catalogue_free(c);
}
