/* recs_row: the rows of the page of recommendations: poster, title, genres, why, score. */
#ifndef TRIVET_SERVE_HTML_RECS_ROW_H
#define TRIVET_SERVE_HTML_RECS_ROW_H

#include <stdint.h>

#include "serve/api/recs.h"
#include "serve/web/out.h"

/* "The Godfather", an item's title without the year, which stands beside it on its own. `out` holds TV_RECS_TITLE
 * bytes; returns it. */
enum { TV_RECS_TITLE = 512 };
const char *tv_recs_title(char *out, const struct tv_resident *s, int64_t item_id);

/* A row for every item of the ranking; the first fifty say which of the user's ratings contributed most. */
void tv_recs_rows(struct tv_out *out, const struct tv_recs *recs);

#endif
