/* model_data: one row of trivet.model_data, kept under a lock, and told in words. */
#include "serve/follow/model_data.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/store/pg_rows.h"

struct tv_data_board {
    pthread_mutex_t mutex; /* guards */
    struct tv_model_data last;
};

enum tv_status tv_data_board_create(struct tv_data_board **out, struct tv_error *err)
{
    struct tv_data_board *board = tv_alloc(1, sizeof *board, "what is known of the model's data", err);
    if (board == NULL)
        return TV_ERR_NO_MEMORY;
    pthread_mutex_init(&board->mutex, NULL);
    *out = board;
    return TV_OK;
}

void tv_data_board_free(struct tv_data_board *board)
{
    if (board == NULL)
        return;
    pthread_mutex_destroy(&board->mutex);
    free(board);
}

int tv_model_data_is_away(const struct tv_model_data *data)
{
    return data->state == TV_DATA_AWAY || data->state == TV_DATA_GONE;
}

/* A data set that nobody named is the one before the first load. */
static const char *called(const char *name)
{
    return name[0] ? name : "without a name";
}

int tv_model_data_say(const struct tv_model_data *data, char *what, size_t what_size, char *hint, size_t hint_size)
{
    const char *name = called(data->name), *loaded = called(data->loaded);
    what[0] = hint[0] = '\0';
    switch (data->state) {
    case TV_DATA_OLDER:
        snprintf(what, what_size, "model %" PRId64 " was made before the data set %s was loaded last", data->run_number, name);
        snprintf(hint, hint_size, "trivet-train fit makes a model of what is loaded now");
        break;
    case TV_DATA_AWAY:
        snprintf(what, what_size, "model %" PRId64 " was made of the data set %s, but %s is loaded", data->run_number, name, loaded);
        snprintf(hint, hint_size, "trivet-train fit makes a model of %s, trivet-train activate %" PRId64 " brings %s back", loaded,
                 data->run_number, name);
        break;
    case TV_DATA_GONE:
        snprintf(what, what_size, "model %" PRId64 " was made of the data set %s, which was dropped; %s is loaded",
                 data->run_number, name, loaded);
        snprintf(hint, hint_size, "trivet-train fit makes a model of %s", loaded);
        break;
    default:
        return 0;
    }
    return 1;
}

void tv_data_board_look(struct tv_data_board *board, int64_t run_number, struct tv_model_data *out)
{
    *out = (struct tv_model_data){.run_number = run_number};
    if (board == NULL)
        return;
    pthread_mutex_lock(&board->mutex);
    if (board->last.run_number == run_number)
        *out = board->last;
    pthread_mutex_unlock(&board->mutex);
}

/* NULL, where the journal does not know the model, is unknown, too. */
static enum tv_data_state state_of(const char *word)
{
    static const char *const words[] = {[TV_DATA_CURRENT] = "current",
                                        [TV_DATA_OLDER] = "older",
                                        [TV_DATA_AWAY] = "away",
                                        [TV_DATA_GONE] = "gone"};
    for (size_t i = 1; word && i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0)
            return (enum tv_data_state)i;
    return TV_DATA_UNKNOWN;
}

/* Two threads may ask at the same time; the one that puts its answer in place second finds no change, and says nothing. */
void tv_data_board_put(struct tv_data_board *board, const struct tv_model_data *now)
{
    char what[768], hint[640];
    pthread_mutex_lock(&board->mutex);
    const struct tv_model_data old = board->last;
    board->last = *now;
    pthread_mutex_unlock(&board->mutex);
    if (old.run_number == now->run_number && old.state == now->state && strcmp(old.loaded, now->loaded) == 0)
        return;
    if (tv_model_data_say(now, what, sizeof what, hint, sizeof hint))
        tv_log_info("%s%s; %s", what,
                    tv_model_data_is_away(now) ? ": ratings are refused, and nobody is folded in" : "", hint);
    else if (old.state > TV_DATA_CURRENT && now->state == TV_DATA_CURRENT)
        tv_log_info("model %" PRId64 " is of the data that is loaded, %s", now->run_number, called(now->name));
}

enum tv_status tv_model_data_ask(struct tv_model_data *out, struct tv_pg *pg, int64_t run_number, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    struct tv_pg_rows *rows = NULL;
    snprintf(number, sizeof number, "%" PRId64, run_number);
    enum tv_status status =
        tv_pg_query(pg, "SELECT state, name, loaded FROM trivet.model_data($1)", 1, &value, &rows, err);
    if (status != TV_OK)
        return status;
    *out = (struct tv_model_data){.run_number = run_number};
    if (tv_pg_rows_count(rows) > 0) {
        const char *name = tv_pg_cell(rows, 0, 1), *loaded = tv_pg_cell(rows, 0, 2);
        out->state = state_of(tv_pg_cell(rows, 0, 0));
        tv_text_copy(out->name, sizeof out->name, name ? name : "");
        tv_text_copy(out->loaded, sizeof out->loaded, loaded ? loaded : "");
    }
    tv_pg_rows_free(rows);
    return TV_OK;
}
