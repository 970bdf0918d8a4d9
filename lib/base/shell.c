/* shell: what names of files and columns, which may be anything, become in a command that a person may copy. */
#include "trivet/base/shell.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What no shell takes for anything else. */
static int is_plain_word(const char *text)
{
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && strchr("_-./+,:=@%", *p) == NULL)
            return 0;
    return *text != '\0';
}

char *tv_shell_word(char *out, size_t size, const char *text)
{
    const char *quote = is_plain_word(text) ? "" : "'";
    size_t o = (size_t)snprintf(out, size, "%s%s", quote, *text == '-' ? "./" : "");
    for (; *text && o + 6 < size; text++)
        o += (size_t)snprintf(out + o, size - o, *text == '\'' ? "'\\''" : "%c", *text);
    snprintf(out + o, size - o, "%s", quote);
    return out;
}
