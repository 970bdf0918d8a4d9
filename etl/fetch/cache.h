/* cache: where downloads are kept: what has come of one, so that it can go on, and the whole file, so that it comes once. */
#ifndef TRIVET_ETL_FETCH_CACHE_H
#define TRIVET_ETL_FETCH_CACHE_H

#include "trivet/base/status.h"

/* How a server calls a state of a file. */
struct tv_cached_state {
    char etag[256];    /* with its quotes, or "" */
    char modified[64]; /* Last-Modified, or "" */
};

/* The folder of one address. Who has it open is alone with it. The file and the part may be of two states: the older one stays until the
 * newer is whole, and what was wanted. */
struct tv_cached {
    char file[4096], part[4096], note[4096], part_note[4096];
    int lock;
    int whole;        /* `file` is there, and all of it */
    double part_size; /* bytes of `part` */
    struct tv_cached_state of_file, of_part;
};

/* `folder` is that of all downloads; NULL: $XDG_CACHE_HOME/trivet, or ~/.cache/trivet. TV_ERR_BUSY while another process downloads from
 * the same address. *out is to be closed, also after a failure. */
enum tv_status tv_cache_open(struct tv_cached *out, const char *folder, const char *url, struct tv_error *err);
/* Leaves no folder where there is nothing of a file. */
void tv_cache_close(struct tv_cached *c);

/* Notes of_part, of a `part` that is about to begin. */
enum tv_status tv_cache_note(struct tv_cached *c, struct tv_error *err);
/* The part is whole, and takes the file's place. */
enum tv_status tv_cache_keep(struct tv_cached *c, struct tv_error *err);
/* Removes the part. */
void tv_cache_drop(struct tv_cached *c);

#endif
