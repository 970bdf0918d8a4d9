/* transfer: one request for a file, by libcurl, into the cache. The only file that knows libcurl. */
#ifndef TRIVET_ETL_FETCH_TRANSFER_H
#define TRIVET_ETL_FETCH_TRANSFER_H

#include "etl/fetch/cache.h"

struct tv_transfer {
    const char *url;
    const char *shown;   /* what messages say of it */
    double max_bytes;    /* no file is larger */
    int stall_seconds;   /* without a byte for so long the transfer has failed */
    struct tv_cached *to;
};

/* What came of it. */
enum tv_transferred {
    TV_TRANSFER_WHOLE,     /* the part is all of the file */
    TV_TRANSFER_UNCHANGED, /* the file that the cache has is what the server has */
    TV_TRANSFER_CHANGED,   /* the server has another file than the part is of: begin anew */
    TV_TRANSFER_CUT        /* with a failure: it ended early, and the part may go on from where it is */
};

/* Asks for the rest of the part, if there is one; or for the file, if the cache's own is an older one. TV_ERR_IO where the network or the
 * server failed, TV_ERR_INPUT where there is no such file; a web page or a file that is too large is not kept. */
enum tv_status tv_transfer(const struct tv_transfer *t, enum tv_transferred *outcome, struct tv_error *err);

const char *tv_transfer_library(void); /* "libcurl/7.88.1" */

#endif
