/* ratings: handlers of the routes that change ratings: a list with the older API's answer, a list, plays to be added,
 * one rating, and one taken back. */
#ifndef TRIVET_SERVE_API_RATINGS_H
#define TRIVET_SERVE_API_RATINGS_H

#include "serve/web/handler.h"

enum tv_outcome tv_handle_post_triples(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response);
enum tv_outcome tv_handle_post_ratings(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response);
enum tv_outcome tv_handle_post_plays(struct tv_app *app, const struct tv_request *request,
                                     struct tv_response *response);
enum tv_outcome tv_handle_put_rating(struct tv_app *app, const struct tv_request *request,
                                     struct tv_response *response);
enum tv_outcome tv_handle_delete_rating(struct tv_app *app, const struct tv_request *request,
                                        struct tv_response *response);

#endif
