/* tv_each_user: blocks of users, one after the other; the users of a block are shared out. Between blocks the calling
 * thread looks for failures and tells the progress, so that neither needs a lock, and an interrupt is seen after 1,024
 * users at the latest. Rankings and predictions are both evaluated through it. */
#include "lib/core/eval/each_user.h"

#include <omp.h>
#include <stdlib.h>

#include "trivet/base/buffer.h"

enum { BLOCK = 1024 };

int tv_evaluate_threads(const struct tv_evaluate_options *o)
{
    return o->threads > 0 ? o->threads : omp_get_max_threads();
}

/* Each thread keeps its own failure and does no more work after it; of several, that of the lowest thread is told. */
static enum tv_status first_failure(const struct tv_error *errors, int threads, struct tv_error *err)
{
    for (int t = 0; t < threads; t++)
        if (errors[t].status != TV_OK) {
            if (err)
                *err = errors[t];
            return errors[t].status;
        }
    return TV_OK;
}

enum tv_status tv_each_user(int32_t n, const struct tv_evaluate_options *options,
                            enum tv_status (*work)(void *context, int thread, int32_t number, struct tv_error *err),
                            void *context, struct tv_error *err)
{
    int threads = tv_evaluate_threads(options);
    struct tv_error *errors = tv_alloc((size_t)threads, sizeof *errors, "threads", err);
    enum tv_status status = errors ? TV_OK : TV_ERR_NO_MEMORY;
    for (int32_t from = 0; from < n && status == TV_OK; from += BLOCK) {
        int32_t to = n - from < BLOCK ? n : from + BLOCK;
#pragma omp parallel for schedule(dynamic, 8) num_threads(threads)
        for (int32_t i = from; i < to; i++) {
            int thread = omp_get_thread_num();
            if (errors[thread].status == TV_OK)
                errors[thread].status = work(context, thread, i, &errors[thread]);
        }
        status = first_failure(errors, threads, err);
        if (status == TV_OK && options->progress && options->progress(options->context, to, n))
            status = tv_fail(err, TV_ERR_INTERRUPTED, "interrupted after %d of %d users", to, n);
        if (to == n)
            break; /* `from` would overflow near 2^31 */
    }
    free(errors);
    return status;
}
