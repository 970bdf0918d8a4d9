/* questions: statements of pages to PostgreSQL.
 *
 * `mutex` guards which places are taken, their ids, marks and steps, and the state. A place's connection belongs to
 * the worker that took the place; `stopped` is the one word of it that other threads write.
 */
#include "serve/stores/questions.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/schema/version.h"
#include "trivet/store/pg_rows.h"

/* The limit of a statement, for a login that has none of its own. */
#define STATEMENT_TIMEOUT "30s"

/* A place for a question under way. There are as many as workers that ask; each keeps its connection for the next
 * question. */
struct tv_question {
    struct tv_questions *questions;
    int taken; /* 1: a worker has it */
    int holds; /* 1: a transaction is open (tv_question_hold) */
    char id[TV_QUESTION_ID + 1];
    atomic_int stopped;
    int done, of; /* steps, as PostgreSQL tells them */
    struct tv_caller caller;
    struct tv_pg *pg; /* kept between questions; NULL: not connected */
    double looked;    /* at the schema, by tv_schema_look_again */
    double patience;  /* seconds to wait for a statement */
};

struct tv_questions {
    pthread_mutex_t mutex;
    char *uri;
    atomic_int closed; /* 1: the server ends, and no question goes on */
    struct tv_questions_state state;
    double since;
    struct tv_question places[TV_QUESTIONS_AT_ONCE];
};

enum tv_status tv_questions_create(struct tv_questions **out, const char *uri, struct tv_error *err)
{
    struct tv_questions *questions = tv_alloc(1, sizeof *questions, "questions", err);
    if (questions == NULL || (questions->uri = strdup(uri)) == NULL) {
        free(questions);
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for questions to PostgreSQL");
    }
    pthread_mutex_init(&questions->mutex, NULL);
    for (int i = 0; i < TV_QUESTIONS_AT_ONCE; i++)
        questions->places[i].questions = questions;
    questions->since = tv_clock();
    *out = questions;
    return TV_OK;
}

void tv_questions_free(struct tv_questions *questions)
{
    if (questions == NULL)
        return;
    for (int i = 0; i < TV_QUESTIONS_AT_ONCE; i++)
        tv_pg_close(questions->places[i].pg);
    pthread_mutex_destroy(&questions->mutex);
    free(questions->uri);
    free(questions);
}

/* --- whether the database is there ---------------------------------------------------------------------- */

/* `why` it is down; NULL: it is up. The log is told once, with the address; answers never have it. */
static void note_state(struct tv_questions *questions, const struct tv_error *why)
{
    pthread_mutex_lock(&questions->mutex);
    int now = why ? TV_DATABASE_DOWN : TV_DATABASE_UP, changed = (int)questions->state.database != now;
    if (changed)
        questions->since = tv_clock();
    questions->state.database = now;
    snprintf(questions->state.message, sizeof questions->state.message, "%s", why ? why->message : "");
    pthread_mutex_unlock(&questions->mutex);
    if (changed && why)
        tv_log_reason(TV_LOG_ERROR,
                      why->status == TV_ERR_UNAVAILABLE ? "the pages' PostgreSQL is away" : "the pages' PostgreSQL is not asked",
                      why);
}

void tv_questions_look(struct tv_questions *questions, struct tv_questions_state *state)
{
    pthread_mutex_lock(&questions->mutex);
    *state = questions->state;
    state->seconds = tv_clock() - questions->since;
    pthread_mutex_unlock(&questions->mutex);
}

/* --- a question ----------------------------------------------------------------------------------------- */

/* A free place, best one that is connected. There are as many places as workers, so one is free. */
static struct tv_question *take_place(struct tv_questions *questions, const char *id,
                                      const struct tv_caller *caller)
{
    struct tv_question *found = NULL;
    pthread_mutex_lock(&questions->mutex);
    for (int i = 0; i < TV_QUESTIONS_AT_ONCE; i++) {
        struct tv_question *q = &questions->places[i];
        if (!q->taken && (found == NULL || (found->pg == NULL && q->pg)))
            found = q;
    }
    if (found) {
        found->taken = 1;
        found->done = found->of = 0;
        found->caller = *caller;
        snprintf(found->id, sizeof found->id, "%s", id);
        atomic_store(&found->stopped, 0);
    }
    pthread_mutex_unlock(&questions->mutex);
    return found;
}

/* Asked again and again while a statement runs (tv_pg_query_while): the three reasons that end a question early. */
static int goes_on(void *context)
{
    struct tv_question *q = context;
    return !atomic_load(&q->stopped) && !atomic_load(&q->questions->closed) &&
           !(q->caller.has_left && q->caller.has_left(q->caller.context));
}

static enum tv_status stopped(struct tv_error *err)
{
    return tv_fail(err, TV_ERR_BUSY, "the question was stopped before its answer came");
}

/* A function that takes long raises notices with the steps it has done (tv_pg_steps), for a script to show. */
static void on_notice(void *context, const char *text)
{
    struct tv_question *q = context;
    pthread_mutex_lock(&q->questions->mutex);
    tv_pg_steps(text, &q->done, &q->of);
    pthread_mutex_unlock(&q->questions->mutex);
}

/* The login's own limit, or STATEMENT_TIMEOUT where it has none, in milliseconds. PostgreSQL keeps it; this side
 * only has to find out when PostgreSQL itself hangs, and so waits a little longer. */
static enum tv_status limit_statements(struct tv_question *q, struct tv_error *err)
{
    static const char limit[] = "SELECT set_config('statement_timeout', '" STATEMENT_TIMEOUT "', false) "
                                "WHERE current_setting('statement_timeout') = '0'";
    static const char read[] = "SELECT setting FROM pg_settings WHERE name = 'statement_timeout'";
    int64_t ms = 0;
    enum tv_status status = tv_pg_exec(q->pg, limit, 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_int(q->pg, read, 0, NULL, &ms, err);
    q->patience = (double)ms / 1000 + TV_PG_ANSWERS;
    return status;
}

/* Read only by the session, whatever the login may do. */
static enum tv_status open_session(struct tv_question *q, struct tv_error *err)
{
    enum tv_status status = tv_pg_open_within(&q->pg, q->questions->uri, "trivet-serve", TV_PG_ANSWERS, err);
    if (status == TV_OK)
        status = tv_pg_exec(q->pg, "SET default_transaction_read_only = on", 0, NULL, err);
    if (status == TV_OK)
        status = limit_statements(q, err);
    return status == TV_OK ? TV_OK
                           : tv_hint(err, "is it running, and is --reader (TRIVET_READER) right? Only the pages /lab and "
                                          "/models need it");
}

/* A schema that this program does not work with is asked nothing. */
static enum tv_status connect_to(struct tv_question *q, struct tv_error *err)
{
    enum tv_status status = open_session(q, err);
    if (status == TV_OK)
        status = tv_schema_check(q->pg, err);
    if (status == TV_ERR_INPUT)
        status = err->status = TV_ERR_STORE; /* there is none, which is nothing that the client could mend */
    if (status == TV_OK) {
        tv_pg_on_notice(q->pg, on_notice, q);
        note_state(q->questions, NULL);
        return TV_OK;
    }
    tv_pg_close(q->pg);
    q->pg = NULL;
    note_state(q->questions, err);
    return status;
}

/* A connection that is asked for life has little time: the statement after it may have much. */
static int is_alive(struct tv_question *q)
{
    tv_pg_set_patience(q->pg, TV_PG_ANSWERS);
    return tv_pg_alive(q->pg);
}

/* A connection that was kept: closed where the database was restarted meanwhile, refused where a newer program has changed the schema. */
static enum tv_status look_again(struct tv_question *q, struct tv_error *err)
{
    int alive = is_alive(q);
    enum tv_status status = alive ? tv_schema_look_again(q->pg, &q->looked, err) : TV_OK;
    if (alive && status == TV_OK)
        return TV_OK;
    tv_pg_close(q->pg);
    q->pg = NULL;
    if (status != TV_OK)
        note_state(q->questions, err);
    return status;
}

/* A question may have waited in the workers' queue for long, so it is asked first whether anybody still wants it. */
enum tv_status tv_question_begin(struct tv_questions *questions, const char *id,
                                 const struct tv_caller *caller, struct tv_question **out,
                                 struct tv_error *err)
{
    struct tv_question *q = take_place(questions, id, caller);
    if (q == NULL)
        return tv_fail(err, TV_ERR_UNAVAILABLE, "more questions are under way than there are connections");
    enum tv_status status = goes_on(q) ? TV_OK : stopped(err);
    if (status == TV_OK && q->pg)
        status = look_again(q, err);
    if (status == TV_OK && q->pg == NULL)
        status = connect_to(q, err);
    if (status == TV_OK)
        *out = q;
    else
        tv_question_end(q);
    return status;
}

struct tv_pg *tv_question_pg(struct tv_question *q)
{
    return q->pg;
}

/* A statement that was cancelled because the question does not go on is told as stopped; one that its limit
 * cancelled is TV_ERR_INTERRUPTED. */
enum tv_status tv_question_ask(struct tv_question *q, const char *sql, struct tv_pg_rows **rows,
                               struct tv_error *err)
{
    if (!goes_on(q))
        return stopped(err);
    tv_pg_set_patience(q->pg, q->patience);
    enum tv_status status = tv_pg_query_while(q->pg, sql, goes_on, q, rows, err);
    if (status == TV_ERR_UNAVAILABLE) {
        note_state(q->questions, err);
        tv_pg_close(q->pg);
        q->pg = NULL;
    }
    return status == TV_ERR_INTERRUPTED && !goes_on(q) ? stopped(err) : status;
}

/* Statements of one question see one data set, whatever is activated beside them: while this lock is held none can take its place,
 * and each statement of READ COMMITTED has a snapshot of its own, from after the lock. */
static enum tv_status take_hold(struct tv_question *q, int64_t wanted, struct tv_pg_rows **rows, struct tv_error *err)
{
    char sql[160];
    enum tv_status status = tv_question_ask(q, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", rows, err);
    q->holds = q->pg != NULL;
    tv_pg_rows_free(*rows);
    *rows = NULL;
    if (status == TV_OK)
        status = tv_question_ask(q, "LOCK TABLE ONLY trivet.rating IN ACCESS SHARE MODE", rows, err);
    tv_pg_rows_free(*rows);
    *rows = NULL;
    snprintf(sql, sizeof sql, "SELECT d.id, d.name FROM trivet.dataset d WHERE d.current AND trivet.check_dataset(nullif(%" PRId64 ", 0))",
             wanted);
    return status == TV_OK ? tv_question_ask(q, sql, rows, err) : status;
}

enum tv_status tv_question_hold(struct tv_question *q, int64_t wanted, struct tv_question_data *out, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    *out = (struct tv_question_data){0};
    enum tv_status status = take_hold(q, wanted, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0) {
        const char *name = tv_pg_cell(rows, 0, 1);
        out->dataset = strtoll(tv_pg_cell(rows, 0, 0), NULL, 10);
        tv_text_copy(out->name, sizeof out->name, name ? name : "");
    }
    tv_pg_rows_free(rows);
    return status == TV_ERR_INPUT ? tv_about(err, "dataset") : status;
}

/* A connection that does not answer is closed, and its lock with it. */
static void let_go(struct tv_question *q)
{
    q->holds = 0;
    if (q->pg == NULL)
        return;
    tv_pg_set_patience(q->pg, TV_PG_ANSWERS);
    if (tv_pg_exec(q->pg, "ROLLBACK", 0, NULL, NULL) == TV_OK)
        return;
    tv_pg_close(q->pg);
    q->pg = NULL;
}

/* The connection stays with the place. */
void tv_question_end(struct tv_question *q)
{
    if (q == NULL)
        return;
    if (q->holds)
        let_go(q);
    pthread_mutex_lock(&q->questions->mutex);
    q->taken = 0;
    q->id[0] = '\0';
    q->caller = (struct tv_caller){NULL, NULL};
    pthread_mutex_unlock(&q->questions->mutex);
}

/* The worker finds the mark when it next looks (goes_on), and cancels its statement itself. */
int tv_questions_stop(struct tv_questions *questions, const char *id)
{
    int n = 0;
    pthread_mutex_lock(&questions->mutex);
    for (int i = 0; i < TV_QUESTIONS_AT_ONCE; i++) {
        struct tv_question *q = &questions->places[i];
        if (q->taken && strcmp(q->id, id) == 0) {
            atomic_store(&q->stopped, 1);
            n++;
        }
    }
    pthread_mutex_unlock(&questions->mutex);
    return n;
}

/* The numbers are those of the last notice (on_notice). */
void tv_questions_steps(struct tv_questions *questions, const char *id, int *done, int *of)
{
    *done = *of = 0;
    pthread_mutex_lock(&questions->mutex);
    for (int i = 0; i < TV_QUESTIONS_AT_ONCE; i++) {
        const struct tv_question *q = &questions->places[i];
        if (q->taken && strcmp(q->id, id) == 0) {
            *done = q->done;
            *of = q->of;
        }
    }
    pthread_mutex_unlock(&questions->mutex);
}

void tv_questions_close(struct tv_questions *questions)
{
    atomic_store(&questions->closed, 1);
}
