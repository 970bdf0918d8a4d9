/* counters: what the server counts for monitoring, and its text for Prometheus. Threads count with atomic additions and
 * no lock; a request for /metrics gets the numbers of that moment, and beside it what the caches, the shelf
 * and the follower say of themselves.
 */
#include "serve/follow/counters.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "serve/follow/follower.h"
#include "serve/follow/model_data.h"
#include "serve/stores/models.h"
#include "serve/web/out.h"
#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/model/run.h"
#include "trivet/version.h"

/* Statuses with a counter of their own; any other counts as "other". And the upper bounds of the latency's buckets, in
 * seconds. */
static const int codes[] = {200, 202, 303, 304, 400, 401, 403, 404, 405, 413, 414, 422, 431, 500, 503};
static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};
enum { CODES = sizeof codes / sizeof codes[0], BOUNDS = sizeof bounds / sizeof bounds[0] };

/* The counters of one route. */
struct route_counts {
    _Atomic uint64_t by_code[CODES + 1];     /* the last: any other */
    _Atomic uint64_t by_latency[BOUNDS + 1]; /* up to each bound, not summed; the last: slower */
    _Atomic uint64_t microseconds;
};

struct tv_counters {
    double began; /* tv_clock() */
    const char *const *routes;
    size_t n;
    _Atomic double mongo_bytes, redis_bytes;
    pthread_mutex_t mutex;   /* guards */
    struct tv_last_run last; /* run 0: not known */
    struct route_counts counts[];
};

/* One allocation, the counters of all routes at its end. Bytes in the stores are not known yet. */
enum tv_status tv_counters_create(struct tv_counters **out, const char *const *routes, size_t n, struct tv_error *err)
{
    struct tv_counters *m = tv_alloc(1, sizeof *m + n * sizeof m->counts[0], "the metrics", err);
    if (m == NULL)
        return TV_ERR_NO_MEMORY;
    m->began = tv_clock();
    m->routes = routes;
    m->n = n;
    tv_counters_bytes(m, -1, -1);
    pthread_mutex_init(&m->mutex, NULL);
    *out = m;
    return TV_OK;
}

void tv_counters_free(struct tv_counters *counters)
{
    if (counters)
        pthread_mutex_destroy(&counters->mutex);
    free(counters);
}

/* Relaxed: each counter is right by itself, and nothing is read through it. Called at the end of every request. */
void tv_counters_request(struct tv_counters *counters, size_t route, int status, double seconds)
{
    struct route_counts *c = &counters->counts[route];
    size_t code = 0, latency = 0;
    while (code < CODES && codes[code] != status)
        code++;
    while (latency < BOUNDS && seconds > bounds[latency])
        latency++;
    atomic_fetch_add_explicit(&c->by_code[code], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->by_latency[latency], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->microseconds, (uint64_t)(seconds * 1e6), memory_order_relaxed);
}

/* Once the server runs, the watcher alone writes them, and any thread reads. */
void tv_counters_bytes(struct tv_counters *counters, double mongo, double redis)
{
    atomic_store(&counters->mongo_bytes, mongo);
    atomic_store(&counters->redis_bytes, redis);
}

/* Several numbers that belong together, so they need a mutex where one number is an atomic. */
void tv_counters_last_run(struct tv_counters *counters, const struct tv_last_run *last)
{
    pthread_mutex_lock(&counters->mutex);
    counters->last = *last;
    pthread_mutex_unlock(&counters->mutex);
}

static uint64_t get(_Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* The two lines that Prometheus's text format wants ahead of the rows of a name. */
static void head(struct tv_out *out, const char *name, const char *kind, const char *help)
{
    tv_out_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

/* Writes a row for each route and status that has occurred; rows of zeros are left out. */
static void write_requests(struct tv_counters *m, struct tv_out *out)
{
    head(out, "trivet_requests_total", "counter", "Requests answered, by route and HTTP status.");
    for (size_t r = 0; r < m->n; r++)
        for (size_t c = 0; c <= CODES; c++) {
            uint64_t n = get(&m->counts[r].by_code[c]);
            if (n && c < CODES)
                tv_out_format(out, "trivet_requests_total{route=\"%s\",code=\"%d\"} %" PRIu64 "\n",
                              m->routes[r], codes[c], n);
            else if (n)
                tv_out_format(out, "trivet_requests_total{route=\"%s\",code=\"other\"} %" PRIu64 "\n",
                              m->routes[r], n);
        }
}

/* Buckets are counted each for itself and added up here, because those of a Prometheus histogram hold all that is
 * below their bound. */
static void write_latencies(struct tv_counters *m, struct tv_out *out)
{
    static const char name[] = "trivet_request_seconds";
    head(out, name, "histogram", "Seconds from a request's first line to the end of its answer, by route.");
    for (size_t r = 0; r < m->n; r++) {
        struct route_counts *c = &m->counts[r];
        uint64_t sum = 0;
        for (size_t b = 0; b < BOUNDS; b++) {
            sum += get(&c->by_latency[b]);
            tv_out_format(out, "%s_bucket{route=\"%s\",le=\"%g\"} %" PRIu64 "\n", name, m->routes[r],
                          bounds[b], sum);
        }
        sum += get(&c->by_latency[BOUNDS]);
        tv_out_format(out, "%s_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, m->routes[r], sum);
        tv_out_format(out, "%s_sum{route=\"%s\"} %.6f\n", name, m->routes[r],
                      (double)get(&c->microseconds) / 1e6);
        tv_out_format(out, "%s_count{route=\"%s\"} %" PRIu64 "\n", name, m->routes[r], sum);
    }
}

/* Writes how users were found, in three ways that together say how many questions the cache spares MongoDB, and how
 * large the cache is. */
static void write_cache(struct tv_users *users, struct tv_out *out)
{
    struct tv_user_cache_counts c;
    tv_user_cache_count(users->cache, &c);
    head(out, "trivet_user_lookups_total", "counter",
         "Users looked up: in the cache, in MongoDB, or in an old entry while MongoDB was away.");
    tv_out_format(out, "trivet_user_lookups_total{from=\"cache\"} %" PRIu64 "\n", get(&users->hits));
    tv_out_format(out, "trivet_user_lookups_total{from=\"mongodb\"} %" PRIu64 "\n", get(&users->misses));
    tv_out_format(out, "trivet_user_lookups_total{from=\"old\"} %" PRIu64 "\n", get(&users->stale));
    head(out, "trivet_user_cache_users", "gauge", "Users in the cache.");
    tv_out_format(out, "trivet_user_cache_users %zu\n", c.users);
    head(out, "trivet_user_cache_bytes", "gauge", "Memory the cached users take.");
    tv_out_format(out, "trivet_user_cache_bytes %zu\n", c.bytes);
}

/* Writes what is served; nothing while there is no model. */
static void write_model(struct tv_models *models, struct tv_out *out)
{
    struct tv_resident *s = tv_shelf_live(models->shelf);
    if (s) {
        head(out, "trivet_model_number", "gauge", "The model that is served.");
        tv_out_format(out, "trivet_model_number %" PRId64 "\n", s->run_number);
        head(out, "trivet_model_age_seconds", "gauge", "Seconds since that model was made.");
        tv_out_format(out, "trivet_model_age_seconds %.0f\n", tv_clock_wall() - s->created_at);
        head(out, "trivet_model_items", "gauge", "Items in that model.");
        tv_out_format(out, "trivet_model_items %d\n", (int)s->n_items);
        head(out, "trivet_model_memory_bytes", "gauge", "Memory that model takes in this process.");
        tv_out_format(out, "trivet_model_memory_bytes %zu\n", s->bytes);
        if (s->info.users_without_factors >= 0) {
            head(out, "trivet_model_users_without_factors", "gauge",
                 "Users whose ratings led to no factors when that model was trained: they get what most people rate.");
            tv_out_format(out, "trivet_model_users_without_factors %" PRId64 "\n", s->info.users_without_factors);
        }
    }
    tv_resident_release(s);
}

/* Writes what became of the last training: a row for each state it may be in, with 1 at the one it is in, because
 * Prometheus has no texts as values. Nothing while no training is known. */
static void write_last_run(struct tv_counters *m, struct tv_out *out)
{
    static const enum tv_run_state states[] = {TV_RUN_BUILDING, TV_RUN_LIVE, TV_RUN_KEPT, TV_RUN_FAILED};
    pthread_mutex_lock(&m->mutex);
    const struct tv_last_run last = m->last;
    pthread_mutex_unlock(&m->mutex);
    if (last.run == 0)
        return;
    head(out, "trivet_last_run_number", "gauge", "The training that began last.");
    tv_out_format(out, "trivet_last_run_number %" PRId64 "\n", last.run);
    head(out, "trivet_last_run_state", "gauge", "1 for what became of it: building (under way), live, kept, failed.");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        tv_out_format(out, "trivet_last_run_state{state=\"%s\"} %d\n", tv_run_state_name(states[i]), states[i] == last.state);
    head(out, "trivet_last_run_seconds", "gauge", "Seconds since it came to be so.");
    tv_out_format(out, "trivet_last_run_seconds %.0f\n", tv_clock_wall() - last.at);
}

/* Writes whether the stores answer, and the bytes that the served model takes in them, where these are known. */
static void write_stores(struct tv_counters *m, struct tv_models *models, struct tv_out *out)
{
    head(out, "trivet_store_up", "gauge", "1 while the store answers.");
    tv_out_format(out, "trivet_store_up{store=\"mongodb\"} %d\n", tv_breaker_is_up(models->mongo_breaker));
    tv_out_format(out, "trivet_store_up{store=\"redis\"} %d\n", tv_breaker_is_up(models->redis_breaker));
    double mongo = atomic_load(&m->mongo_bytes), redis = atomic_load(&m->redis_bytes);
    if (mongo < 0 && redis < 0)
        return;
    head(out, "trivet_store_bytes", "gauge", "Bytes the served model takes in a store.");
    if (mongo >= 0)
        tv_out_format(out, "trivet_store_bytes{store=\"mongodb\"} %.0f\n", mongo);
    if (redis >= 0)
        tv_out_format(out, "trivet_store_bytes{store=\"redis\"} %.0f\n", redis);
}

/* Writes how many users wait for the follower; nothing as long as it could not count. */
static void write_following(struct tv_follower *follower, struct tv_out *out)
{
    struct tv_follower_state state;
    tv_follower_look(follower, &state);
    if (state.waiting < 0)
        return;
    head(out, "trivet_users_waiting", "gauge", "Users whose new ratings have not reached MongoDB.");
    tv_out_format(out, "trivet_users_waiting %" PRId64 "\n", state.waiting);
    head(out, "trivet_users_refused", "gauge", "Users whose new ratings cannot be read for the live model.");
    tv_out_format(out, "trivet_users_refused %" PRId64 "\n", state.refused);
    head(out, "trivet_source_up", "gauge",
         "0 while the rows that the live model's users are folded in from cannot be read.");
    tv_out_format(out, "trivet_source_up %d\n", state.unreadable == 0);
}

/* Writes what PostgreSQL says of the live model's data; nothing as long as it has not said. */
static void write_data(struct tv_models *models, struct tv_out *out)
{
    struct tv_model_data data;
    struct tv_resident *live = tv_shelf_live(models->shelf);
    tv_data_board_look(models->data, live ? live->run_number : 0, &data);
    tv_resident_release(live);
    if (data.state == TV_DATA_UNKNOWN)
        return;
    head(out, "trivet_model_data_loaded", "gauge",
         "0 while another data set is loaded than that of the live model: ratings are refused.");
    tv_out_format(out, "trivet_model_data_loaded %d\n", !tv_model_data_is_away(&data));
    head(out, "trivet_model_data_current", "gauge", "1 if the live model was made of what was loaded last.");
    tv_out_format(out, "trivet_model_data_current %d\n", data.state == TV_DATA_CURRENT);
}

/* Numbers of a model, a training or a count are left out until there is one: a 0 would be taken for a measurement. */
void tv_counters_write(struct tv_counters *counters, struct tv_models *models, struct tv_follower *follower,
                       struct tv_out *out)
{
    head(out, "trivet_build_info", "gauge", "The version, as a label.");
    tv_out_format(out, "trivet_build_info{version=\"%s\"} 1\n", TRIVET_VERSION);
    head(out, "trivet_uptime_seconds", "gauge", "Seconds since the server started.");
    tv_out_format(out, "trivet_uptime_seconds %.0f\n", tv_clock() - counters->began);
    write_model(models, out);
    write_last_run(counters, out);
    write_stores(counters, models, out);
    write_following(follower, out);
    write_data(models, out);
    write_cache(&models->users, out);
    write_requests(counters, out);
    write_latencies(counters, out);
}
