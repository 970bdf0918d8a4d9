/* options: the shape of factors that follows from the options of alternating least squares. */
#include "trivet/core/als/als.h"

int tv_als_columns(const struct tv_als_options *o)
{
    return o->factors + (o->biases && !o->implicit ? 2 : 0);
}
