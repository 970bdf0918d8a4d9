/* response: an answer as a handler leaves it: status, headers and body, which http.c sends. */
#ifndef TRIVET_SERVE_WEB_RESPONSE_H
#define TRIVET_SERVE_WEB_RESPONSE_H

#include <stddef.h>
#include <stdint.h>

#include "serve/web/out.h"
#include "trivet/base/code.h"

/* The reason of a handler that answers TV_LATER. http.c chooses by it which threads run the handler again, so that
 * slow stores do not hold up what needs others; documents of users are fetched together with those that other
 * requests need. All zero: it waits for something else. */
struct tv_need {
    int user; /* 1: the document of ... */
    int64_t model, user_id;
    int postgres; /* 1: PostgreSQL, for seconds perhaps */
    int writes;   /* 1: a rating is to be written */
};

/* The body is out's, and owned, or `lent`; a handler fills one of them. Texts are lent for as long as the program
 * runs. */
struct tv_response {
    int status;
    const char *type;    /* Content-Type */
    struct tv_out out;   /* the body ... */
    const char *lent;    /* ... or one that lives as long as the program, */
    size_t lent_size;    /*     of so many bytes */
    int retry_after;     /* seconds; 0: no such header */
    char allow[32];      /* for 405; "": no such header */
    const char *score, *hint; /* X-Trivet-Score, X-Trivet-Hint: where the body has no room for it; NULL: none */
    char location[3 * TV_CODE_MAX + 64]; /* for 303; "": no such header */
    struct tv_need need; /* with TV_LATER only */
    int scripts;         /* 1: a page that runs scripts of this server */
    int cache_seconds;   /* how long the answer may be kept; 0: not at all ... */
    int revalidated;     /* ... or, for 1, as long as the server confirms that it has not changed */
    char etag[24];       /* set by tv_response_tag; "": no such header */
};

void tv_response_init(struct tv_response *response);
void tv_response_free(struct tv_response *response);
/* Gives an answer that is `revalidated` its ETag, a hash of the body; makes it a 304 without a body, if the client
 * has that one. */
void tv_response_tag(struct tv_response *response, const char *if_none_match);
/* Forgets what was written so far: the next answer replaces it. */
void tv_response_reset(struct tv_response *response);

#endif
