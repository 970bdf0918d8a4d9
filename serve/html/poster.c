/* poster: a small picture that stands for an item: initials on one of the colours of trivet.css (poster.html). */
#include "serve/html/poster.h"

#include <stdio.h>
#include <string.h>

#include "serve/html/page.h"
#include "trivet/base/hash.h"

enum { COLOURS = 8, INITIALS = 2, LONGEST = 4 }; /* of trivet.css; letters; bytes of a letter in UTF-8 */

/* 1 for a word that is no good initial: an article, or a word that titles write small, such as "of", which is told by
 * its first letter. */
static int is_small(const char *word, size_t n)
{
    return (word[0] >= 'a' && word[0] <= 'z') || (n == 1 && strchr("Aa", word[0])) || (n == 2 && strncmp(word, "An", 2) == 0) ||
           (n == 3 && strncmp(word, "The", 3) == 0);
}

/* The bytes of the UTF-8 character that begins here: continuation bytes begin with the bits 10. */
static size_t letter_bytes(const char *at)
{
    size_t n = 1;
    while (n < LONGEST && ((unsigned char)at[n] & 0xC0) == 0x80)
        n++;
    return n;
}

/* "The Big Lebowski" -> "BL". Small words count only where the title has no other. A letter is taken for four bytes
 * at most, so `out` is large enough for any title. */
static void take_initials(char *out, const char *title)
{
    static const char between[] = " -:,.!?\"()&/";
    size_t used = 0;
    for (int small_too = 0; used == 0 && small_too < 2; small_too++) {
        const char *at = title + strspn(title, between);
        for (int taken = 0; *at && taken < INITIALS; at += strspn(at, between)) {
            size_t n = strcspn(at, between);
            if (small_too || !is_small(at, n)) {
                size_t bytes = letter_bytes(at);
                memcpy(out + used, at, bytes);
                used += bytes;
                taken++;
            }
            at += n;
        }
    }
    out[used] = '\0';
}

void tv_poster(struct tv_out *out, const char *title, int64_t item_id)
{
    char initials[INITIALS * LONGEST + 1], colour[16];
    take_initials(initials, title);
    snprintf(colour, sizeof colour, "%u", (unsigned)(tv_hash(TV_HASH_START, &item_id, sizeof item_id) % COLOURS));
    const struct tv_slot slots[] = {{"colour", colour, NULL}, {"initials", initials, NULL}, {NULL, NULL, NULL}};
    tv_page_fill(out, "poster.html", slots);
}
