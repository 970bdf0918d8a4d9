/* response: an answer before it is sent: how it begins (a 200 of JSON without a body), how it is freed, and its ETag.
 */
#include "serve/web/response.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/hash.h"

void tv_response_init(struct tv_response *response)
{
    memset(response, 0, sizeof *response);
    response->status = 200;
    response->type = "application/json";
    tv_out_init(&response->out);
}

void tv_response_free(struct tv_response *response)
{
    tv_out_free(&response->out);
}

/* The body alone is hashed, because everything it was made from (model, user document, numbers of ratings) shows in
 * it: so the tag tells any change that matters and no other. If-None-Match is a list of tags, each maybe with W/
 * before it, and compared weakly (RFC 9110, 13.1.2), so it is enough that ours stands in it. */
void tv_response_tag(struct tv_response *response, const char *if_none_match)
{
    if (!response->revalidated || response->status != 200)
        return;
    const struct tv_buffer *body = &response->out.buffer;
    snprintf(response->etag, sizeof response->etag, "\"%016" PRIx64 "\"",
             tv_hash_words(TV_HASH_START, body->data, body->size));
    if (if_none_match && (strcmp(if_none_match, "*") == 0 || strstr(if_none_match, response->etag))) {
        response->status = 304;
        tv_out_free(&response->out);
    }
}

void tv_response_reset(struct tv_response *response)
{
    tv_response_free(response);
    tv_response_init(response);
}
