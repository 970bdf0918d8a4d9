/* literal: a recursive descent over the grammar of Python's ast.literal_eval, as far as data files use it. The
 * input is anybody's, so depth is bounded and no byte is read beyond the end.
 */
#include "etl/formats/literal.h"

#include <stdint.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/text.h"

enum { MAX_DEPTH = 32 };

/* Where the parser stands; `depth` counts lists and dictionaries that are open. */
struct parser {
    const char *p, *end;
    int depth;
};

/* Any literal. Only lists and dictionaries can nest, and each takes a level. */
static json_t *value(struct parser *s);

/* strchr also finds the NUL that ends its set, so a NUL byte in the text must be asked for. */
static void blanks(struct parser *s)
{
    while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
        s->p++;
}

/* Takes the character c, behind blanks, if it stands there. */
static int accept(struct parser *s, char c)
{
    blanks(s);
    if (s->p == s->end || *s->p != c)
        return 0;
    s->p++;
    return 1;
}

/* --- strings -------------------------------------------------------------------------------------------- */

/* Appends a code point as UTF-8. Surrogates and numbers beyond Unicode make bytes that are no UTF-8, and are
 * refused by that. */
static int append_code_point(struct tv_buffer *out, uint32_t c)
{
    char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (n == 1) {
        b[0] = (char)c;
    } else {
        static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
        for (size_t i = n - 1; i > 0; i--, c >>= 6)
            b[i] = (char)(0x80 | (c & 0x3F));
        b[0] = (char)(lead[n] | c);
    }
    return tv_text_is_utf8(b, n) && tv_buffer_append(out, b, n, NULL) == TV_OK;
}

/* Reads so many hexadecimal digits. `| 0x20` makes letters small, and would make digits of some control characters,
 * which are below '0'. */
static int hex(struct parser *s, int digits, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < digits; i++, s->p++) {
        static const char set[] = "0123456789abcdef";
        const char *found = s->p < s->end && *s->p ? strchr(set, *s->p | 0x20) : NULL;
        if (found == NULL || (*s->p < '0'))
            return 0;
        *code = *code << 4 | (uint32_t)(found - set);
    }
    return 1;
}

/* Takes an escape, whose backslash has been read. */
static int escape(struct parser *s, struct tv_buffer *out)
{
    if (s->p == s->end)
        return 0;
    uint32_t code;
    char c = *s->p++;
    switch (c) {
    case 'n':
        return append_code_point(out, '\n');
    case 't':
        return append_code_point(out, '\t');
    case 'r':
        return append_code_point(out, '\r');
    case '\\':
    case '\'':
    case '"':
        return append_code_point(out, (uint32_t)c);
    case 'x':
        return hex(s, 2, &code) && append_code_point(out, code);
    case 'u':
        return hex(s, 4, &code) && append_code_point(out, code);
    case 'U':
        return hex(s, 8, &code) && append_code_point(out, code);
    default: /* as Python: an unknown escape stands for itself */
        return append_code_point(out, '\\') && tv_buffer_append(out, &c, 1, NULL) == TV_OK;
    }
}

/* A string; the opening quote is next. Bytes are taken as they are, and jansson refuses what is no UTF-8 in the
 * end. */
static json_t *string(struct parser *s)
{
    struct tv_buffer out = TV_BUFFER_INIT((size_t)(s->end - s->p) + 16);
    char quote = *s->p++;
    int ok = 1;
    while (ok && s->p < s->end && *s->p != quote) {
        if (*s->p == '\\') {
            s->p++;
            ok = escape(s, &out);
        } else {
            ok = tv_buffer_append(&out, s->p++, 1, NULL) == TV_OK;
        }
    }
    ok = ok && s->p < s->end;
    if (ok)
        s->p++;
    json_t *result = ok ? json_stringn(tv_buffer_string(&out), out.size) : NULL; /* checks the UTF-8 */
    tv_buffer_free(&out);
    return result;
}

/* --- the rest ------------------------------------------------------------------------------------------- */

/* None, True, False, or a number up to the next sign of the grammar. */
static json_t *word_or_number(struct parser *s)
{
    const char *start = s->p;
    while (s->p < s->end && *s->p && !strchr(",]}): \t\r\n", *s->p))
        s->p++;
    size_t n = (size_t)(s->p - start);
    int64_t whole;
    double real;
    if (n == 4 && memcmp(start, "None", 4) == 0)
        return json_null();
    if (n == 4 && memcmp(start, "True", 4) == 0)
        return json_true();
    if (n == 5 && memcmp(start, "False", 5) == 0)
        return json_false();
    if (tv_text_int64(start, n, &whole))
        return json_integer(whole);
    return tv_text_double(start, n, &real) ? json_real(real) : NULL;
}

/* Lists and tuples, which JSON does not tell apart. A comma may stand behind the last element, as in Python. */
static json_t *list(struct parser *s, char closing)
{
    json_t *array = json_array();
    while (!accept(s, closing)) {
        /* json_array_append_new fails for NULL, so a bad element ends the list as well */
        if (json_array_append_new(array, value(s)) != 0 ||
            (!accept(s, ',') && (s->p == s->end || *s->p != closing))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* Keys must be strings without a NUL, because JSON's are. */
static json_t *dictionary(struct parser *s)
{
    json_t *object = json_object();
    while (!accept(s, '}')) {
        blanks(s);
        json_t *key = s->p < s->end && (*s->p == '\'' || *s->p == '"') ? string(s) : NULL;
        json_t *element = key && accept(s, ':') ? value(s) : NULL;
        int ok = element && strlen(json_string_value(key)) == json_string_length(key) &&
                 json_object_set(object, json_string_value(key), element) == 0 &&
                 (accept(s, ',') || (s->p < s->end && *s->p == '}'));
        json_decref(key);
        json_decref(element);
        if (!ok) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *value(struct parser *s)
{
    blanks(s);
    if (s->p == s->end || s->depth == MAX_DEPTH)
        return NULL;
    if (*s->p == '\'' || *s->p == '"')
        return string(s);
    s->depth++;
    json_t *result;
    if (accept(s, '['))
        result = list(s, ']');
    else if (accept(s, '('))
        result = list(s, ')');
    else if (accept(s, '{'))
        result = dictionary(s);
    else
        result = word_or_number(s);
    s->depth--;
    return result;
}

/* Anything behind the literal makes the whole text none. */
json_t *tv_literal_parse(const char *text, size_t n)
{
    struct parser s = {text, text + n, 0};
    json_t *result = value(&s);
    blanks(&s);
    if (s.p == s.end)
        return result;
    json_decref(result);
    return NULL;
}
