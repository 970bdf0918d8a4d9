/* options: the defaults of alternating least squares, and the shape of factors that follows from options. The trainer
 * starts from these defaults and then puts its own settings in; benches and tests use them as they are. */
#include "trivet/core/als/als.h"

void tv_als_defaults(struct tv_als_options *o, int implicit)
{
    *o = (struct tv_als_options){.implicit = implicit != 0,
                                 .biases = 0,
                                 .factors = implicit ? 64 : 50,
                                 .iterations = 15,
                                 .lambda = implicit ? 0.01 : 0.065,
                                 .alpha = 1,
                                 .seed = 1};
}

int tv_als_columns(const struct tv_als_options *o)
{
    return o->factors + (o->biases && !o->implicit ? 2 : 0);
}
