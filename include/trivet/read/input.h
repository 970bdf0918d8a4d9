/* input: the folder, archive or single file that a load reads from, as a flat list of named byte streams.
 *
 * Sub-folders are not entered, except inside an archive, where GroupLens puts everything into one. A file that is packed by itself,
 * as ratings.csv.gz or as all there is in ratings.csv.zip, is as good as the file, also in a folder. A stream is read once from its
 * beginning; several may be open at the same time. Of entries of one path the last counts, as it does for those who unpack them: tar -r
 * puts the newer one behind the older.
 */
#ifndef TRIVET_READ_INPUT_H
#define TRIVET_READ_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

/* One file of the list; the texts and the head are owned by the input. */
struct tv_input_file {
    char *name;    /* without folder */
    char *label;   /* for people: the name; with its folder, or its archive, where another file is called the same */
    char *path;    /* to open it by: a path, or the entry's name inside the archive */
    char *archive; /* the path of the archive it lies in, or NULL */
    size_t entry;  /* which of the archive's entries it is: names may stand there more than once */
    double size;   /* bytes, uncompressed; 0 where an archive does not tell */
    int is_archive; /* an archive of several files beside others, or inside another: it is not looked into */
    char *head;     /* n_head first bytes, where it costs much to reach the file again; or NULL */
    size_t n_head;
    int whole; /* the head is all of the file */
};

/* The list, owned by its opener until tv_input_close. */
struct tv_input {
    char *path; /* as given */
    const char *packing; /* "in a zip archive"; NULL: it is a folder, or a file as it is */
    struct tv_input_file *files; /* sorted by name */
    size_t n_files;
};

/* Lists the files; none is opened yet. TV_ERR_INPUT with a hint where the path leads nowhere, an archive is damaged, or
 * a file is packed in a way that is not read; TV_ERR_IO for a folder that cannot be read. *out is the caller's to
 * close. */
enum tv_status tv_input_open(struct tv_input **out, const char *path, struct tv_error *err);
void tv_input_close(struct tv_input *input);

/* Bytes from somewhere. `read` puts up to n bytes into `out` and tells how many; 0 is the end. Each kind of stream
 * begins with this struct and has its own members behind it. */
struct tv_byte_source {
    enum tv_status (*read)(struct tv_byte_source *s, void *out, size_t n, size_t *got, struct tv_error *err);
    void (*close)(struct tv_byte_source *s); /* frees s */
    double consumed;                         /* bytes handed out so far */
};

/* `input` must outlive the stream. TV_ERR_IO where the file is gone meanwhile. */
enum tv_status tv_byte_source_open(struct tv_byte_source **out, const struct tv_input *input,
                                   const struct tv_input_file *file, struct tv_error *err);
/* n bytes of memory, which must outlive the byte source: for tests and for looking at a first line. */
enum tv_status tv_byte_source_memory(struct tv_byte_source **out, const void *bytes, size_t n, struct tv_error *err);
void tv_byte_source_close(struct tv_byte_source *s); /* NULL is fine */

/* Feeds a file's name and bytes into a running tv_hash: the fingerprint of a load's input. */
enum tv_status tv_input_hash(uint64_t *hash, const struct tv_input *input, const struct tv_input_file *file,
                             struct tv_error *err);

/* What people call the data at a path: the name of its folder or archive, without folders before it and endings such as .tar.gz. */
void tv_input_name(const char *path, char *out, size_t size);

const char *tv_input_library(void); /* "libarchive 3.6.2" */

#endif
