/* filter_form: filters on the page of recommendations: their fields, what they left out, and what to do about an empty
 * list. item_filter.h tells what each means.
 */
#ifndef TRIVET_SERVE_HTML_FILTER_FORM_H
#define TRIVET_SERVE_HTML_FILTER_FORM_H

#include "serve/api/recs.h"
#include "serve/web/out.h"
#include "serve/web/request.h"

/* The fields, as they stood when the form was sent; genres are those of the catalogue. */
void tv_filter_form(struct tv_out *out, const struct tv_request *request, const struct tv_resident *s);
/* The number of items that each filter left out; nothing without a filter. */
void tv_filter_removed(struct tv_out *out, const struct tv_recs *recs);
/* Instead of rows: the reason why there are none, and which filter to loosen. */
void tv_filter_none(struct tv_out *out, const struct tv_recs *recs);

#endif
