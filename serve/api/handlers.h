/* handlers: the functions that answer the routes that read, one a route, in files by subject. */
#ifndef TRIVET_SERVE_API_HANDLERS_H
#define TRIVET_SERVE_API_HANDLERS_H

#include "serve/web/handler.h"

/* recs.c */
enum tv_outcome tv_handle_recs(struct tv_app *app, const struct tv_request *request, struct tv_response *response);
enum tv_outcome tv_handle_surprise(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

/* rate.c */
enum tv_outcome tv_handle_rate(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

/* user.c */
enum tv_outcome tv_handle_user(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

/* items.c */
enum tv_outcome tv_handle_item(struct tv_app *app, const struct tv_request *request, struct tv_response *response);
enum tv_outcome tv_handle_items(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

/* similar.c */
enum tv_outcome tv_handle_similar(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

/* explain.c */
enum tv_outcome tv_handle_explain(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

/* predict.c */
enum tv_outcome tv_handle_predict(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

/* older.c */
enum tv_outcome tv_handle_older_rating(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response);
enum tv_outcome tv_handle_older_top(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

/* models.c */
enum tv_outcome tv_handle_models(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

#endif
