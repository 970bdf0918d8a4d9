/* title: titles of items that do not exist. */
#ifndef TRIVET_ETL_SYNTH_TITLE_H
#define TRIVET_ETL_SYNTH_TITLE_H

#include <stddef.h>
#include <stdint.h>

/* The title of item `index` (from 0), e.g. "The Silent Harbor"; different for every index. */
void tv_synth_title(char *out, size_t size, uint64_t index);

#endif
