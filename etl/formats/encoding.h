/* encoding: text fields become UTF-8. */
#ifndef TRIVET_ETL_FORMATS_ENCODING_H
#define TRIVET_ETL_FORMATS_ENCODING_H

#include <stddef.h>

#include "trivet/base/buffer.h"
#include "trivet/read/input.h"

/* How the text of a file is written. The lines of nothing but ASCII are told by neither number. */
struct tv_encoding {
    long long utf8, other; /* lines of well-formed UTF-8, and lines that are none */
    int windows;           /* of these some have letters that Windows-1252 has and ISO-8859-1 has not */
    long long high, in_runs; /* in these: bytes from 0x80 on, and those that stand together with others */
};

/* Reads the whole file. */
enum tv_status tv_encoding_of(struct tv_encoding *out, const struct tv_input *input, const struct tv_input_file *file,
                              struct tv_error *err);
/* 1: what is no UTF-8 in it is ISO-8859-1. 0: it is UTF-8, and what is none is damage. */
int tv_encoding_is_latin1(const struct tv_encoding *e);
/* TV_ERR_INPUT where what is no UTF-8 cannot be ISO-8859-1 either: the languages that are written in it have few letters with an accent,
 * and hardly three of them together, where Shift-JIS, GBK or Windows-1251 have nothing else. */
enum tv_status tv_encoding_check(const struct tv_encoding *e, const char *file, struct tv_error *err);
/* "ISO-8859-1" or "Windows-1252" for what is read as such, else "UTF-8" or "ASCII". */
const char *tv_encoding_name(const struct tv_encoding *e, int latin1);

/* Appends n bytes of ISO-8859-1 as UTF-8; of Windows-1252, to be exact, which has letters where the other has control characters. */
enum tv_status tv_encoding_from_latin1(struct tv_buffer *out, const char *text, size_t n,
                                       struct tv_error *err);

/* Appends bytes of unknown origin so that any UTF-8 store takes them: what is no well-formed UTF-8, and
 * control characters but tab, become \xNN. Stops after `max` bytes of input, never inside a character. */
enum tv_status tv_encoding_printable(struct tv_buffer *out, const char *text, size_t n, size_t max,
                                     struct tv_error *err);

#endif
