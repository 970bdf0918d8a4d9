/* algorithm: what algorithms are called. */
#include <string.h>

#include "train/learn/learn.h"

static const char *const names[] = {"svd", "als", "als-implicit"};

const char *learn_algorithm_name(enum learn_algorithm algorithm)
{
    return names[algorithm];
}

int learn_algorithm_of(const char *name)
{
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}
