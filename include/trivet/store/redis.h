/* redis: one Redis connection. Moves keys and bytes; knows no key of ours. redis_subscriber.h hears of messages.
 *
 * hiredis 0.14 parses no URI and has no TLS: redis:// is parsed here, rediss:// is refused with a hint. A
 * connection belongs to one thread at a time. After a socket error or a timeout it reconnects on the next call.
 */
#ifndef TRIVET_STORE_REDIS_H
#define TRIVET_STORE_REDIS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"

struct tv_redis;

/* A redis:// address taken apart; user and password are "" where it has none. */
struct tv_redis_address {
    char host[256];
    int port;
    int db;
    char user[128], password[128];
};
/* Reads redis://[user:password@]host[:port][/db]; the port is 6379 and the database 0 where none is named.
 * TV_ERR_USAGE, without a word of the address. */
enum tv_status tv_redis_parse(struct tv_redis_address *out, const char *uri, struct tv_error *err);

/* Connects, authenticates, selects the database and pings; tries again for up to wait_seconds. With
 * wait_seconds < 0 it only keeps the address and connects on first use. */
enum tv_status tv_redis_open(struct tv_redis **out, const char *uri, int timeout_ms, int wait_seconds,
                             struct tv_error *err);
void tv_redis_close(struct tv_redis *r);
/* From now on no reply is waited for longer than that, unless parts of it arrive. */
void tv_redis_set_timeout(struct tv_redis *r, int timeout_ms);

struct tv_redis_command { /* words with their lengths, so that values may hold any byte */
    int n;
    const char *words[8];
    size_t sizes[8];
};
/* Puts strlen() of every word into sizes; words after the last given are NULL. */
struct tv_redis_command tv_redis_words(const char *first, ...) __attribute__((sentinel));

/* Runs one command; `reply` (may be NULL) gets a string, status or integer reply as text.
 * A nil reply is TV_ERR_NOT_FOUND without a message. */
enum tv_status tv_redis_run(struct tv_redis *r, const struct tv_redis_command *command, struct tv_buffer *reply,
                            struct tv_error *err);
/* MULTI, the commands, EXEC: nobody sees some of them without the others. Redis does not take the others back where one
 * fails. */
enum tv_status tv_redis_transaction(struct tv_redis *r, const struct tv_redis_command *commands, size_t n,
                                    struct tv_error *err);

/* Many commands in one round trip: queue them, then flush, which sends them and takes their replies. `take` (may be
 * NULL) sees command i's reply: a string or an integer as text, NULL for nil, and of an array each element in turn, as
 * element 0, 1, ... A nil array is one element NULL. All replies are read, whatever happens; the first error is
 * returned. A connection that is lost takes what was queued along. */
enum tv_status tv_redis_queue(struct tv_redis *r, size_t n, const char *const *words, const size_t *sizes,
                              struct tv_error *err);
enum tv_status tv_redis_queue_command(struct tv_redis *r, const struct tv_redis_command *command, struct tv_error *err);
typedef enum tv_status (*tv_redis_take)(void *context, size_t i, size_t element, const char *bytes, size_t n,
                                        struct tv_error *err);
enum tv_status tv_redis_flush(struct tv_redis *r, tv_redis_take take, void *context, struct tv_error *err);

enum tv_status tv_redis_ping(struct tv_redis *r, struct tv_error *err);

const char *tv_redis_library(void); /* "hiredis 0.14.1" */

#endif
