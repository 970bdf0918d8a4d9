/* poster: a small picture that stands for an item: its initials on a colour of its own. Drawn here, because nothing
 * on a page comes from elsewhere.
 */
#ifndef TRIVET_SERVE_HTML_POSTER_H
#define TRIVET_SERVE_HTML_POSTER_H

#include <stdint.h>

#include "serve/web/out.h"

/* An inline SVG. The colour follows from the id, so an item looks the same on every page. */
void tv_poster(struct tv_out *out, const char *title, int64_t item_id);

#endif
