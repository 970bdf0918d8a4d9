/* pg_address: what may be said of a PostgreSQL address, and what not. Used by pg.c alone. */
#ifndef STORE_PG_ADDRESS_H
#define STORE_PG_ADDRESS_H

#include "trivet/base/status.h"

struct tv_pg_address {
    char where[512]; /* host, port, database and user, as libpq reads them */
    void *options;   /* what libpq reads in it, for its secrets */
};

/* Reads a URI, a string of keywords, or the name of a database; TV_ERR_USAGE if it is none. */
enum tv_status tv_pg_address_read(struct tv_pg_address *out, const char *uri, struct tv_error *err);
void tv_pg_address_free(struct tv_pg_address *address);

/* Takes every secret of the address out of a text of libpq's. */
void tv_pg_address_mask(const struct tv_pg_address *address, char *text);

#endif
