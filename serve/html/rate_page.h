/* rate_page: the page on which a new user rates a few well-known items. */
#ifndef TRIVET_SERVE_HTML_RATE_PAGE_H
#define TRIVET_SERVE_HTML_RATE_PAGE_H

#include "serve/model/ids.h"
#include "serve/model/resident.h"
#include "serve/stores/models.h"
#include "serve/web/response.h"
#include "trivet/model/user_document.h"

/* `user` may be NULL: nothing is rated yet. */
void tv_rate_page(struct tv_models *models, struct tv_response *response, const struct tv_resident *s,
                  const struct tv_id *id, const struct tv_user_document *user);

#endif
