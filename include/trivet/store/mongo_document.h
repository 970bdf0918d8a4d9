/* mongo_document: the fields of a document that was read. */
#ifndef TRIVET_STORE_MONGO_DOCUMENT_H
#define TRIVET_STORE_MONGO_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/store/mongo.h"

/* Fields of a document: 1 and the value if it is there with that type (integers of either width), else 0; NULL has none.
 * Pointers live as long as the document. */
int tv_mongo_doc_has(const struct tv_mongo_doc *doc, const char *name); /* of whatever type */
int tv_mongo_doc_int(const struct tv_mongo_doc *doc, const char *name, int64_t *value);
int tv_mongo_doc_real(const struct tv_mongo_doc *doc, const char *name, double *value); /* integers, too */
int tv_mongo_doc_text(const struct tv_mongo_doc *doc, const char *name, const char **value);
int tv_mongo_doc_bytes(const struct tv_mongo_doc *doc, const char *name, const void **bytes, size_t *n);
/* Element i of an array, where that is a text. */
int tv_mongo_doc_text_at(const struct tv_mongo_doc *doc, const char *name, size_t i, const char **value);
/* An array of documents of an integer and a real, so named: *pairs is malloc'ed (NULL for none). 0 also if any element is
 * something else, or without memory. */
int tv_mongo_doc_pairs(const struct tv_mongo_doc *doc, const char *name, const char *const *pair_names,
                       struct tv_pair **pairs, size_t *n);
/* An object or an array in a field (or, with NULL, the whole document) as extended JSON, malloc'ed; NULL if there
 * is none. Objects are written in the relaxed form, arrays in libbson's older one, which is the same for texts.
 * Bytes that are no UTF-8 become question marks in it; a text by tv_mongo_doc_text is as it is stored. */
char *tv_mongo_doc_json(const struct tv_mongo_doc *doc, const char *name);
/* A document that comes from no server: the extended JSON of an object. TV_ERR_INPUT if it is none. */
enum tv_status tv_mongo_doc_from_json(struct tv_mongo_doc **out, const char *json, struct tv_error *err);
void tv_mongo_doc_free(struct tv_mongo_doc *doc);
/* The hash of all fields but these n, in whatever order they stand: of a document, and of the one that
 * tv_mongo_bulk_add_json makes of a text (TV_ERR_INPUT: none). Equal documents have equal hashes, and that others
 * have them, too, is as unlikely as 64 bits make it. Never stored. */
uint64_t tv_mongo_doc_hash(const struct tv_mongo_doc *doc, const char *const *but, size_t n);
enum tv_status tv_mongo_json_hash(uint64_t *hash, const char *json, const char *const *but, size_t n,
                                  struct tv_error *err);

#endif
