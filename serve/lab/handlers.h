/* handlers: the functions that answer the pages /lab and /models, and the questions of their scripts. */
#ifndef TRIVET_SERVE_LAB_HANDLERS_H
#define TRIVET_SERVE_LAB_HANDLERS_H

#include "serve/web/handler.h"

/* lab_page.c */
enum tv_outcome tv_handle_lab(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

/* lab_answers.c */
enum tv_outcome tv_handle_lab_funnel(struct tv_app *app, const struct tv_request *request,
                                     struct tv_response *response);
enum tv_outcome tv_handle_lab_sweep(struct tv_app *app, const struct tv_request *request, struct tv_response *response);
enum tv_outcome tv_handle_lab_activity(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response);
enum tv_outcome tv_handle_lab_presets(struct tv_app *app, const struct tv_request *request,
                                      struct tv_response *response);
enum tv_outcome tv_handle_lab_stop(struct tv_app *app, const struct tv_request *request, struct tv_response *response);
enum tv_outcome tv_handle_lab_progress(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response);

/* models_page.c */
enum tv_outcome tv_handle_models_page(struct tv_app *app, const struct tv_request *request,
                                      struct tv_response *response);

/* models_answers.c */
enum tv_outcome tv_handle_models_journal(struct tv_app *app, const struct tv_request *request,
                                         struct tv_response *response);
enum tv_outcome tv_handle_models_metrics(struct tv_app *app, const struct tv_request *request,
                                         struct tv_response *response);

#endif
