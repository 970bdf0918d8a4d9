/* archive: what is packed: zip, tar, and single files, each also behind gzip, bzip2, xz or zstd. Only input.c includes it. */
#ifndef TRIVET_READ_ARCHIVE_H
#define TRIVET_READ_ARCHIVE_H

#include <stddef.h>

#include "trivet/read/input.h"

/* How the file at `path` is packed, by its first bytes, because archives come under other names, too; NULL: it is not, or cannot be
 * read. */
const struct tv_packing *tv_packing_of(const char *path);
/* The command that unpacks it, if it is packed in a way that is not read here; else NULL. */
const char *tv_packing_other(const struct tv_packing *packing);

/* "ratings.csv.gz" becomes "ratings.csv", what is packed with more than that is left; returns whether there was such an ending. */
int tv_archive_unpacked_name(char *name);
/* "ratings.CSV.gz" becomes "ratings.CSV", "ml-1m.tar.gz" "ml-1m"; returns whether there was such an ending. */
int tv_archive_plain_name(char *name);

/* Calls `take` for each data file of the archive, whose texts last as long as the call does; *phrase tells how it is packed ("in a tar
 * archive"). Folders, hidden files and what macOS adds are no data. */
typedef enum tv_status (*tv_archive_take)(void *context, const struct tv_input_file *file, struct tv_error *err);
enum tv_status tv_archive_list(const char *path, const char **phrase, tv_archive_take take, void *context, struct tv_error *err);

/* A stream of a file of the list; the file must outlive it. */
enum tv_status tv_archive_open(struct tv_byte_source **out, const struct tv_input_file *file, struct tv_error *err);

const char *tv_archive_library(void); /* "libarchive 3.6.2" */

#endif
