/* learning: an algorithm's settings as a command writes them down, in the journal and as a command line, and the
 * fingerprint by which --if-changed knows that nothing changed.
 */
#include "train/command/learning.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "train/command/flags.h"
#include "train/learn/algorithm.h"
#include "trivet/base/hash.h"
#include "trivet/base/log.h"
#include "trivet/model/journal.h"

/* The same data, rows and settings give the same model, byte for byte. Whether the number of factors was asked for
 * counts, too: a default shrinks to the matrix. */
static void set_fingerprint(struct tv_learning *l, const struct tv_reading *r)
{
    const char *algorithm = tv_learn_algorithm_name(&l->settings);
    uint64_t h = tv_hash(TV_HASH_START, r->fingerprint, strlen(r->fingerprint));
    h = tv_hash(h, algorithm, strlen(algorithm));
    h = tv_hash(h, &l->settings.factors_given, sizeof l->settings.factors_given);
    h = tv_hash(h, l->parameters.data, l->parameters.size);
    h = tv_hash(h, r->source.data, r->source.size);
    h = tv_hash(h, r->evidence_rows.data, r->evidence_rows.size);
    snprintf(l->fingerprint, sizeof l->fingerprint, "%016llx", (unsigned long long)h);
}

/* An SVD of counts follows the few users who play most, which is a choice, but seldom one that somebody made. */
void tv_learning_hint_at_counts(const struct tv_learning *l, const struct tv_reading *r)
{
    json_t *data = r->data ? json_loads(r->data, 0, NULL) : NULL;
    const char *values = json_string_value(json_object_get(data, "values"));
    if (values && strcmp(values, "counts") == 0 && !l->settings.algorithm->takes_counts)
        tv_log_info("the values are counts of plays: --algorithm als-implicit takes them as such, %s as ratings",
                    tv_learn_algorithm_name(&l->settings));
    json_decref(data);
}

enum tv_status tv_learning_open(struct tv_learning *l, const struct tv_reading *r, struct tv_error *err)
{
    tv_buffer_init(&l->parameters, 1 << 12);
    return tv_learning_again(l, r, err);
}

/* Ratings that come from files have no fingerprint, and then nothing can be called unchanged. */
enum tv_status tv_learning_again(struct tv_learning *l, const struct tv_reading *r, struct tv_error *err)
{
    tv_buffer_clear(&l->parameters);
    enum tv_status status = tv_learn_json(&l->settings, &l->parameters, err);
    if (status != TV_OK)
        return status;
    if (r->fingerprint)
        set_fingerprint(l, r);
    return TV_OK;
}

void tv_learning_free(struct tv_learning *l)
{
    tv_buffer_free(&l->parameters);
}

enum tv_status tv_learning_flags(const struct tv_learning *l, const struct tv_reading *r, struct tv_buffer *line,
                                 struct tv_error *err)
{
    enum tv_status status = tv_learn_flags(&l->settings, line, err);
    return status == TV_OK ? tv_flags_given(line, r->settings, tv_reading_options, err) : status;
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

/* The rows that users are folded in from are written down only for an analyst's own source; otherwise the filter
 * says them (trivet.evidence_query). */
struct tv_run_plan tv_learning_plan(const struct tv_learning *l, const struct tv_reading *r, enum tv_run_kind kind,
                                    const char *command)
{
    return (struct tv_run_plan){.kind = kind,
                                .dataset = r->dataset,
                                .command = command,
                                .algorithm = tv_learn_algorithm_name(&l->settings),
                                .parameters = tv_buffer_string(&l->parameters),
                                .filter = tv_buffer_string(&r->values),
                                .source = or_null(tv_buffer_string(&r->source)),
                                .data = r->data,
                                .fingerprint = or_null(l->fingerprint),
                                .snapshot = r->moment,
                                .evidence = r->own_source ? tv_buffer_string(&r->evidence_rows) : NULL};
}
