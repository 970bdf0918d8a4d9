/* address: how much of a store's address may be said. An address holds a password, and a reader of a message need not
 * know it.
 *
 * A password is told from the rest by the client library that parses the address; nothing here cuts one out of a text.
 * Where that is in doubt, the text is not shown at all: the message names the setting.
 */
#ifndef TRIVET_BASE_ADDRESS_H
#define TRIVET_BASE_ADDRESS_H

#include "trivet/base/status.h"

/* 1 if it is beyond doubt which part of scheme://user:password@host/... is the password: there is one '@' at most, and
 * no '/' between "://" and it. With more of them, client libraries may disagree: one would take for a host what was
 * meant as a password, and show it. */
int tv_address_is_clear(const char *uri);

/* "the MongoDB address in --mongo (TRIVET_MONGO) cannot be read": TV_ERR_USAGE, without a word of the address.
 * `example` is what it should look like. */
enum tv_status tv_address_refuse(struct tv_error *err, const char *store, const char *setting, const char *example);

/* Puts "***" in place of a secret, wherever a client library quotes it; NULL or "": nothing happens. */
void tv_address_mask(char *text, const char *secret);

/* How many bytes of a word of a command line may be repeated in a message: those ahead of the first "=" or "://", since
 * behind them may stand an address with its password. */
int tv_address_shown(const char *word);

#endif
