/* names: users and items as people name them, on the command line and in what it prints: numbers, or codes where the
 * data has such (trivet/base/code.h). */
#ifndef TRIVET_TRAIN_SOURCE_NAMES_H
#define TRIVET_TRAIN_SOURCE_NAMES_H

#include <stdint.h>

#include "trivet/model/items.h"
#include "trivet/model/model.h"
#include "trivet/model/user_document.h"

enum { TV_NAMES_SPACE = 24 };

/* How the users and items of one model are named. */
struct tv_names {
    const struct tv_model *model;
    int users, items;      /* 1: some of the model's have codes */
    struct tv_items codes; /* the catalogue, where items have codes; else empty */
};

enum tv_status tv_names_open(struct tv_names *names, const struct tv_model *model, struct tv_mongo *mongo,
                             struct tv_error *err);
void tv_names_close(struct tv_names *names);

/* The document of the user whom the n bytes name. TV_ERR_USAGE: they are no id, and `flag` had them; TV_ERR_NOT_FOUND:
 * the model has no such user. */
enum tv_status tv_names_find_user(struct tv_user_document **out, const struct tv_names *names, struct tv_mongo *mongo,
                                  const char *flag, const char *text, size_t n, struct tv_error *err);
/* The number of the item that the text names; whether the model holds it is another question. */
enum tv_status tv_names_find_item(int64_t *id, const struct tv_names *names, const char *flag, const char *text,
                                  struct tv_error *err);

/* The name to call a user or an item by; `space` holds TV_NAMES_SPACE bytes. */
const char *tv_names_user(const struct tv_user_document *user, char *space);
const char *tv_names_item(const struct tv_names *names, int64_t id, char *space);

#endif
