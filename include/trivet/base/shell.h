/* shell: words of commands that a program proposes. */
#ifndef TRIVET_BASE_SHELL_H
#define TRIVET_BASE_SHELL_H

#include <stddef.h>

/* A text as one word of a shell's command, in quotes where it needs them; a file's name that begins with "-" gets "./" in front, so that
 * no command takes it for a flag. What does not fit is left out. Returns `out`. */
char *tv_shell_word(char *out, size_t size, const char *text);

#endif
