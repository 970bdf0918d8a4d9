/* model_info: what a model says about itself, read from its description. Every key of the description is optional. */
#ifndef TRIVET_SERVE_MODEL_MODEL_INFO_H
#define TRIVET_SERVE_MODEL_MODEL_INFO_H

#include <stdint.h>

#include "trivet/base/code.h"

enum { TV_MAX_EXAMPLES = 6 };

/* A user that the welcome page offers to look at. */
struct tv_example {
    char user[TV_CODE_MAX + 1]; /* id: a number, or a code */
    int64_t ratings; /* -1: not told */
    char label[512];
};

/* The description's keys that the server uses, copied, so that it outlives the JSON and is shared without locks. */
struct tv_model_info {
    int64_t run_number;  /* the model's */
    int factors;         /* 0: not told */
    char algorithm[24];  /* "" where not told, as all texts here */
    char created_at[40]; /* ISO 8601 */
    /* A text that does not fit ends in "...": these rooms are wide enough for what a person would write. */
    char filter_text[2048];
    char filter_json[16384]; /* the filter's values as a JSON object */
    char source[2048];
    char data_name[1024];
    char dataset[256];            /* name of the data set */
    int user_codes;               /* 1: some users have codes for ids */
    double scale_low, scale_high; /* of ratings; both 0: not told */
    double rate_low, rate_high;   /* what a new rating may be; those of the scale where the data tells no others */
    double rate_step;             /* between the ratings that people give; 0: none */
    int counts;                   /* 1: the values are counts of plays, not ratings */
    int generated;                /* 1: the ratings are generated, not real */
    int64_t rows, users, items, users_folded_in, users_without_factors; /* counts; -1: not told */
    char score_kind[16];                                                /* "relevance" or "rating" */
    int n_examples;
    struct tv_example examples[TV_MAX_EXAMPLES];
};

/* Reads a description (JSON text; may be NULL or broken: then everything is "not told"). */
void tv_model_info_read(struct tv_model_info *info, int64_t run_number, const char *json);

/* A predicted rating may lie outside the scale of ratings; people are shown the nearest one within. Scores of any other
 * kind stay as they are. */
double tv_on_scale(const struct tv_model_info *info, const char *score_kind, double score);

#endif
