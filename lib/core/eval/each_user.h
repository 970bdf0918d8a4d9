/* tv_each_user: one function for each of n users, on several threads, with errors and progress in order. */
#ifndef TRIVET_CORE_EVAL_EACH_USER_H
#define TRIVET_CORE_EVAL_EACH_USER_H

#include <stdint.h>

#include "trivet/core/eval/evaluate.h"

/* Calls `work` with every number from 0 to n - 1 once, `thread` being the calling thread's number. After a failure, or
 * where options->progress asks to stop, the rest is left out, and that is returned. */
enum tv_status tv_each_user(int32_t n, const struct tv_evaluate_options *options,
                            enum tv_status (*work)(void *context, int thread, int32_t number, struct tv_error *err),
                            void *context, struct tv_error *err);

#endif
