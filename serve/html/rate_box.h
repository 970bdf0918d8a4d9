/* rate_box: the parts that pages for rating have in common: the box with the search, from which scripts also read
 * the user and the scale, and a rating as text.
 */
#ifndef TRIVET_SERVE_HTML_RATE_BOX_H
#define TRIVET_SERVE_HTML_RATE_BOX_H

#include <stdint.h>

#include "serve/model/ids.h"
#include "serve/model/resident.h"
#include "serve/stores/models.h"
#include "serve/web/out.h"
#include "trivet/base/text.h"
#include "trivet/model/user_document.h"

/* 1 while ratings of the items of `s` are taken, as far as its data are concerned. */
TV_MUST_USE int tv_rate_is_open(struct tv_models *models, const struct tv_resident *s);

/* Where `s` is of another data set than what is loaded, or than the live model, the box says so, and nothing can be rated.
 * Returns 0 then. */
int tv_rate_box(struct tv_out *out, struct tv_models *models, const struct tv_resident *s, const struct tv_id *user);

/* A user's rating of an item, "4.5"; "": there is none, or no user (NULL). `out` holds TV_RATING_TEXT bytes; returns
 * it. */
enum { TV_RATING_TEXT = TV_TEXT_FLOAT };
const char *tv_rating_text(char *out, const struct tv_user_document *user, int64_t item_id);

#endif
