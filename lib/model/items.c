/* items: titles and other metadata of all items, read once into one array and blocks of text. Each item has several
 * short texts; in blocks they take few allocations instead of one each, and go all at once.
 */
#include "trivet/model/items.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/code.h"
#include "trivet/model/model.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"

/* A block of texts. Blocks are never moved, so that pointers into them stay good while the text grows. */
struct tv_items_text {
    struct tv_items_text *next;
    size_t used, size;
    char bytes[];
};

enum { BLOCK_BYTES = 1 << 20 };

/* Room for n bytes in the newest block; a text longer than a block gets one of its own. NULL without memory. */
static char *text_room(struct tv_items *items, size_t n, struct tv_error *err)
{
    struct tv_items_text *block = items->text;
    if (block == NULL || block->size - block->used < n) {
        size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
        if ((block = tv_alloc(1, sizeof *block + size, "item titles", err)) == NULL)
            return NULL;
        block->next = items->text;
        block->size = size;
        items->text = block;
    }
    char *room = block->bytes + block->used;
    block->used += n;
    return room;
}

/* A copy that lives as long as the items; nothing is copied of an empty text. NULL without memory. */
static const char *keep_text(struct tv_items *items, const char *text, struct tv_error *err)
{
    if (text == NULL || *text == '\0')
        return "";
    size_t n = strlen(text) + 1;
    char *room = text_room(items, n, err);
    return room ? memcpy(room, text, n) : NULL;
}

/* ["Comedy", "Drama"] -> "Comedy|Drama" */
static const char *keep_genres(struct tv_items *items, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct tv_buffer joined = TV_BUFFER_INIT(1 << 20);
    enum tv_status status = TV_OK;
    const char *name;
    for (size_t i = 0; status == TV_OK && tv_mongo_doc_text_at(doc, "genres", i, &name); i++)
        status = tv_buffer_format(&joined, err, "%s%s", joined.size ? "|" : "", name);
    const char *kept = status == TV_OK ? keep_text(items, tv_buffer_string(&joined), err) : NULL;
    tv_buffer_free(&joined);
    return kept;
}

/* The catalogue while it is read, and how many items there is room for. */
struct reading {
    struct tv_items *items;
    size_t capacity;
};

/* Twice as many each time; nothing points into the array before it is complete. */
static enum tv_status grow(struct reading *r, struct tv_error *err)
{
    if (r->items->n < r->capacity)
        return TV_OK;
    size_t capacity = r->capacity ? r->capacity * 2 : 1024;
    struct tv_item *items = realloc(r->items->items, capacity * sizeof *items);
    if (items == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for %zu items", capacity);
    r->items->items = items;
    r->capacity = capacity;
    return TV_OK;
}

/* "" for a field that is missing or no text: such a document is shown with what it has. */
static const char *doc_text(const struct tv_mongo_doc *doc, const char *name)
{
    const char *text;
    return tv_mongo_doc_text(doc, name, &text) ? text : "";
}

/* NULL for an address that is not shown; *failed tells want of memory apart from that. A page links to it, and it
 * comes from the data: so nothing is kept but http and https, which a browser follows without running anything. */
static const char *keep_url(struct tv_items *items, const char *url, int *failed, struct tv_error *err)
{
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return NULL;
    const char *kept = keep_text(items, url, err);
    *failed |= kept == NULL;
    return kept;
}

/* One document of a catalogue. An item without a title is called by its code, or by its number. */
static enum tv_status take_item(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct reading *r = context;
    struct tv_item item = {0};
    int64_t year = 0;
    int failed = 0;
    char unnamed[TV_CODE_MAX + 8];
    if (!tv_mongo_doc_int(doc, "_id", &item.id))
        return tv_fail(err, TV_ERR_CORRUPT, "an item document has no integer _id");
    enum tv_status status = grow(r, err);
    if (status != TV_OK)
        return status;
    const char *title = doc_text(doc, "title");
    const char *code = keep_text(r->items, doc_text(doc, "code"), err);
    if (code && *code)
        snprintf(unnamed, sizeof unnamed, "item %s", code);
    else
        snprintf(unnamed, sizeof unnamed, "item %" PRId64, item.id);
    item.code = code && *code ? code : NULL;
    item.title = keep_text(r->items, *title ? title : unnamed, err);
    item.genres = keep_genres(r->items, doc, err);
    item.imdb_id = keep_text(r->items, doc_text(doc, "imdb_id"), err);
    item.url = keep_url(r->items, doc_text(doc, "url"), &failed, err);
    item.overview = keep_text(r->items, doc_text(doc, "overview"), err);
    item.year = tv_mongo_doc_int(doc, "year", &year) ? (int)year : 0;
    tv_mongo_doc_int(doc, "n", &item.n_ratings);
    tv_mongo_doc_real(doc, "mean", &item.mean_rating);
    if (failed || code == NULL || item.title == NULL || item.genres == NULL || item.imdb_id == NULL || item.overview == NULL)
        return TV_ERR_NO_MEMORY;
    r->items->items[r->items->n++] = item;
    return TV_OK;
}

char *tv_items_collection(char *out, int64_t dataset)
{
    if (dataset != 0)
        return tv_model_catalogue(out, dataset);
    snprintf(out, TV_MODEL_NAME, "item");
    return out;
}

/* Documents come ordered by _id, so the items ascend, as tv_items_find needs it. */
enum tv_status tv_items_read(struct tv_items *out, struct tv_mongo *mongo, int64_t dataset, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    struct reading r = {out, 0};
    *out = (struct tv_items){0};
    enum tv_status status = tv_mongo_each(mongo, tv_items_collection(name, dataset), take_item, &r, err);
    if (status == TV_OK)
        status = tv_items_sort_codes(out, err);
    if (status != TV_OK)
        tv_items_free(out);
    return status;
}

static int by_code(const void *a, const void *b)
{
    return strcmp((*(const struct tv_item *const *)a)->code, (*(const struct tv_item *const *)b)->code);
}

/* The codes point into the array of items, which must not grow afterwards. */
enum tv_status tv_items_sort_codes(struct tv_items *items, struct tv_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < items->n; i++)
        n += items->items[i].code != NULL;
    if (n == 0)
        return TV_OK;
    items->by_code = tv_alloc(n, sizeof *items->by_code, "the codes of items", err);
    if (items->by_code == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < items->n; i++)
        if (items->items[i].code)
            items->by_code[items->n_codes++] = &items->items[i];
    qsort(items->by_code, n, sizeof *items->by_code, by_code);
    return TV_OK;
}

void tv_items_free(struct tv_items *items)
{
    if (items == NULL)
        return;
    for (struct tv_items_text *block = items->text, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(items->by_code);
    free(items->items);
    *items = (struct tv_items){0};
}

const struct tv_item *tv_items_find(const struct tv_items *items, int64_t id)
{
    size_t low = 0, high = items->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items->items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < items->n && items->items[low].id == id ? &items->items[low] : NULL;
}

/* bsearch compares items, so the code is put into one. */
const struct tv_item *tv_items_find_code(const struct tv_items *items, const char *code)
{
    const struct tv_item key = {.code = code}, *wanted = &key;
    const struct tv_item **found =
        items->n_codes ? bsearch(&wanted, items->by_code, items->n_codes, sizeof *items->by_code, by_code) : NULL;
    return found ? *found : NULL;
}
