/* svd_tool: the truncated SVD of a file of ratings, for tests and benches.
 *
 *   svd_tool [--factors K] [--threads T] [--repeat R] RATINGS.csv
 *
 * The file has lines user,item,rating[,...] with or without a header line. Prints "sigma" lines with the
 * singular values, then the steps, the residual and the best time of R runs in seconds. Time is that of
 * tv_svd.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "rating_file.h"
#include "trivet/base/clock.h"
#include "trivet/core/svd/svd.h"

static int die(const struct tv_error *err)
{
    fprintf(stderr, "svd_tool: %s\n", err->message);
    return tv_exit_code(err->status);
}

/* Runs `repeat` times; *s is the last result, *seconds the best time. */
static enum tv_status run(struct tv_svd *s, double *seconds, const struct tv_csr *matrix,
                          const struct tv_svd_options *options, int repeat, struct tv_error *err)
{
    *seconds = -1;
    for (int i = 0; i < repeat; i++) {
        tv_svd_free(s);
        double start = tv_clock();
        enum tv_status status = tv_svd(s, matrix, options, err);
        double took = tv_clock() - start;
        if (status != TV_OK)
            return status;
        if (*seconds < 0 || took < *seconds)
            *seconds = took;
    }
    return TV_OK;
}

static void print(const struct tv_svd *s, double seconds)
{
    for (int f = 0; f < s->factors; f++)
        printf("sigma %.9g\n", s->sigma[f]);
    printf("rows %d\ncolumns %d\nsteps %d\nresidual %.3g\nseconds %.6f\n", s->rows, s->cols, s->steps,
           s->residual, seconds);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"factors", required_argument, NULL, 'k'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"repeat", required_argument, NULL, 'r'},
                                          {NULL, 0, NULL, 0}};
    struct tv_svd_options options;
    int repeat = 1, option;
    tv_svd_defaults(&options);
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'k')
            options.factors = atoi(optarg);
        else if (option == 't')
            options.threads = atoi(optarg);
        else if (option == 'r')
            repeat = atoi(optarg);
        else
            return 2;
    }
    if (optind + 1 != argc || repeat < 1) {
        fprintf(stderr, "usage: svd_tool [--factors K] [--threads T] [--repeat R] RATINGS.csv\n");
        return 2;
    }
    struct tv_error err = {0};
    struct tv_matrix matrix = {0};
    struct tv_svd svd = {0};
    double seconds = 0;
    enum tv_status status = rating_file_matrix(&matrix, argv[optind], &err);
    if (status == TV_OK)
        status = run(&svd, &seconds, &matrix.csr, &options, repeat, &err);
    if (status == TV_OK)
        print(&svd, seconds);
    tv_svd_free(&svd);
    tv_matrix_free(&matrix);
    return status == TV_OK ? 0 : die(&err);
}
