/* title_index: finds items by words of their titles, in memory. Case, accents and punctuation make no difference:
 * "amelie" finds "Amélie (2001)", "wall e" finds "WALL·E (2008)".
 *
 * A title is folded into words of lower-case letters and digits: compatibility decomposition (Unicode NFKD) and case
 * folding, marks dropped, apostrophes too, all else taken for space. A word of Chinese, Japanese, Korean, Thai and other scripts
 * without blanks is found anywhere: "千尋" finds "千と千尋の神隠し (2001)". A search reads all folded titles one after the
 * other, which for 60,000 takes about 2 ms; there is nothing to keep up to date.
 */
#ifndef TRIVET_SERVE_CATALOGUE_TITLE_INDEX_H
#define TRIVET_SERVE_CATALOGUE_TITLE_INDEX_H

#include <stddef.h>

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"
#include "trivet/model/items.h"

/* Belongs to one catalogue: places are those of tv_items.items. */
struct tv_title_index {
    char *text; /* the folded titles, each NUL-terminated */
    size_t *at; /* (n + 1) where the title of items[i] begins, and the end of the last */
};

enum tv_status tv_title_index_create(struct tv_title_index *out, const struct tv_items *items, struct tv_error *err);
void tv_title_index_free(struct tv_title_index *index); /* also makes it empty */

/* Appends " word word" for UTF-8 text; nothing, where there are no letters or digits in it. */
enum tv_status tv_title_fold(struct tv_buffer *out, const char *text, struct tv_error *err);

/* The items whose titles hold, for each word of the folded query, a word that begins with it (in a script without blanks: that
 * holds it): at most `top` of them in
 * `out`, first those whose title begins with the whole query, then by ratings, then by id. Returns how many of them;
 * *found is how many there are in all. */
size_t tv_title_search(const struct tv_title_index *index, const struct tv_items *items, const char *folded,
                       const struct tv_item **out, size_t top, size_t *found);

#endif
