/* page: HTML files with slots, {{like_this}}, that travel inside the program.
 *
 * A slot is filled either with text, which is escaped here and nowhere else, or with a part that was itself made
 * from a template. A template must not name a slot that it is not given; where it does, the output is marked as
 * failed.
 */
#ifndef TRIVET_SERVE_HTML_PAGE_H
#define TRIVET_SERVE_HTML_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "serve/model/resident.h"
#include "serve/stores/models.h"
#include "serve/web/out.h"
#include "serve/web/request.h"
#include "serve/web/response.h"
#include "trivet/base/embedded.h"

extern const struct tv_embedded tv_pages[];

/* The filling of one slot, all lent. */
struct tv_slot {
    const char *name;
    const char *text;          /* escaped; NULL: */
    const struct tv_out *html; /* a part made before, as it is; NULL: empty */
};

const struct tv_embedded *tv_page_file(const char *name); /* NULL if there is none */
/* Fills a template; `slots` end with a row without a name. */
void tv_page_fill(struct tv_out *out, const char *file, const struct tv_slot *slots);

/* --- parts that several pages have ---------------------------------------------------------------------- */

/* The form: what it held when it was sent, or the standard values; `filters` are further fields of it, or NULL. */
void tv_page_form(struct tv_out *out, struct tv_models *models, const struct tv_request *request,
                  const struct tv_out *filters);
/* The facts of a model as a list; `live` is the number of the live one. */
void tv_page_facts(struct tv_out *out, const struct tv_resident *resident, int64_t live);
/* Puts `content` into the frame all pages share and makes it the response's body. `resident` may be NULL. */
void tv_page_finish(struct tv_response *response, const char *title, const struct tv_resident *resident,
                    const struct tv_out *content);

/* "3 hours"; `out` holds 32 bytes. */
char *tv_page_duration(char *out, double seconds);

#endif
