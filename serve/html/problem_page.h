/* problem_page: the answer to a request that has a problem: to browsers a page with the form filled in, to
 * everybody else JSON.
 */
#ifndef TRIVET_SERVE_HTML_PROBLEM_PAGE_H
#define TRIVET_SERVE_HTML_PROBLEM_PAGE_H

#include "serve/stores/models.h"
#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "serve/web/response.h"

/* Writes the answer in the shape the request wants; the page's form offers the models there are. */
void tv_problem_answer(struct tv_models *models, const struct tv_request *request, struct tv_response *response,
                       const struct tv_problem *problem);

#endif
