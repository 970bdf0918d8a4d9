/* framing: whether the head of a request can be read in one way only: whom it asks, and where it ends.
 *
 * A proxy in front and the server behind must see the same requests in the same bytes. Where a head says twice, or in
 * two ways, how long its body is, one of them takes for a request what the other took for a body, and a client gets
 * past the rules of the proxy (request smuggling). So such a head is refused, and its connection closed (RFC
 * 9112, 3.2, 6.1, 6.3).
 */
#ifndef TRIVET_SERVE_LISTEN_FRAMING_H
#define TRIVET_SERVE_LISTEN_FRAMING_H

#include <stddef.h>

/* The headers of a head, as far as they were fed; all zero at the start. */
struct tv_framing {
    int hosts, lengths, codings;
    int other_coding; /* 1: a Transfer-Encoding that is not "chunked" */
    int bad_name;     /* 1: a name that no header can have */
    const char *end;  /* of the last part; NULL: no parts are fed */
    int hidden;       /* 1: there is text between two parts */
};

/* The parts of a head in the order in which they came: method, target, version, each name and value, and at last
 * the end of the head, of no size. libmicrohttpd ends each where a C string ends, so bytes behind a NUL are in none
 * of them; and it adds a line that begins with a blank to the header's name, not to its value, and moves it
 * elsewhere. Either way there is more between two parts than what divides them. */
void tv_framing_part(struct tv_framing *f, const char *part, size_t size);
/* A header; its name and its value are parts, too, if there were some. */
void tv_framing_header(struct tv_framing *f, const char *name, size_t name_size, const char *value, size_t value_size);
/* NULL if it is right, else what is wrong. version: as it stands in the request line. */
const char *tv_framing_wrong(const struct tv_framing *f, const char *version);

#endif
