/* response: an answer before it is sent. */
#include "response.h"

#include <string.h>

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

void tv_response_reset(struct tv_response *response)
{
    tv_response_free(response);
    tv_response_init(response);
}
