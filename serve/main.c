/* trivet-serve: answers recommendation requests from a model in memory. Here are its settings, and the order in
 * which it starts and ends; app.c makes the parts, http.c the sockets.
 */
#include <jansson.h>
#include <unistring/version.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "serve/app.h"
#include "serve/listen/http.h"
#include "serve/route/route.h"
#include "serve/stores/pg_pool.h"
#include "trivet/base/log.h"
#include "trivet/base/stop.h"
#include "trivet/cli/interrupt.h"
#include "trivet/cli/options.h"
#include "trivet/core/formats/codec.h"
#include "trivet/store/pg.h"
#include "trivet/store/redis.h"

/* Workers spend their time waiting for MongoDB, so their number has nothing to do with that of the cores. */
enum { LOOKUPS = 3, WORKERS = 8 };

/* The number of threads that serve connections. They never wait for a store (http.h), so one for each core is enough
 * unless --threads says otherwise. */
static int threads_to_use(long long wanted)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return wanted > 0 ? (int)wanted : cores > 0 ? (int)cores : 1;
}

/* A connection is a file. The soft limit of 1,024 is low for the sake of programs that use select(); this one uses
 * epoll. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The logins that sql/091_page_login.sql and 092_live_login.sql make. For the other programs unset addresses mean
 * something else, so these defaults stand here and not in the table of options. */
#define READER "postgresql://trivet_page@127.0.0.1:5433/postgres"
#define WRITER "postgresql://trivet_live@127.0.0.1:5433/postgres"

/* A setting, or this program's own default. */
static const char *given_or(const struct tv_settings *s, const char *name, const char *otherwise)
{
    return tv_settings_given(s, name) ? tv_settings_text(s, name) : otherwise;
}

static struct tv_permission permission_of(const struct tv_settings *s)
{
    return (struct tv_permission){.writes = tv_writes_from(tv_settings_text(s, "writes")),
                                  .token = tv_settings_text(s, "token")};
}

static struct tv_hosts hosts_of(const struct tv_settings *s)
{
    struct tv_hosts hosts = {0};
    hosts.n = tv_settings_list(s, "allowed-host", &hosts.names);
    return hosts;
}

/* MongoDB's connections: one for each thread that may ask it. Texts are the settings', which outlive the server. */
static struct tv_app_options app_options_of(const struct tv_settings *s)
{
    size_t n_routes;
    const char *const *routes = tv_route_names(&n_routes);
    return (struct tv_app_options){.mongo_uri = tv_settings_text(s, "mongo"),
                                   .redis_uri = tv_settings_text(s, "redis"),
                                   .reader_uri = given_or(s, "reader", READER),
                                   .postgres_uri = given_or(s, "postgres", WRITER),
                                   .permission = permission_of(s),
                                   .hosts = hosts_of(s),
                                   .workers = LOOKUPS + WORKERS + TV_PG_POOL,
                                   .wait_seconds = (int)tv_settings_int(s, "wait"),
                                   .cached_users = (size_t)tv_settings_int(s, "user-cache"),
                                   .cached_bytes = (size_t)tv_settings_int(s, "user-cache-mb") << 20,
                                   .routes = routes,
                                   .n_routes = n_routes};
}

static struct tv_http_options http_options_of(const struct tv_settings *s)
{
    return (struct tv_http_options){.listen = tv_settings_text(s, "listen"),
                                    .threads = threads_to_use(tv_settings_int(s, "threads")),
                                    .lookups = LOOKUPS,
                                    .workers = WORKERS,
                                    .max_connections = (int)tv_settings_int(s, "max-connections"),
                                    .timeout_seconds = (int)tv_settings_int(s, "request-timeout"),
                                    .access_log = strcmp(tv_settings_text(s, "access-log"), "on") == 0};
}

/* Mistakes in the settings are found before anything is opened with them. */
static enum tv_status check_options(const struct tv_app_options *o, struct tv_error *err)
{
    enum tv_status status = tv_hosts_check(&o->hosts, err);
    if (status == TV_OK)
        status = tv_pg_check_address(o->postgres_uri, err);
    return status == TV_OK ? tv_pg_check_address(o->reader_uri, err) : status;
}

/* The server works in its other threads meanwhile; this one only waits for the end. */
static void wait_for_signal(const struct tv_http *http, const struct tv_app *app)
{
    tv_log_info("listening on %s", tv_http_address(http));
    tv_log_info("%s", tv_permission_text(&app->permission));
    int signal_number = tv_interrupt_wait();
    tv_log_info("%s: finishing what is under way", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* SIGPIPE would end the program when a client closes its connection early; a write then fails with EPIPE instead.
 * Sockets close first and the parts behind them afterwards, so no request finds a part gone. */
static enum tv_status serve(const struct tv_settings *s, int n_arguments, char **arguments,
                            struct tv_error *err)
{
    (void)n_arguments, (void)arguments;
    struct tv_app *app = NULL;
    struct tv_http *http = NULL;
    const struct tv_app_options app_options = app_options_of(s);
    const struct tv_http_options http_options = http_options_of(s);
    tv_log_set_timestamps(1);
    raise_file_limit();
    signal(SIGPIPE, SIG_IGN);
    enum tv_status status = tv_interrupt_watch(NULL, err); /* before any thread starts */
    if (status == TV_OK)
        status = check_options(&app_options, err);
    if (status == TV_OK)
        status = tv_log_never_wait(err);
    if (status == TV_OK)
        status = tv_app_create(&app, &app_options, err);
    if (status == TV_OK)
        status = tv_http_start(&http, app, &http_options, err);
    if (status == TV_OK)
        wait_for_signal(http, app);
    tv_http_stop(http, TV_STOP_SECONDS);
    tv_stop_within(0); /* no request is left that waits for an answer */
    tv_app_free(app);
    if (status == TV_OK)
        tv_log_info("stopped");
    return status;
}

/* Printed by --version behind the program's own version. */
static void print_libraries(FILE *out)
{
    char codec[128];
    tv_codec_libraries(codec, sizeof codec);
    fprintf(out, "  %s\n  %s\n  %s\n  %s\n  %s\n  jansson %s\n  libunistring %d.%d\n", tv_http_library(), tv_mongo_library(),
            tv_redis_library(), tv_pg_library(), codec, jansson_version_str(), _libunistring_version >> 8,
            _libunistring_version & 0xFF);
}

static const struct tv_command commands[] = {
    {.name = "serve", .arguments = "", .summary = "answers recommendation requests over HTTP", .run = serve},
    {.name = NULL},
};

static const struct tv_program program = {
    .name = "trivet-serve",
    .summary = "answers recommendation requests over HTTP",
    .mask = TV_PROGRAM_SERVE,
    .commands = commands,
    .standard = "serve",
    .libraries = print_libraries,
    .closing = "Needs MongoDB and Redis; starts without them, and serves as soon as there is a model.\n"
               "New ratings go to PostgreSQL: --postgres, here by default\n"
               WRITER ".\n"
               "Pages that look into the data read it: --reader, by default\n"
               READER ".\n"
               "\nExamples:\n"
               "  trivet-serve\n"
               "  trivet-serve --listen 0.0.0.0:8080 --access-log off\n",
};

int main(int argc, char **argv)
{
    return tv_program_main(&program, argc, argv);
}
