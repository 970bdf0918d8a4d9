/* unused: the words for a file beside the ratings that is not used, although it seems to be meant to be. */
#ifndef TRIVET_ETL_DETECT_UNUSED_H
#define TRIVET_ETL_DETECT_UNUSED_H

#include "etl/detect/detect.h"

/* Why the file of this label, which is not used, is not: ": it is ...", behind "not used"; "" where there is nothing to say. Returns `out`. */
char *tv_unused_why(const struct tv_set *set, const char *label, char *out, size_t size);

#endif
