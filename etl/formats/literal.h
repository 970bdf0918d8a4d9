/* literal: Python literals, in which The Movies Dataset keeps its lists, as JSON values. */
#ifndef TRIVET_ETL_FORMATS_LITERAL_H
#define TRIVET_ETL_FORMATS_LITERAL_H

#include <jansson.h>
#include <stddef.h>

/* Lists, tuples, dictionaries with string keys, strings ('..' or "..", with escapes), numbers, None, True, False, at
 * most 32 deep. The whole text must be one literal. Returns a new reference, or NULL if it is none. */
json_t *tv_literal_parse(const char *text, size_t n);

#endif
