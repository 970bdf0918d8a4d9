/* algorithm: the table of settings, and what is asked of the rows of both tables. Flags, JSON, command lines and the
 * axes of a search are loops over the settings (settings.c, train/search/space.c).
 */
#include "train/learn/algorithm.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Each default stands here once; --help shows the same text. */
#define FACTORS 50
#define SIGMA 0.5
#define ITERATIONS 15
#define SEED           1
#define TEXT_OF(value) #value
#define TEXT(value) TEXT_OF(value)

/* The flags, with the bounds that every other way to give a setting is held to as well (settings.c). lambda has no
 * default here, because its default depends on the algorithm. */
const struct tv_option tv_learn_options[] = {
    {.name = "algorithm",
     .kind = TV_OPTION_CHOICE,
     .value = "NAME",
     .default_text = "svd",
     .choices = TV_LEARN_NAMES,
     .help = "how to factorise: svd takes missing ratings as zeros and ranks well; als fits the ratings there are and "
             "predicts them; als-implicit takes values as counts (plays)"},
    {.name = "factors",
     .alias = "rank",
     .kind = TV_OPTION_INT,
     .value = "K",
     .default_text = TEXT(FACTORS),
     .min = 1,
     .max = 4096,
     .help = "factors a user and an item; without this flag a small matrix gets fewer"},
    {.name = "sigma",
     .kind = TV_OPTION_REAL,
     .value = "A",
     .default_text = TEXT(SIGMA),
     .min = 0,
     .max = 1,
     .help = "svd: how much of the singular values goes to the item side: an exponent from 0 to 1, "
             "of which 0, 0.5 and 1 are usual"},
    {.name = "iterations",
     .alias = "maxIter",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = TEXT(ITERATIONS),
     .min = 1,
     .max = 1000,
     .help = "als: passes over users and items, at the most"},
    {.name = "lambda",
     .alias = "regParam",
     .kind = TV_OPTION_REAL,
     .value = "L",
     .min = 1e-9,
     .max = 1e9,
     .help = "als: regularisation; a user's or item's is L times the number of their ratings (default 0.1); with "
             "als-implicit it is L itself (default 0.01)"},
    {.name = "alpha",
     .kind = TV_OPTION_REAL,
     .value = "A",
     .default_text = TEXT(TV_LEARN_ALPHA),
     .min = 0,
     .max = 1e6,
     .help = "als-implicit: the confidence in a value r is 1 + A r"},
    {.name = "biases",
     .kind = TV_OPTION_SWITCH,
     .help = "als: also learn how generous each user and how liked each item is"},
    {.name = "seed",
     .kind = TV_OPTION_INT,
     .value = "S",
     .default_text = TEXT(SEED),
     .min = 0,
     .max = 9e18,
     .help = "als: the same seed gives the same model, byte for byte"},
    {.name = NULL},
};

#define PLACE(member) offsetof(struct tv_learn_settings, member)

/* The defaults of lambda and alpha are 0 here: that is what algorithms have that do not use them, and those that do
 * give a default of their own (algorithms.c). */
const struct tv_learn_setting tv_learn_setting_rows[] = {
    {.flag = "factors", .kind = TV_LEARN_WHOLE, .offset = PLACE(factors), .value = FACTORS},
    {.flag = "sigma", .kind = TV_LEARN_REAL, .offset = PLACE(sigma), .value = SIGMA, .only_if_set = 1},
    {.flag = "iterations", .kind = TV_LEARN_WHOLE, .offset = PLACE(iterations), .value = ITERATIONS},
    {.flag = "lambda", .kind = TV_LEARN_REAL, .offset = PLACE(lambda)},
    {.flag = "alpha", .kind = TV_LEARN_REAL, .offset = PLACE(alpha)},
    {.flag = "biases", .kind = TV_LEARN_SWITCH, .offset = PLACE(biases), .only_if_set = 1},
    {.flag = "seed", .kind = TV_LEARN_SEED, .offset = PLACE(seed), .value = SEED},
    {.flag = NULL},
};

const struct tv_learn_algorithm *tv_learn_algorithm_of(const char *name)
{
    const struct tv_learn_algorithm *a = tv_learn_algorithms;
    while (a->name && strcmp(a->name, name) != 0)
        a++;
    return a->name ? a : NULL;
}

const char *tv_learn_algorithm_name(const struct tv_learn_settings *s)
{
    return s->algorithm->name;
}

const struct tv_learn_setting *tv_learn_setting_of(const char *flag)
{
    const struct tv_learn_setting *row = tv_learn_setting_rows;
    while (row->flag && strcmp(row->flag, flag) != 0)
        row++;
    return row->flag ? row : NULL;
}

/* The place of a setting among those an algorithm uses; -1: it does not use it. */
static int place_of(const struct tv_learn_algorithm *a, const char *flag)
{
    for (int i = 0; a->settings[i].flag; i++)
        if (strcmp(a->settings[i].flag, flag) == 0)
            return i;
    return -1;
}

int tv_learn_uses(const struct tv_learn_algorithm *a, const char *flag)
{
    return place_of(a, flag) >= 0;
}

double tv_learn_default_of(const struct tv_learn_algorithm *a, const struct tv_learn_setting *row)
{
    int place = place_of(a, row->flag);
    return place < 0 || isnan(a->settings[place].value) ? row->value : a->settings[place].value;
}

/* Returned as a double, for comparing with defaults and for what takes any setting. A large seed is rounded by
 * that, so where a seed is written down the integer itself is taken (settings.c). */
double tv_learn_value(const struct tv_learn_settings *s, const struct tv_learn_setting *row)
{
    const void *at = (const char *)s + row->offset;
    return row->kind == TV_LEARN_REAL   ? *(const double *)at
           : row->kind == TV_LEARN_SEED ? (double)*(const uint64_t *)at
                                        : *(const int *)at;
}
