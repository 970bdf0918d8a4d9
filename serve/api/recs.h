/* recs: a ranking on its way into an answer. The page and the JSON are two views of it. */
#ifndef TRIVET_SERVE_API_RECS_H
#define TRIVET_SERVE_API_RECS_H

#include <stdint.h>

#include "serve/model/ids.h"
#include "serve/model/recommend.h"
#include "serve/stores/models.h"
#include "serve/web/request.h"
#include "serve/web/response.h"

/* All of it is lent, for as long as the answer is written. */
struct tv_recs {
    const struct tv_id *id; /* the user's */
    const struct tv_resident *resident;
    const struct tv_user_document *user; /* NULL: unknown */
    const struct tv_item_filter *filter; /* NULL: none was asked for */
    int may_rate;                        /* of a page: 1 if it offers stars */
    struct tv_ranking ranking;
};

/* [{"rank":1,"id":...,"score":...}, ...]: n items of the model with their scores. */
void tv_ranked_json(struct tv_out *out, const struct tv_resident *s, const struct tv_scored *best, size_t n);
/* Sends a browser on (303) to a user's page at that path. */
void tv_lead_to(struct tv_response *response, const char *path, const struct tv_id *user);
/* recs_page.c */
void tv_recs_page(struct tv_models *models, const struct tv_request *request, struct tv_response *response,
                  const struct tv_recs *recs);

#endif
