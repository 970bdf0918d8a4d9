/* ids: users and items as people name them.
 *
 * Inside the server an id is a number. Where the data has codes (trivet/base/code.h) that number means nothing to
 * anybody outside: every id comes in through here, and goes out through here. A model's users are written as JSON
 * strings once any of them has a code, its items likewise; without codes ids are JSON integers.
 *
 * Users have their codes in their documents, so that looking one up may wait (pick.h does it); the codes of items
 * are in memory with the catalogue.
 */
#ifndef TRIVET_SERVE_MODEL_IDS_H
#define TRIVET_SERVE_MODEL_IDS_H

#include <stdint.h>

#include "serve/model/resident.h"
#include "serve/web/out.h"
#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "trivet/base/code.h"
#include "trivet/model/user_document.h"

/* A user or an item that a request is about. */
struct tv_id {
    const char *name;           /* of the parameter, for messages */
    int64_t number;             /* once it was looked up */
    char text[TV_CODE_MAX + 2]; /* as it came; of a number, once looked up, its plain form */
};

/* The number of an id until it was looked up. No user and no item has it: the dictionary never comes that far. */
#define TV_NO_ID (TV_CODE_END - 1)

/* Takes the text as it is, because its meaning depends on the model. `name` must outlive *id. */
void tv_id_set(struct tv_id *id, const char *name, const char *text);
void tv_id_set_number(struct tv_id *id, const char *name, int64_t number);
/* The same from a parameter: 1, or 0 if it is absent. */
int tv_id_parameter(struct tv_id *id, const struct tv_request *request, const char *name);

/* Ids divided by commas, at most so many. */
struct tv_id_list {
    const char *rest; /* "500,296", at first; NULL: there are no more */
    size_t most, n;   /* n: how many were taken */
};
/* Takes the next id as it is: 1, or 0 at the end and, with *problem, where there are too many. */
TV_MUST_USE int tv_id_next(struct tv_id_list *list, const char *name, struct tv_id *id, struct tv_problem *problem);

enum tv_id_kind {
    TV_ID_NUMBER, /* id->number is set */
    TV_ID_CODE,   /* id->text is a code, to be looked up */
    TV_ID_PROBLEM /* it is neither, or codes are unknown here: *problem says so */
};
/* `codes`: 1 if some of the users (or items) that it may name have codes. For TV_ID_NUMBER, id->text is the
 * number's plain form afterwards. */
TV_MUST_USE enum tv_id_kind tv_id_kind(struct tv_id *id, int codes, struct tv_problem *problem);
/* For requests that come while no model is loaded, so that nothing tells whether there are codes: 1 for a number,
 * and id->number is set; otherwise 0 and *problem, 503, because the same request may be right as soon as there is a
 * model. */
TV_MUST_USE int tv_id_number(struct tv_id *id, struct tv_problem *problem);

/* --- items --------------------------------------------------------------------------------------------- */

/* Sets id->number: 1, or 0 and *problem (400: no id; 404: a code that no item has). That an item has a number does
 * not mean that the model holds it. */
TV_MUST_USE int tv_id_item(struct tv_id *id, const struct tv_resident *s, struct tv_problem *problem);
/* An item's id as a JSON value, and as plain text (in `space`, where it is a number). Of an item that was loaded after
 * the model was made, and that a user has rated since, the code is not known here: null, "newer than the model". */
enum { TV_ID_SPACE = 24 };
void tv_id_item_json(struct tv_out *out, const struct tv_resident *s, int64_t item_id);
const char *tv_id_item_text(const struct tv_resident *s, int64_t item_id, char *space);

/* --- users --------------------------------------------------------------------------------------------- */

/* A user's id as a JSON value; as text it is id->text. */
void tv_id_user_json(struct tv_out *out, const struct tv_resident *s, const struct tv_id *user);

/* Text as a part of an address, with %XX for all but letters, digits and -._~ */
void tv_out_url(struct tv_out *out, const char *text);

#endif
