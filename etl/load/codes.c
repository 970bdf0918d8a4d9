/* codes: text to number by a hash table a kind, the text in blocks. All codes of a load are looked up here, so none
 * costs a question to Postgres.
 */
#include "etl/load/codes.h"

#include <stdlib.h>
#include <string.h>

#include "etl/load/copy_text.h"
#include "trivet/base/buffer.h"
#include "trivet/base/code.h"
#include "trivet/base/hash.h"
#include "trivet/store/pg_copy.h"
#include "trivet/store/pg_rows.h"

enum { BLOCK_BYTES = 1 << 20, COPY_BYTES = 1 << 16 };

/* A code and its number; 0 until it gets one. */
struct entry {
    const char *text; /* NUL-terminated, in a block */
    uint32_t n;
    int64_t id;
};

struct slot {
    uint32_t hash; /* the upper half, so that most others are told apart without their text */
    uint32_t entry; /* index + 1; 0: free */
};

/* The codes of one kind. Slots name entries by their place, which stays when either array grows. */
struct dictionary {
    struct entry *entries; /* in the order of appearance; those from n_known on are new */
    size_t n, capacity, n_known;
    size_t last; /* index + 1 of the entry asked for last; 0: none */
    struct slot *slots; /* (n_slots), a power of two, at most half full */
    size_t n_slots;
};

/* Texts, one behind the other. Blocks are never moved, so entries may point into them. */
struct block {
    struct block *next;
    size_t used;
    char bytes[BLOCK_BYTES];
};

/* Both dictionaries, of users and of items; the numbers they give come from one count. */
struct tv_codes {
    struct dictionary of[TV_CODE_KINDS];
    struct block *blocks;
    int64_t next; /* the number for the next new code, of either kind */
};

static const char *const kind_names[TV_CODE_KINDS] = {"user", "item"};

enum tv_status tv_codes_create(struct tv_codes **out, struct tv_error *err)
{
    struct tv_codes *codes = tv_alloc(1, sizeof *codes, "the dictionary of codes", err);
    if (codes == NULL)
        return TV_ERR_NO_MEMORY;
    codes->next = TV_CODE_FIRST;
    *out = codes;
    return TV_OK;
}

void tv_codes_free(struct tv_codes *codes)
{
    if (codes == NULL)
        return;
    for (struct block *block = codes->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    for (int kind = 0; kind < TV_CODE_KINDS; kind++) {
        free(codes->of[kind].entries);
        free(codes->of[kind].slots);
    }
    free(codes);
}

/* --- the table ----------------------------------------------------------------------------------------- */

/* Compares whole texts: half of a hash is not enough to tell two codes apart. */
static int is_entry(const struct entry *e, const char *text, size_t n)
{
    return e->n == n && memcmp(e->text, text, n) == 0;
}

/* The slot that holds the text, or the free one where it belongs. */
static struct slot *probe(const struct dictionary *d, uint64_t hash, const char *text, size_t n)
{
    size_t i = (size_t)hash & (d->n_slots - 1);
    for (;; i = (i + 1) & (d->n_slots - 1)) {
        struct slot *slot = &d->slots[i];
        if (slot->entry == 0)
            return slot;
        if (slot->hash == hash >> 32 && is_entry(&d->entries[slot->entry - 1], text, n))
            return slot;
    }
}

/* Doubles the slots, or makes the first ones. Slots keep only half of a hash, so the hash of each text is computed
 * anew. */
static enum tv_status grow_slots(struct dictionary *d, struct tv_error *err)
{
    struct dictionary larger = *d;
    larger.n_slots = d->n_slots ? 2 * d->n_slots : 1024;
    larger.slots = tv_alloc(larger.n_slots, sizeof *larger.slots, "the dictionary of codes", err);
    if (larger.slots == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < d->n; i++) {
        const struct entry *e = &d->entries[i];
        uint64_t hash = tv_hash(TV_HASH_START, e->text, e->n);
        *probe(&larger, hash, e->text, e->n) = (struct slot){(uint32_t)(hash >> 32), (uint32_t)i + 1};
    }
    free(d->slots);
    *d = larger;
    return TV_OK;
}

/* Doubles the room for entries. A slot has 32 bits for the place of its entry, which bounds their number. */
static enum tv_status grow_entries(struct dictionary *d, struct tv_error *err)
{
    size_t capacity = d->capacity ? 2 * d->capacity : 1024;
    struct entry *entries = capacity < UINT32_MAX ? realloc(d->entries, capacity * sizeof *entries) : NULL;
    if (entries == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for %zu codes", capacity);
    d->entries = entries;
    d->capacity = capacity;
    return TV_OK;
}

/* Copies a code's text into the newest block, or into a new one. A code has at most TV_CODE_MAX bytes, so it always
 * fits a new block. NULL without memory. */
static const char *keep_text(struct tv_codes *codes, const char *text, size_t n, struct tv_error *err)
{
    struct block *block = codes->blocks;
    if (block == NULL || BLOCK_BYTES - block->used < n + 1) {
        block = tv_alloc(1, sizeof *block, "the dictionary of codes", err);
        if (block == NULL)
            return NULL;
        block->next = codes->blocks;
        codes->blocks = block;
    }
    char *kept = block->bytes + block->used;
    memcpy(kept, text, n);
    kept[n] = '\0';
    block->used += n + 1;
    return kept;
}

/* Returns the entry of a code, or a new one with the id 0; NULL without memory. */
static struct entry *find_or_add(struct tv_codes *codes, enum tv_code_kind kind, const char *text, size_t n,
                                 struct tv_error *err)
{
    struct dictionary *d = &codes->of[kind];
    if (d->last && is_entry(&d->entries[d->last - 1], text, n)) /* in most files a user's rows stand together */
        return &d->entries[d->last - 1];
    if ((2 * d->n >= d->n_slots && grow_slots(d, err) != TV_OK) ||
        (d->n == d->capacity && grow_entries(d, err) != TV_OK))
        return NULL;
    uint64_t hash = tv_hash(TV_HASH_START, text, n);
    struct slot *slot = probe(d, hash, text, n);
    d->last = slot->entry;
    if (slot->entry)
        return &d->entries[slot->entry - 1];
    const char *kept = keep_text(codes, text, n, err);
    if (kept == NULL)
        return NULL;
    d->entries[d->n++] = (struct entry){.text = kept, .n = (uint32_t)n};
    *slot = (struct slot){(uint32_t)(hash >> 32), (uint32_t)d->n};
    return &d->entries[d->n - 1];
}

/* A code that was met before has its number, from this load or from Postgres; a new one takes the next. Users and items
 * share one count. */
enum tv_status tv_codes_number(struct tv_codes *codes, enum tv_code_kind kind, const char *text, size_t n,
                               int64_t *id, struct tv_error *err)
{
    struct entry *e = find_or_add(codes, kind, text, n, err);
    if (e == NULL)
        return TV_ERR_NO_MEMORY;
    if (e->id == 0)
        e->id = codes->next++;
    *id = e->id;
    return TV_OK;
}

size_t tv_codes_new(const struct tv_codes *codes, enum tv_code_kind kind)
{
    return codes->of[kind].n - codes->of[kind].n_known;
}

/* --- Postgres ------------------------------------------------------------------------------------------- */

/* Reads the codes of one kind and goes on counting behind the highest number. Numbers from TV_CODE_SINGLE on are those
 * of codes that came with single ratings; loads count below them, so that the two never give the same number. */
static enum tv_status read_kind(struct tv_codes *codes, struct tv_pg *pg, const char *dataset,
                                enum tv_code_kind kind, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    const char *const values[] = {dataset, kind_names[kind]};
    enum tv_status status =
        tv_pg_query(pg, "SELECT id, code FROM trivet.dataset_codes($1, $2)", 2, values, &rows, err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++) {
        const char *code = tv_pg_cell(rows, i, 1);
        int64_t id = strtoll(tv_pg_cell(rows, i, 0), NULL, 10);
        struct entry *e = find_or_add(codes, kind, code, strlen(code), err);
        if (e == NULL)
            status = TV_ERR_NO_MEMORY;
        else
            e->id = id;
        if (id >= codes->next && id < TV_CODE_SINGLE)
            codes->next = id + 1;
    }
    codes->of[kind].n_known = codes->of[kind].n;
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_codes_read(struct tv_codes *codes, struct tv_pg *pg, const char *dataset, struct tv_error *err)
{
    if (dataset[0] == '\0')
        return TV_OK;
    enum tv_status status = read_kind(codes, pg, dataset, TV_CODE_USER, err);
    return status == TV_OK ? read_kind(codes, pg, dataset, TV_CODE_ITEM, err) : status;
}

/* Appends the new codes of a kind to the COPY, a block at a time. */
static enum tv_status put_kind(const struct tv_codes *codes, enum tv_code_kind kind, struct tv_buffer *out,
                               struct tv_pg *pg, struct tv_error *err)
{
    const struct dictionary *d = &codes->of[kind];
    enum tv_status status = TV_OK;
    for (size_t i = d->n_known; i < d->n && status == TV_OK; i++) {
        status = tv_copy_text_text(out, kind_names[kind], err);
        if (status == TV_OK)
            status = tv_copy_text_int(out, d->entries[i].id, 0, err);
        if (status == TV_OK)
            status = tv_copy_text_text(out, d->entries[i].text, err);
        if (status == TV_OK)
            status = tv_copy_text_end(out, err);
        if (status == TV_OK && (out->size >= COPY_BYTES || i + 1 == d->n)) {
            status = tv_pg_copy_put(pg, out->data, out->size, err);
            tv_buffer_clear(out);
        }
    }
    return status;
}

/* Codes in pg_temp.load_code become visible with the ratings (trivet.load_publish_codes). */
enum tv_status tv_codes_write(const struct tv_codes *codes, struct tv_pg *pg, struct tv_error *err)
{
    struct tv_buffer out = TV_BUFFER_INIT(1 << 20);
    if (tv_codes_new(codes, TV_CODE_USER) + tv_codes_new(codes, TV_CODE_ITEM) == 0)
        return TV_OK;
    enum tv_status status = tv_pg_copy_in(pg, "COPY pg_temp.load_code (kind, id, code) FROM STDIN", err);
    if (status != TV_OK)
        return status;
    status = put_kind(codes, TV_CODE_USER, &out, pg, err);
    if (status == TV_OK)
        status = put_kind(codes, TV_CODE_ITEM, &out, pg, err);
    if (status == TV_OK)
        status = tv_pg_copy_end(pg, NULL, err);
    else
        tv_pg_copy_abort(pg, "the load was given up");
    tv_buffer_free(&out);
    return status;
}
