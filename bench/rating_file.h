/* rating_file: a file of lines user,item,rating[,...], with or without a header line, for the tools here. */
#ifndef TRIVET_BENCH_RATING_FILE_H
#define TRIVET_BENCH_RATING_FILE_H

#include "trivet/core/ratings.h"

/* Adds every line of the file to `r`. */
enum tv_status rating_file_read(struct tv_ratings *r, const char *path, struct tv_error *err);

#endif
