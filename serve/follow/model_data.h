/* model_data: what PostgreSQL says of the data set that the live model was made of: whether it is the one that is loaded, and in
 * the state in which the model read it. The rater and the follower ask; pages, ratings and /readyz look at what came of it.
 */
#ifndef TRIVET_SERVE_FOLLOW_MODEL_DATA_H
#define TRIVET_SERVE_FOLLOW_MODEL_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/store/pg.h"

/* The words of trivet.model_data. */
enum tv_data_state {
    TV_DATA_UNKNOWN, /* nobody has asked yet, or the journal does not know */
    TV_DATA_CURRENT, /* the data set is loaded, as the model read it */
    TV_DATA_OLDER,   /* it was loaded again since */
    TV_DATA_AWAY,    /* another one is loaded */
    TV_DATA_GONE     /* it was dropped */
};
struct tv_model_data {
    int64_t run_number; /* the model's */
    enum tv_data_state state;
    char name[256], loaded[256]; /* the model's data set, and the one that is loaded; "": none */
};
/* 1: users and items of what is loaded are others than the model's, so no rating of one may reach the other. */
int tv_model_data_is_away(const struct tv_model_data *data);
/* What is wrong, in a sentence, and what to type; 0 and two empty texts: nothing, as far as is known. */
int tv_model_data_say(const struct tv_model_data *data, char *what, size_t what_size, char *hint, size_t hint_size);

/* The last answer, for any thread. */
struct tv_data_board;
enum tv_status tv_data_board_create(struct tv_data_board **out, struct tv_error *err);
void tv_data_board_free(struct tv_data_board *board); /* NULL is fine */
/* What is known of the live model; of another number nothing is. Never waits; NULL is fine. */
void tv_data_board_look(struct tv_data_board *board, int64_t run_number, struct tv_model_data *out);
/* Puts an answer about the live model there, and tells the log once of each change. */
void tv_data_board_put(struct tv_data_board *board, const struct tv_model_data *data);

/* Asks PostgreSQL about a model. */
enum tv_status tv_model_data_ask(struct tv_model_data *out, struct tv_pg *pg, int64_t run_number, struct tv_error *err);

#endif
