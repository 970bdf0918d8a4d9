/* title: catalogues sort "Godfather, The" under G; people read "The Godfather".
 *
 * A title is a chain of parts: the title itself, other names in parentheses, the year in parentheses. In each
 * part an article after the last comma goes to its front. Only articles move, so "I, Robot" and "Monsters,
 * Inc." stay.
 */
#include "etl/formats/title.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Articles with an apostrophe or hyphen at the end stand without a blank: L'Avventura. "Da", "I" and "O" are
 * Italian and Portuguese; an English title that ends in ", I" is not known. */
static const char *const articles[] = {
    "The", "A",   "An", "Le",  "La",  "Les", "L'",  "L\u2019", "Un",  "Une", "El",  "Los",  "Las", "Una",
    "Il",  "Lo",  "I",  "Gli", "Uno", "Der", "Die", "Das",     "Den", "Dem", "Ein", "Eine", "Det", "De",
    "Het", "Een", "En", "Ett", "Et",  "O",   "Os",  "As",      "Um",  "Uma", "Da",  "Al-",  NULL};

static const char *const prefixes[] = {"a.k.a. ", "aka ", "AKA ", NULL};

/* The length without the white space at the end. */
static size_t trimmed(const char *text, size_t n)
{
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    return n;
}

/* The bytes of the article at the end of text (after ", "), or 0. */
static size_t article_at_end(const char *text, size_t n)
{
    for (const char *const *a = articles; *a; a++) {
        size_t size = strlen(*a);
        if (n > size + 2 && strncasecmp(text + n - size, *a, size) == 0 &&
            memcmp(text + n - size - 2, ", ", 2) == 0)
            return size;
    }
    return 0;
}

/* One part without its parentheses. A prefix that introduces another name ("a.k.a. ") stays in front of the
 * article. */
static enum tv_status tidy_part(struct tv_buffer *out, const char *text, size_t n, struct tv_error *err)
{
    n = trimmed(text, n);
    size_t size = article_at_end(text, n);
    if (size == 0)
        return tv_buffer_append(out, text, n, err);
    enum tv_status status = TV_OK;
    for (const char *const *p = prefixes; *p; p++) {
        size_t length = strlen(*p);
        if (n > length + size + 2 && memcmp(text, *p, length) == 0) {
            status = tv_buffer_append(out, text, length, err);
            text += length;
            n -= length;
        }
    }
    const char *article = text + n - size;
    int joined =
        article[size - 1] == '\'' || article[size - 1] == '-' || (unsigned char)article[size - 1] >= 0x80;
    if (status == TV_OK)
        status = tv_buffer_append(out, article, size, err);
    if (status == TV_OK && !joined)
        status = tv_buffer_text(out, " ", err);
    return status == TV_OK ? tv_buffer_append(out, text, n - size - 2, err) : status;
}

/* Walks from one pair of parentheses to the next; the text in a pair and the text before it are parts of their own. */
enum tv_status tv_title_tidy(struct tv_buffer *out, const char *text, size_t n, struct tv_error *err)
{
    while (n > 0 && isspace((unsigned char)*text)) {
        text++;
        n--;
    }
    n = trimmed(text, n);
    enum tv_status status = TV_OK;
    for (size_t i = 0; status == TV_OK && i < n;) {
        const char *open = memchr(text + i, '(', n - i),
                   *close = open ? memchr(open, ')', n - (size_t)(open - text)) : NULL;
        if (close == NULL) /* no pair of parentheses is left */
            return tidy_part(out, text + i, n - i, err);
        size_t before = (size_t)(open - text) - i, kept = trimmed(text + i, before);
        status = tidy_part(out, text + i, kept, err);
        if (status == TV_OK) /* the blanks between the parts, and the opening parenthesis */
            status = tv_buffer_append(out, text + i + kept, before - kept + 1, err);
        if (status == TV_OK)
            status = tidy_part(out, open + 1, (size_t)(close - open) - 1, err);
        if (status == TV_OK)
            status = tv_buffer_text(out, ")", err);
        i = (size_t)(close - text) + 1;
    }
    return status;
}

/* Blanks at either end are no other title. */
const char *tv_title_listed(const char *listed, const char *title)
{
    size_t n = strlen(title);
    const char *begin = listed + strspn(listed, " \t");
    return strncmp(begin, title, n) == 0 && begin[n + strspn(begin + n, " \t")] == '\0' ? NULL : listed;
}

/* The number that four digits make, or 0. The caller makes sure that four bytes are there. */
static int four_digits(const char *p)
{
    int year = 0;
    for (int i = 0; i < 4; i++) {
        if (!isdigit((unsigned char)p[i]))
            return 0;
        year = 10 * year + (p[i] - '0');
    }
    return year;
}

/* Looks only at a pair of parentheses that ends the title: "2001: A Space Odyssey" is no year. */
int tv_title_year(const char *text, size_t n)
{
    n = trimmed(text, n);
    if (n < 6 || text[n - 1] != ')')
        return 0;
    size_t open = n - 1;
    while (open > 0 && text[open] != '(')
        open--;
    size_t inside = n - open - 2;
    if (text[open] != '(' || inside < 4)
        return 0;
    int year = four_digits(text + open + 1);
    if (inside == 4)
        return year;
    /* "1974-1975", "1974-", also with the longer dash U+2013 */
    const char *dash = text + open + 5;
    return *dash == '-' || strncmp(dash, "\u2013", 3) == 0 ? year : 0;
}
