/* name: a name that is given is trimmed and checked before anything is called by it. */
#include "trivet/base/name.h"

#include <string.h>

#include "trivet/base/text.h"

static int is_blank(char c)
{
    return c != '\0' && strchr(" \t\r\n\v\f", c) != NULL;
}

static int has_control(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return 1;
    return 0;
}

/* With the blanks it would be another name that is shown as the one without. */
enum tv_status tv_name_read(char *out, size_t size, const char *given, struct tv_error *err)
{
    while (is_blank(*given))
        given++;
    size_t n = strlen(given);
    while (n > 0 && is_blank(given[n - 1]))
        n--;
    if (n == 0)
        return tv_fail(err, TV_ERR_USAGE, "the name is empty");
    if (n >= size || !tv_text_is_utf8(given, n))
        return tv_fail(err, TV_ERR_USAGE, "the name must be UTF-8 of at most %zu bytes, and has %zu", size - 1, n);
    if (has_control(given, n))
        return tv_fail(err, TV_ERR_USAGE, "the name has a line break, a tab or another control character in it");
    memcpy(out, given, n);
    out[n] = '\0';
    return TV_OK;
}
