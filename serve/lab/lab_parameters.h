/* lab_parameters: the filter and the grid that a request of /lab names, strictly read. The parameters are
 * those of trivet.user_item; names, ranges and defaults come from filter_parameters.h. */
#ifndef TRIVET_SERVE_LAB_LAB_PARAMETERS_H
#define TRIVET_SERVE_LAB_LAB_PARAMETERS_H

#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "trivet/model/filter.h"

/* NULL-terminated, for the table of routes: the filter's parameters, alone and with the others that an address
 * takes. */
extern const char *const tv_lab_of_funnel[], *const tv_lab_of_sweep[], *const tv_lab_of_activity[],
                                                                           *const tv_lab_of_page[];

/* TV_LAB_VALUE: bytes of a parameter; with the words around it, it fits a message. */
enum { TV_LAB_AXIS_VALUES = 20, TV_LAB_VALUE = 400 };

/* A parameter of the filter, and the values of it that a sweep tries. Texts are the request's, the name the
 * program's. */
struct tv_lab_axis {
    const char *name;   /* of a filter parameter; NULL: not given */
    const char *values; /* "5,10,20", as it came */
    size_t n;           /* how many there are */
};

/* All three return 1, or 0 and *problem, which names the parameter. */
TV_MUST_USE int tv_lab_filter(const struct tv_request *request, struct tv_filter **out, struct tv_problem *problem);
/* The two parameters whose values a sweep combines: x, x_values, y, y_values. */
TV_MUST_USE int tv_lab_axes(const struct tv_request *request, struct tv_lab_axis axes[2], struct tv_problem *problem);
/* The page's name for a question of its own, "" if it gives none: letters, digits and dashes. */
TV_MUST_USE int tv_lab_id(const struct tv_request *request, const char **id, struct tv_problem *problem);

#endif
