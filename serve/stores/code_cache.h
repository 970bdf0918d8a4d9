/* code_cache: the numbers of users' codes in a model, as far as they were asked for lately.
 *
 * A code's number never changes within a model, so an entry is good for ever; one that is not there costs a
 * question to MongoDB. Each code has one place, where the last to come stands: bounded, and without a list to keep.
 */
#ifndef TRIVET_SERVE_STORES_CODE_CACHE_H
#define TRIVET_SERVE_STORES_CODE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

struct tv_code_cache;

/* Room for at least so many codes; 0: keeps nothing. */
enum tv_status tv_code_cache_create(struct tv_code_cache **out, size_t codes, struct tv_error *err);
void tv_code_cache_free(struct tv_code_cache *cache); /* NULL is fine */

/* 1 and *number if it is known. `code` holds at most TV_CODE_MAX bytes. */
int tv_code_cache_get(struct tv_code_cache *cache, int64_t model, const char *code, int64_t *number);
void tv_code_cache_put(struct tv_code_cache *cache, int64_t model, const char *code, int64_t number);

#endif
