/* named: counts the things that something could not be done for, with the names of the first few: for one line that
 * tells it, however many there are. */
#ifndef TRIVET_BASE_NAMED_H
#define TRIVET_BASE_NAMED_H

#include <stdint.h>

/* Begins as all zeros; has a fixed size, whatever is added. */
struct tv_named {
    int64_t n;
    char names[160]; /* "17, 23, 99": of the first five; ", ..." where there are more */
    char why[400];   /* of the first */
};

/* `why` (NULL: none) is kept of the first alone. */
void tv_named_add(struct tv_named *n, const char *name, const char *why);
void tv_named_add_int(struct tv_named *n, int64_t name, const char *why);

#endif
