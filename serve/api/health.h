/* health: handlers for machines that watch the server: whether it lives, whether it is ready, its counters. */
#ifndef TRIVET_SERVE_API_HEALTH_H
#define TRIVET_SERVE_API_HEALTH_H

#include "serve/web/handler.h"

enum tv_outcome tv_handle_healthz(struct tv_app *app, const struct tv_request *request, struct tv_response *response);
enum tv_outcome tv_handle_readyz(struct tv_app *app, const struct tv_request *request, struct tv_response *response);
enum tv_outcome tv_handle_counters(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

#endif
