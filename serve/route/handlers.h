/* handlers: one function a route, in files by subject. Each takes a request and writes the response; see
 * route.h. */
#ifndef TRIVET_SERVE_ROUTE_HANDLERS_H
#define TRIVET_SERVE_ROUTE_HANDLERS_H

#include "serve/route/route.h"

/* recs.c */
enum tv_outcome tv_handle_recs(struct tv_app *app, const struct tv_request *request,
                               struct tv_response *response);
enum tv_outcome tv_handle_surprise(struct tv_app *app, const struct tv_request *request,
                                   struct tv_response *response);
/* rate.c */
enum tv_outcome tv_handle_rate(struct tv_app *app, const struct tv_request *request,
                               struct tv_response *response);
/* user.c */
enum tv_outcome tv_handle_user(struct tv_app *app, const struct tv_request *request,
                               struct tv_response *response);
/* items.c */
enum tv_outcome tv_handle_item(struct tv_app *app, const struct tv_request *request,
                               struct tv_response *response);
enum tv_outcome tv_handle_items(struct tv_app *app, const struct tv_request *request,
                                struct tv_response *response);
/* explain.c */
enum tv_outcome tv_handle_explain(struct tv_app *app, const struct tv_request *request,
                                  struct tv_response *response);
/* predict.c */
enum tv_outcome tv_handle_predict(struct tv_app *app, const struct tv_request *request,
                                  struct tv_response *response);
/* older.c */
enum tv_outcome tv_handle_older_rating(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response);
enum tv_outcome tv_handle_older_top(struct tv_app *app, const struct tv_request *request,
                                    struct tv_response *response);
/* similar.c */
enum tv_outcome tv_handle_similar(struct tv_app *app, const struct tv_request *request,
                                  struct tv_response *response);
/* ratings.c */
enum tv_outcome tv_handle_post_triples(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response);
enum tv_outcome tv_handle_post_ratings(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response);
enum tv_outcome tv_handle_put_rating(struct tv_app *app, const struct tv_request *request,
                                     struct tv_response *response);
enum tv_outcome tv_handle_delete_rating(struct tv_app *app, const struct tv_request *request,
                                        struct tv_response *response);
/* models.c */
enum tv_outcome tv_handle_models(struct tv_app *app, const struct tv_request *request,
                                 struct tv_response *response);
/* models_page.c */
enum tv_outcome tv_handle_models_page(struct tv_app *app, const struct tv_request *request,
                                      struct tv_response *response);
/* models_answers.c */
enum tv_outcome tv_handle_models_journal(struct tv_app *app, const struct tv_request *request,
                                         struct tv_response *response);
enum tv_outcome tv_handle_models_metrics(struct tv_app *app, const struct tv_request *request,
                                         struct tv_response *response);
/* welcome.c */
enum tv_outcome tv_handle_welcome(struct tv_app *app, const struct tv_request *request,
                                  struct tv_response *response);
/* lab_page.c */
enum tv_outcome tv_handle_lab(struct tv_app *app, const struct tv_request *request,
                              struct tv_response *response);
/* lab_answers.c */
enum tv_outcome tv_handle_lab_funnel(struct tv_app *app, const struct tv_request *request,
                                     struct tv_response *response);
enum tv_outcome tv_handle_lab_sweep(struct tv_app *app, const struct tv_request *request,
                                    struct tv_response *response);
enum tv_outcome tv_handle_lab_activity(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response);
enum tv_outcome tv_handle_lab_presets(struct tv_app *app, const struct tv_request *request,
                                      struct tv_response *response);
enum tv_outcome tv_handle_lab_stop(struct tv_app *app, const struct tv_request *request,
                                   struct tv_response *response);
enum tv_outcome tv_handle_lab_progress(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response);
/* health.c */
enum tv_outcome tv_handle_healthz(struct tv_app *app, const struct tv_request *request,
                                  struct tv_response *response);
enum tv_outcome tv_handle_readyz(struct tv_app *app, const struct tv_request *request,
                                 struct tv_response *response);
enum tv_outcome tv_handle_metrics(struct tv_app *app, const struct tv_request *request,
                                  struct tv_response *response);
/* page.c: files that are sent as they are */
enum tv_outcome tv_handle_file(struct tv_app *app, const struct tv_request *request,
                               struct tv_response *response);

#endif
