/* handler: the functions that answer routes. Each is given the server and a request, and writes the response. */
#ifndef TRIVET_SERVE_WEB_HANDLER_H
#define TRIVET_SERVE_WEB_HANDLER_H

#include "serve/web/request.h"
#include "serve/web/response.h"

struct tv_app;

/* A handler that answers TV_LATER must have written nothing yet, for it is called once more, from its beginning. */
enum tv_outcome {
    TV_ANSWERED,
    TV_LATER /* a store has to be waited for and request->may_wait is 0: call again where one may wait */
};

typedef enum tv_outcome (*tv_handler)(struct tv_app *app, const struct tv_request *request,
                                      struct tv_response *response);

#endif
