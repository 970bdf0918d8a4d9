/* handlers: the functions that answer routes for pages and files alone; a page that is an answer of the API's, too,
 * has its handler in serve/api.
 */
#ifndef TRIVET_SERVE_HTML_HANDLERS_H
#define TRIVET_SERVE_HTML_HANDLERS_H

#include "serve/web/handler.h"

/* welcome.c */
enum tv_outcome tv_handle_welcome(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

/* page.c: files that are sent as they are */
enum tv_outcome tv_handle_file(struct tv_app *app, const struct tv_request *request, struct tv_response *response);

#endif
