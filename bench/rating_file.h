/* rating_file: a file of lines user,item,rating[,...], with or without a header line, for the tools here. */
#ifndef TRIVET_BENCH_RATING_FILE_H
#define TRIVET_BENCH_RATING_FILE_H

#include "trivet/core/ratings.h"

/* The ratings of all lines, as the trainer would have them; the caller frees *out. */
enum tv_status rating_file_matrix(struct tv_matrix *out, const char *path, struct tv_error *err);

#endif
