/* algorithms: the table of algorithms, one row each. The rows have a file of their own, so that a test can link others
 * in their place. */
#include <math.h>

#include "train/learn/algorithm.h"
#include "train/learn/als.h"
#include "train/learn/svd.h"

/* The remedy of both kinds of ALS: larger regularisation makes factors smaller, and so do ratings of a smaller range.
 */
static const char larger_lambda[] = "train with a larger lambda, or with ratings of a smaller range";

const struct tv_learn_algorithm tv_learn_algorithms[] = {
    {.name = "svd",
     .score_kind = "relevance",
     .bounded = 1,
     .remedy = "train with a larger sigma, which leaves less to the user's side, or with ratings of a smaller range: "
               "of counts "
               "of plays their logarithm",
     .settings = {{"factors", NAN}, {"sigma", NAN}},
     .memory = tv_learn_svd_memory,
     .learn = tv_learn_svd},
    {.name = "als",
     .score_kind = "rating",
     .predicts_ratings = 1,
     .remedy = larger_lambda,
     .settings = {{"factors", NAN}, {"iterations", NAN}, {"lambda", 0.1}, {"seed", NAN}, {"biases", NAN}},
     .memory = tv_learn_als_memory,
     .learn = tv_learn_als},
    {.name = "als-implicit",
     .score_kind = "relevance",
     .takes_counts = 1,
     .remedy = larger_lambda,
     .settings = {{"factors", NAN}, {"iterations", NAN}, {"lambda", 0.01}, {"seed", NAN}, {"alpha", TV_LEARN_ALPHA}},
     .memory = tv_learn_als_memory,
     .learn = tv_learn_als},
    {.name = NULL},
};
