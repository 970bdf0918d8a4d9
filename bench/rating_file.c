/* rating_file: reads line by line; only the first may be something else than a rating. It is a small reader of its own,
 * so that tools can take a file without the formats of lib/read and etl, and time is not spent on them. */
#include "rating_file.h"

#include <stdio.h>

/* Adds every line of the file. */
static enum tv_status read_lines(struct tv_ratings *r, const char *path, struct tv_error *err)
{
    char line[4096];
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return tv_fail(err, TV_ERR_IO, "cannot open %s", path);
    enum tv_status status = TV_OK;
    for (long number = 1; status == TV_OK && fgets(line, sizeof line, f); number++) {
        long long user, item;
        float rating;
        if (sscanf(line, "%lld,%lld,%f", &user, &item, &rating) == 3)
            status = tv_ratings_add(r, user, item, rating, err);
        else if (number > 1)
            status = tv_fail(err, TV_ERR_INPUT, "%s line %ld is not user,item,rating", path, number);
    }
    if (status == TV_OK && ferror(f))
        status = tv_fail(err, TV_ERR_IO, "cannot read %s", path);
    fclose(f);
    return status;
}

enum tv_status rating_file_matrix(struct tv_matrix *out, const char *path, struct tv_error *err)
{
    struct tv_ratings *ratings = NULL;
    enum tv_status status = tv_ratings_create(&ratings, err);
    if (status == TV_OK)
        status = read_lines(ratings, path, err);
    if (status == TV_OK)
        status = tv_ratings_matrix(out, ratings, err);
    tv_ratings_free(ratings);
    return status;
}
