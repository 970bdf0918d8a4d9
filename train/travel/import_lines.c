/* import_lines: a file of JSON lines becomes rows of a temporary table, many in one statement. */
#include <stdio.h>
#include <stdlib.h>

#include "train/travel/import.h"

/* Sends the gathered values as one JSON array, and empties them. */
static enum tv_status send(const struct tv_import_lines *lines, struct tv_pg *pg, struct tv_buffer *gathered, struct tv_error *err)
{
    if (gathered->size == 0)
        return TV_OK;
    enum tv_status status = tv_buffer_text(gathered, "]", err);
    const char *const values[] = {tv_buffer_string(gathered)};
    if (status == TV_OK)
        status = tv_pg_exec(pg, lines->insert, 1, values, err);
    tv_buffer_clear(gathered);
    return status;
}

/* A quarter of a megabyte a statement: few round trips, and no buffer as large as the file. */
enum tv_status tv_import_send_lines(const struct tv_import_lines *lines, FILE *in, struct tv_pg *pg, struct tv_error *err)
{
    enum { BLOCK = 1 << 18 };
    struct tv_buffer gathered = TV_BUFFER_INIT(lines->most);
    char *line = NULL;
    size_t size = 0;
    enum tv_status status = TV_OK;
    for (long long number = 1; status == TV_OK && getline(&line, &size, in) > 0; number++) {
        status = lines->take(lines->context, line, number, &gathered, err);
        if (status == TV_OK && gathered.size >= BLOCK)
            status = send(lines, pg, &gathered, err);
    }
    if (status == TV_OK)
        status = send(lines, pg, &gathered, err);
    free(line);
    tv_buffer_free(&gathered);
    return status;
}
