/* pg_address: reads what may be said of a PostgreSQL address, and what may not. libpq tells the parts apart, so
 * nothing here guesses which of them is the password; the text as a whole is shown nowhere, unless it is a plain
 * name.
 */
#include "lib/store/pg_client.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/address.h"
#include "trivet/store/pg.h"

/* One message for every address that cannot be read, because any word about what is wrong with it could quote the
 * password. */
static enum tv_status refuse(struct tv_error *err)
{
    return tv_address_refuse(err, "PostgreSQL", "--postgres (TRIVET_POSTGRES) or --reader (TRIVET_READER)",
                             "postgresql://user:password@127.0.0.1:5432/postgres");
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o && o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o->val;
    return NULL;
}

/* In an address without a host, user:password/database, libpq reads user and password as host and port, which are
 * shown. */
static int has_a_port(const PQconninfoOption *options)
{
    const char *port = value_of(options, "port");
    return port == NULL || port[strspn(port, "0123456789,")] == '\0';
}

/* A single word is the name of a database, as for psql. */
static int is_plain_name(const char *text)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_' && *text != '-')
            return 0;
    return 1;
}

/* Makes the text that errors show of the address: host, port, database and user. */
static void describe(struct tv_pg_address *a, const PQconninfoOption *options)
{
    const char *host = value_of(options, "host"), *port = value_of(options, "port"), *user = value_of(options, "user"),
               *database = value_of(options, "dbname");
    if (host == NULL)
        host = value_of(options, "hostaddr");
    snprintf(a->where, sizeof a->where, "%s%s%s%s%s%s%s", host ? host : "the default host", port ? ":" : "",
             port ? port : "", database ? ", database " : "", database ? database : "", user ? ", user " : "",
             user ? user : "");
}

/* libpq's own message about an address it cannot read is not asked for: it may quote it. */
enum tv_status tv_pg_address_read(struct tv_pg_address *out, const char *uri, struct tv_error *err)
{
    *out = (struct tv_pg_address){.options = NULL};
    if (is_plain_name(uri)) {
        snprintf(out->where, sizeof out->where, "database %s", uri);
        return TV_OK;
    }
    if (strstr(uri, "://") && !tv_address_is_clear(uri))
        return refuse(err);
    PQconninfoOption *options = PQconninfoParse(uri, NULL);
    if (options == NULL || !has_a_port(options)) {
        PQconninfoFree(options);
        return refuse(err);
    }
    describe(out, options);
    out->options = options;
    return TV_OK;
}

void tv_pg_address_free(struct tv_pg_address *address)
{
    PQconninfoFree(address->options);
    address->options = NULL;
}

/* libpq marks options that a form should not show with an asterisk: password, sslpassword. */
void tv_pg_address_mask(const struct tv_pg_address *address, char *text)
{
    for (const PQconninfoOption *o = address->options; o && o->keyword; o++)
        if (o->dispchar[0] == '*')
            tv_address_mask(text, o->val);
}

enum tv_status tv_pg_check_address(const char *uri, struct tv_error *err)
{
    struct tv_pg_address address;
    enum tv_status status = tv_pg_address_read(&address, uri, err);
    tv_pg_address_free(&address);
    return status;
}
