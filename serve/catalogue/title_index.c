/* title_index: finds items by words of their titles. Titles and queries are folded by the same function, so that
 * equal means equal bytes; a search is memmem over all folded titles.
 */
#include "serve/catalogue/title_index.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "trivet/base/text.h"

/* Letters that NFKD does not decompose, with the letters that people without a key for them type. */
static const struct {
    ucs4_t letter;
    const char *plain;
} stroked[] = {{0xF8, "o"},  {0x142, "l"},  {0x111, "d"}, {0x127, "h"}, {0x131, "i"},
               {0xE6, "ae"}, {0x153, "oe"}, {0xF0, "d"},  {0xFE, "th"}};

/* Scripts whose words no blank divides, or whose words are put together without one, as Korean's are. Nobody can tell where a
 * word begins in them, so what is looked for may begin at any letter. */
static const char *const unspaced[] = {"Han",  "Hiragana", "Katakana", "Hangul",  "Bopomofo", "Yi",
                                       "Thai", "Lao",      "Khmer",    "Myanmar", "Tibetan"};

/* The state of tv_title_fold between two characters. */
struct case_folding {
    struct tv_buffer *out;
    int inside;   /* 1: in a word, so the next letter begins none */
    int unspaced; /* 1: the word's letters are of such a script */
};

static int is_unspaced(ucs4_t c)
{
    const uc_script_t *script = c < 0x0E00 ? NULL : uc_script(c); /* the first of them is Thai */
    for (size_t i = 0; script && i < sizeof unspaced / sizeof *unspaced; i++)
        if (strcmp(script->name, unspaced[i]) == 0)
            return 1;
    return 0;
}

/* The word that follows ends where the kind of script changes: "2001年" is two words. Letters that go with any script, such as the mark
 * that makes a vowel of Katakana long, end none. */
static void look_at_script(struct case_folding *f, ucs4_t c)
{
    if (uc_is_general_category(c, UC_MODIFIER_LETTER))
        return;
    int now = is_unspaced(c);
    if (now != f->unspaced)
        f->inside = 0;
    f->unspaced = now;
}

/* Appends bytes of a word; the blank ahead of each word is what holds_words looks for. */
static enum tv_status put(struct case_folding *f, const char *bytes, size_t n, struct tv_error *err)
{
    enum tv_status status = f->inside ? TV_OK : tv_buffer_append(f->out, " ", 1, err);
    f->inside = 1;
    return status == TV_OK ? tv_buffer_append(f->out, bytes, n, err) : status;
}

/* Marks and apostrophes are left out without ending the word: "Amélie" is one word, and so is "Schindler's", as
 * "schindlers". */
static enum tv_status fold_letter(struct case_folding *f, ucs4_t c, const uint8_t *bytes, size_t n,
                                  struct tv_error *err)
{
    for (size_t i = 0; i < sizeof stroked / sizeof *stroked; i++)
        if (stroked[i].letter == c)
            return put(f, stroked[i].plain, strlen(stroked[i].plain), err);
    int counts = uc_is_general_category(c, UC_LETTER) || uc_is_general_category(c, UC_NUMBER);
    if (counts)
        look_at_script(f, c);
    if (counts)
        return put(f, (const char *)bytes, n, err);
    if (!uc_is_general_category(c, UC_MARK) && c != '\'' && c != 0x2019)
        f->inside = 0;
    return TV_OK;
}

/* A copy with a blank in place of each byte that is no UTF-8, because u8_casefold fails on such a text as a whole,
 * and the item should be found by the rest of its title. The caller frees it. */
static uint8_t *mended(const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    for (size_t i = 0; copy && i < size; i++) {
        size_t good = tv_text_utf8_prefix(text + i, size - i);
        memcpy(copy + i, text + i, good);
        i += good;
        copy[i] = ' ';
    }
    return (uint8_t *)copy;
}

static int is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return 0;
    return 1;
}

/* Most titles are ASCII, where all that Unicode says of them is this; a catalogue of a million is folded in a fifth of the time. */
static enum tv_status fold_ascii(struct case_folding *f, const char *text, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (; status == TV_OK && *text; text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 'a' - 'A') : *text;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            status = put(f, &c, 1, err);
        } else if (c != '\'')
            f->inside = 0;
    }
    return status;
}

/* u8_casefold decomposes and folds case in one call, as the two must go together (Unicode, 3.13); what is left is
 * to drop marks and to cut words, letter by letter. */
enum tv_status tv_title_fold(struct tv_buffer *out, const char *text, struct tv_error *err)
{
    struct case_folding f = {out, 0, 0};
    if (is_ascii(text))
        return fold_ascii(&f, text, err);
    size_t size = strlen(text), n = 0;
    uint8_t *readable = mended(text, size);
    uint8_t *folded = readable ? u8_casefold(readable, size, NULL, UNINORM_NFKD, NULL, &n) : NULL;
    free(readable);
    if (folded == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a title");
    enum tv_status status = TV_OK;
    for (size_t i = 0; status == TV_OK && i < n;) {
        ucs4_t c;
        int bytes = u8_mbtouc(&c, folded + i, n - i);
        status = fold_letter(&f, c, folded + i, (size_t)bytes, err);
        i += (size_t)bytes;
    }
    free(folded);
    return status;
}

/* All titles are in one block, which a search reads from begin to end. */
enum tv_status tv_title_index_create(struct tv_title_index *out, const struct tv_items *items, struct tv_error *err)
{
    struct tv_buffer text;
    tv_buffer_init(&text, SIZE_MAX / 2); /* as large as the catalogue is */
    *out = (struct tv_title_index){.at = tv_alloc(items->n + 1, sizeof *out->at, "the titles", err)};
    enum tv_status status = out->at ? TV_OK : TV_ERR_NO_MEMORY;
    for (size_t i = 0; status == TV_OK && i < items->n; i++) {
        out->at[i] = text.size;
        status = tv_title_fold(&text, items->items[i].title, err);
        if (status == TV_OK)
            status = tv_buffer_append(&text, "", 1, err);
    }
    if (out->at)
        out->at[items->n] = text.size;
    out->text = text.data;
    if (status != TV_OK)
        tv_title_index_free(out);
    return status;
}

void tv_title_index_free(struct tv_title_index *index)
{
    free(index->text);
    free(index->at);
    *index = (struct tv_title_index){0};
}

/* 1 if the word after the blank at `word` is of a script whose words nobody divides. */
static int may_be_inside(const char *word)
{
    ucs4_t c;
    if (u8_mbtouc(&c, (const uint8_t *)word + 1, strlen(word + 1)) <= 0)
        return 0;
    return is_unspaced(c);
}

/* What a title must hold for a word of the query, within the folded query. Folded texts have a blank ahead of every word, also
 * the first, so the word with its blank is found where words begin; without it, anywhere. */
struct needle {
    const char *text;
    size_t n;
};

static int longer_first(const void *a, const void *b)
{
    const struct needle *x = a, *y = b;
    return (x->n < y->n) - (x->n > y->n);
}

/* The query's words, the longest first: few titles hold it, and only those are asked for the others. Returns how many there are;
 * `out` has room for half the query's length. */
static size_t find_needles(const char *folded, struct needle *out)
{
    size_t n = 0;
    for (const char *at = folded; *at;) {
        size_t size = 1 + strcspn(at + 1, " "), skip = (size_t)may_be_inside(at);
        out[n++] = (struct needle){at + skip, size - skip};
        at += size;
    }
    qsort(out, n, sizeof *out, longer_first);
    return n;
}

static int holds(const char *title, size_t size, const struct needle *needles, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memmem(title, size, needles[i].text, needles[i].n) == NULL)
            return 0;
    return 1;
}

/* A title that has all words of the query. */
struct match {
    const struct tv_item *item;
    int begins; /* 1: the title begins with the whole query */
};

static int is_better(struct match a, struct match b)
{
    if (a.begins != b.begins)
        return a.begins;
    if (a.item->n_ratings != b.item->n_ratings)
        return a.item->n_ratings > b.item->n_ratings;
    return a.item->id < b.item->id;
}

/* The best so far, in order; there is room for one more than `top`. */
struct best {
    struct match *matches;
    size_t n, top;
};

/* By insertion: `top` is small, and a match that is worse than the last of the best moves nothing. */
static void keep(struct best *best, struct match match)
{
    size_t at = best->n;
    for (; at > 0 && is_better(match, best->matches[at - 1]); at--)
        best->matches[at] = best->matches[at - 1];
    best->matches[at] = match;
    best->n += best->n < best->top;
}

/* One search for the first needle through all titles as they lie, so that where it is rare nearly all the time is memmem's. */
static size_t search(const struct tv_title_index *index, const struct tv_items *items, const char *folded,
                     const struct needle *needles, size_t n_needles, struct best *best)
{
    const char *end = index->text + index->at[items->n], *hit = index->text;
    size_t length = strlen(folded), found = 0, place = 0;
    while (place < items->n && (hit = memmem(hit, (size_t)(end - hit), needles->text, needles->n)) != NULL) {
        while (index->text + index->at[place + 1] <= hit)
            place++;
        const char *title = index->text + index->at[place], *after = index->text + index->at[++place];
        if (holds(title, (size_t)(after - title), needles + 1, n_needles - 1)) {
            keep(best, (struct match){&items->items[place - 1], strncmp(title, folded, length) == 0});
            found++;
        }
        hit = after;
    }
    return found;
}

/* Without memory nothing is found, as for a query without words. */
size_t tv_title_search(const struct tv_title_index *index, const struct tv_items *items, const char *folded,
                       const struct tv_item **out, size_t top, size_t *found)
{
    struct needle *needles = malloc((strlen(folded) / 2 + 1) * sizeof *needles);
    struct best best = {malloc((top + 1) * sizeof *best.matches), 0, top};
    size_t n = needles ? find_needles(folded, needles) : 0;
    *found = n > 0 && best.matches ? search(index, items, folded, needles, n, &best) : 0;
    for (size_t i = 0; i < best.n; i++)
        out[i] = best.matches[i].item;
    free(needles);
    free(best.matches);
    return best.n;
}
