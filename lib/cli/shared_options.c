/* shared_options: the settings that more than one program knows, or that a deployment sets, and the only ones read from
 * the environment. README.md has them as a table that docs/make-configuration writes from this file. */
#include "trivet/cli/options.h"

const struct tv_option tv_shared_options[] = {
    {.name = "postgres", .env = "TRIVET_POSTGRES", .kind = TV_OPTION_TEXT, .value = "URI",
     .preset = "postgresql://postgres@127.0.0.1:5433/postgres", .programs = TV_PROGRAM_ALL,
     .help = "PostgreSQL, as libpq understands it (trivet-serve writes new ratings there; unset: the login trivet_live "
             "on port 5433)"},
    {.name = "reader", .env = "TRIVET_READER", .kind = TV_OPTION_TEXT, .value = "URI",
     .programs = TV_PROGRAM_TRAIN | TV_PROGRAM_SERVE,
     .help = "PostgreSQL login that can only read: for SQL that people write (--source; unset: such SQL is refused), and for "
             "the pages /lab and /models (trivet-serve; unset: the login trivet_page on port 5433)"},
    {.name = "mongo", .env = "TRIVET_MONGO", .kind = TV_OPTION_TEXT, .value = "URI",
     .preset = "mongodb://127.0.0.1:27018", .programs = TV_PROGRAM_TRAIN | TV_PROGRAM_SERVE,
     .help = "MongoDB; the database is recsys unless the URI names one"},
    {.name = "redis", .env = "TRIVET_REDIS", .kind = TV_OPTION_TEXT, .value = "URI",
     .preset = "redis://127.0.0.1:6380/0", .programs = TV_PROGRAM_TRAIN | TV_PROGRAM_SERVE,
     .help = "Redis: redis://[user:password@]host[:port][/db]"},
    {.name = "wait", .env = "TRIVET_WAIT", .kind = TV_OPTION_INT, .value = "SECONDS", .preset = "0", .min = 0,
     .max = 3600, .programs = TV_PROGRAM_ALL, .help = "keep trying that long while a store does not answer yet"},
    {.name = "lock-wait", .env = "TRIVET_LOCK_WAIT", .kind = TV_OPTION_INT, .value = "SECONDS", .preset = "3600",
     .min = 0, .max = 1000000, .programs = TV_PROGRAM_ETL | TV_PROGRAM_TRAIN,
     .help = "how long to wait for transactions of others on tables that are changed as a whole, in short tries"},
    {.name = "log", .env = "TRIVET_LOG", .kind = TV_OPTION_CHOICE, .value = "LEVEL", .preset = "info",
     .choices = "error|info|debug", .programs = TV_PROGRAM_ALL, .help = "how much to say on standard error"},
    {.name = "threads", .env = "TRIVET_THREADS", .kind = TV_OPTION_INT, .value = "N", .preset = "0", .min = 0,
     .max = 1024, .programs = TV_PROGRAM_TRAIN | TV_PROGRAM_SERVE, .help = "threads to work with; 0: one a core"},
    {.name = "listen", .env = "TRIVET_LISTEN", .kind = TV_OPTION_TEXT, .value = "HOST:PORT",
     .preset = "127.0.0.1:5001", .programs = TV_PROGRAM_SERVE, .help = "where the server listens"},
    {.name = "token", .env = "TRIVET_TOKEN", .kind = TV_OPTION_TEXT, .value = "TEXT", .programs = TV_PROGRAM_SERVE,
     .help = "what a request that changes something must send as Authorization: Bearer; unset: such requests are refused, "
             "unless --writes says local. A flag can be seen by every user of the machine: better set the variable"},
    {.name = "writes", .env = "TRIVET_WRITES", .kind = TV_OPTION_CHOICE, .value = "WHOSE", .preset = "token",
     .choices = "token|local|off", .programs = TV_PROGRAM_SERVE,
     .help = "whose changes are taken: of those who send the token; of every program on this machine, without one (on a "
             "loopback address, and not behind a proxy, where everybody seems to be on this machine); nobody's"},
    {.name = "allowed-host", .env = "TRIVET_ALLOWED_HOST", .kind = TV_OPTION_LIST, .value = "NAME",
     .programs = TV_PROGRAM_SERVE,
     .help = "a name under which the server may be asked, beside localhost, 127.0.0.1 and [::1]; several with commas, or "
             "the flag again. Unset: on a loopback address those three, on another every name"},
    {.name = "max-connections", .env = "TRIVET_MAX_CONNECTIONS", .kind = TV_OPTION_INT, .value = "N",
     .preset = "1000", .min = 1, .max = 100000, .programs = TV_PROGRAM_SERVE, .help = "connections open at once"},
    {.name = "request-timeout", .env = "TRIVET_REQUEST_TIMEOUT", .kind = TV_OPTION_INT, .value = "SECONDS",
     .preset = "15", .min = 1, .max = 600, .programs = TV_PROGRAM_SERVE,
     .help = "for a client to send a whole request, and to take its answer"},
    {.name = "user-cache", .env = "TRIVET_USER_CACHE", .kind = TV_OPTION_INT, .value = "USERS", .preset = "10000",
     .min = 0, .max = 10000000, .programs = TV_PROGRAM_SERVE, .help = "user documents kept in memory"},
    {.name = "user-cache-mb", .env = "TRIVET_USER_CACHE_MB", .kind = TV_OPTION_INT, .value = "MB", .preset = "256",
     .min = 0, .max = 1000000, .programs = TV_PROGRAM_SERVE, .help = "memory that those documents may take"},
    {.name = "access-log", .env = "TRIVET_ACCESS_LOG", .kind = TV_OPTION_CHOICE, .value = "on|off",
     .preset = "on", .choices = "on|off", .programs = TV_PROGRAM_SERVE, .help = "one line a request on standard output"},
    {.name = NULL},
};
