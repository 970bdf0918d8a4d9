/* record: a byte stream cut into records, and records into fields.
 *
 * A record is a line, or several where a CSV field in quotes holds line breaks. A piece that cannot be cut is refused
 * alone: a quoted record that does not end within 64 KiB, or whose quotes are misplaced, refuses its first line only,
 * and reading resumes on the next. Memory is bounded whatever the input. Line ends are LF or CRLF; a UTF-8 byte order
 * mark is skipped, and so is a first line "sep=;"; empty lines are no records. In a record that would be refused for its
 * quotes, a backslash before a quote makes it part of the field.
 */
#ifndef TRIVET_READ_RECORD_H
#define TRIVET_READ_RECORD_H

#include "trivet/read/input.h"

enum { TV_RECORD_MAX_BYTES = 64 * 1024, TV_RECORD_MAX_FIELDS = 256 };

/* The reason of records with more than TV_RECORD_MAX_FIELDS. */
#define TV_RECORD_TOO_WIDE "more than 256 fields"

/* A slice of the reader's memory, valid as long as its record. */
struct tv_field {
    const char *text; /* not NUL-terminated */
    size_t n;
};

/* The reader owns the only one, and fills it anew for each call. */
struct tv_record {
    long long line;     /* of its first byte, from 1 */
    const char *reason; /* why it is refused, for a TV_ERR_RECORD, or NULL; a refused record has no fields */
    const char *raw; /* the bytes of the record without its line end; of a refused one, of its first line */
    size_t raw_size;
    int n;
    struct tv_field fields[TV_RECORD_MAX_FIELDS];
};

/* How a file is cut. etl detects it from the first lines. */
struct tv_dialect {
    const char *separator; /* "," ";" "\t" "|" "::" */
    int quotes;            /* fields may stand in double quotes (separators of one character only) */
};

struct tv_records;

/* Takes over `source`, also on failure. */
enum tv_status tv_records_open(struct tv_records **out, struct tv_byte_source *source, const struct tv_dialect *dialect,
                               struct tv_error *err);
/* Closes the byte source, too; NULL is fine. */
void tv_records_close(struct tv_records *r);

/* The next record, valid until the next call; *record is NULL at the end. A record that is refused is no failure:
 * it comes with its reason. TV_ERR_INPUT for a file in UTF-16, else what the byte source returns. */
enum tv_status tv_records_next(struct tv_records *r, struct tv_record **record, struct tv_error *err);

double tv_records_consumed(const struct tv_records *r);      /* bytes of the stream read so far */
int tv_records_had_bom(const struct tv_records *r);          /* after the first record */
long long tv_records_crlf_lines(const struct tv_records *r); /* records that ended in CRLF so far */

const char *tv_record_library(void); /* "libcsv 3.0.3" */

#endif
