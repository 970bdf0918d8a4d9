/* version: which schema a database has, and whether this program works with it.
 *
 * trivet.schema_version has a row a version that was ever applied; the highest is the database's. Its `files` is null until the
 * last file of sql/ is through, so a schema that somebody is just bringing up to date, or stopped half-way, is told from one
 * that is whole. */
#ifndef TRIVET_SCHEMA_VERSION_H
#define TRIVET_SCHEMA_VERSION_H

#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/store/pg.h"

/* The version of the schema that sql/ makes and these programs know. */
enum { TV_SCHEMA_VERSION = 2 };

/* What a program may do with a schema. */
enum tv_schema_kind {
    TV_SCHEMA_NONE,       /* nothing: there is none, or but its beginning */
    TV_SCHEMA_OLDER,      /* bring it up to date; or it was made by hand, from some of the files */
    TV_SCHEMA_UNFINISHED, /* go on with what brings it up to date */
    TV_SCHEMA_KNOWN,      /* work with it */
    TV_SCHEMA_NEWER       /* leave it alone */
};

/* A schema as it was found. */
struct tv_schema_found {
    enum tv_schema_kind kind;
    int64_t version;  /* 0: none */
    char files[24];   /* hash of the files that it was given; "": not all of them are through */
};

/* Asks the database: two short statements, in no transaction of its own. */
enum tv_status tv_schema_look(struct tv_pg *pg, struct tv_schema_found *found, struct tv_error *err);
/* TV_OK: this program works with it. TV_ERR_INPUT: there is none, load first; TV_ERR_STORE: it is newer, or older, or not
 * finished. The hint says what to do. */
enum tv_status tv_schema_judge(const struct tv_schema_found *found, struct tv_error *err);
/* Both. Nothing is changed: where a program may bring the schema up to date itself it calls tv_schema_ready (schema.h). */
enum tv_status tv_schema_check(struct tv_pg *pg, struct tv_error *err);

/* For a connection that is kept, each time before it is used: fails as tv_schema_judge does if a newer program has brought the schema
 * up to date since, and the connection is good for nothing but closing. An upgrade by a program of this version disturbs nobody.
 * *looked is the caller's to keep: when all was well last (tv_clock), 0 at first. The database is asked once in
 * TV_SCHEMA_LOOK_SECONDS. */
enum { TV_SCHEMA_LOOK_SECONDS = 1 };
enum tv_status tv_schema_look_again(struct tv_pg *pg, double *looked, struct tv_error *err);

#endif
