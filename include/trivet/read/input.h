/* input: what a load reads from - a folder, a zip archive, or one file - as a flat list of named byte
 * streams.
 *
 * Sub-folders are not entered, except inside an archive, where GroupLens puts everything into one. A stream
 * is read once from its beginning; several may be open at the same time.
 */
#ifndef TRIVET_READ_INPUT_H
#define TRIVET_READ_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

struct tv_input_file {
    char *name;  /* without folder */
    char *path;  /* what opens it: a path, or the entry's name inside the archive */
    double size; /* bytes, uncompressed; 0 where an archive does not tell */
};

struct tv_input {
    char *path; /* as given */
    int is_zip;
    struct tv_input_file *files; /* sorted by name */
    size_t n_files;
};

enum tv_status tv_input_open(struct tv_input **out, const char *path, struct tv_error *err);
void tv_input_close(struct tv_input *input);

/* Bytes from somewhere. `read` puts up to n bytes into `out` and tells how many; 0 is the end. */
struct tv_source {
    enum tv_status (*read)(struct tv_source *s, void *out, size_t n, size_t *got, struct tv_error *err);
    void (*close)(struct tv_source *s); /* frees s */
    double consumed;                    /* bytes handed out so far */
};

enum tv_status tv_source_open(struct tv_source **out, const struct tv_input *input,
                              const struct tv_input_file *file, struct tv_error *err);
/* n bytes of memory, which must outlive the source: for tests and for looking at a first line. */
enum tv_status tv_source_memory(struct tv_source **out, const void *bytes, size_t n, struct tv_error *err);
void tv_source_close(struct tv_source *s); /* NULL is fine */

/* Feeds a file's name and bytes into a running tv_hash. */
enum tv_status tv_input_hash(uint64_t *hash, const struct tv_input *input, const struct tv_input_file *file,
                             struct tv_error *err);

const char *tv_input_library(void); /* "libarchive 3.6.2" */

#endif
