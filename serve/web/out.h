/* out: where an answer is written. Appends never fail one by one: the first failure is remembered in `failed`, at
 * which route.c looks once, before the answer is sent. Text for HTML is escaped
 * here alone, and text for JSON in tv_buffer_json, which every program has.
 */
#ifndef TRIVET_SERVE_WEB_OUT_H
#define TRIVET_SERVE_WEB_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/buffer.h"

enum { TV_OUT_MAX = 64 << 20 }; /* no answer of ours comes near it */

struct tv_out {
    struct tv_buffer buffer;
    int failed; /* memory ran out, or a page template and its slots disagree: do not send this */
};

void tv_out_init(struct tv_out *out);
void tv_out_free(struct tv_out *out);
void tv_out_bytes(struct tv_out *out, const void *bytes, size_t n);
void tv_out_text(struct tv_out *out, const char *text);
void tv_out_format(struct tv_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tv_out_int(struct tv_out *out, int64_t n);
/* The number as printf's %.17g writes it, which reads back as the same double; "null" for NaN and infinities.
 */
void tv_out_real(struct tv_out *out, double x);
/* The shortest number that reads back as the same float (tv_text_float): what ratings are, and their means. "null" as above. */
void tv_out_float(struct tv_out *out, float x);
/* Text between tags or inside a quoted attribute. Here and in JSON, bytes that are no UTF-8 become U+FFFD, one for
 * each: whatever a store holds, an answer can be read. */
void tv_out_html(struct tv_out *out, const char *text);
void tv_out_html_part(struct tv_out *out, const char *text, size_t n);
/* A JSON string with its quotes. */
void tv_out_json(struct tv_out *out, const char *text);
void tv_out_json_part(struct tv_out *out, const char *text, size_t n);
/* "name": and before it the comma that divides it from what the object has already. The name needs no escape. */
void tv_out_key(struct tv_out *out, const char *name);
void tv_out_bool(struct tv_out *out, int x);

#endif
