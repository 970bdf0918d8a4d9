/* npy: NumPy's .npy files, format 1.0 (npy.h). Export and import of models write and read them.
 *
 * numpy reads the header with Python's own parser. Here it is a cursor that knows the three entries, in any order, and
 * takes nothing else: a header is text from outside, and no number in it is used before it is checked.
 */
#include "trivet/core/formats/npy.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trivet/base/buffer.h"

static const char magic[] = "\x93NUMPY\x01"; /* and the literal's own NUL: version 1.0 */
enum { MAGIC = sizeof magic, TEXT_AT = MAGIC + 2, MAX_HEADER = TEXT_AT + UINT16_MAX };

/* --- the header ------------------------------------------------------------------------------------------- */

/* Always 128 bytes, filled with blanks up to a line feed: the writer leaves that room at first and fills it in at the
 * end, when the number of rows is known. numpy lets data begin at a multiple of 64, too. */
void tv_npy_header(char out[TV_NPY_HEADER], const struct tv_npy_shape *shape)
{
    const int length = TV_NPY_HEADER - TEXT_AT;
    char columns[32] = "";
    if (shape->n_dims == 2)
        snprintf(columns, sizeof columns, " %zu", shape->columns);
    memset(out, ' ', TV_NPY_HEADER);
    memcpy(out, magic, MAGIC);
    out[MAGIC] = (char)(length & 0xff);
    out[MAGIC + 1] = (char)(length >> 8);
    int n = snprintf(out + TEXT_AT, (size_t)length, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,%s), }",
                     tv_dtype_name(shape->dtype), shape->rows, columns);
    out[TEXT_AT + n] = ' ';
    out[TV_NPY_HEADER - 1] = '\n';
}

/* A place in the header's text and its end; the take functions return 0 where the text is something else. */
struct cursor {
    const char *at, *end;
};

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && *c->at == ' ')
        c->at++;
}

/* The character, with blanks around it. */
static int take(struct cursor *c, char expected)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != expected)
        return 0;
    c->at++;
    skip_blanks(c);
    return 1;
}

static int take_word(struct cursor *c, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0)
        return 0;
    c->at += n;
    return 1;
}

/* A string in either kind of quotes, without escapes. */
static int take_text(struct cursor *c, const char **text, size_t *n)
{
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return 0;
    const char *first = c->at + 1, *last = memchr(first, *c->at, (size_t)(c->end - first));
    if (last == NULL || memchr(first, '\\', (size_t)(last - first)))
        return 0;
    *text = first;
    *n = (size_t)(last - first);
    c->at = last + 1;
    return 1;
}

/* Digits without a sign. Overflow is refused rather than wrapped, since sizes decide how much memory is taken. */
static int take_size(struct cursor *c, size_t *out)
{
    const char *first = c->at;
    *out = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, (size_t)(*c->at - '0'), out))
            return 0;
    return c->at > first;
}

/* (3,) or (3, 50) or (3, 50,) */
static int take_shape(struct cursor *c, struct tv_npy_shape *s)
{
    s->n_dims = 1;
    s->columns = 1;
    if (!take(c, '(') || !take_size(c, &s->rows) || !take(c, ','))
        return 0;
    if (take_size(c, &s->columns)) {
        s->n_dims = 2;
        take(c, ',');
    } else {
        s->columns = 1;
    }
    return take(c, ')');
}

enum { DESCR = 1, ORDER = 2, SHAPE = 4, ALL = 7 };

/* One entry, "'shape': (3, 50)": its bit, or 0 with the reason in `err`. */
static int take_entry(struct cursor *c, struct tv_npy_shape *s, struct tv_error *err)
{
    const char *key, *type;
    size_t n, n_type;
    if (!take_text(c, &key, &n) || !take(c, ':')) {
        tv_fail(err, TV_ERR_INPUT, "its header is no dict of descr, fortran_order and shape");
    } else if (n == 5 && memcmp(key, "descr", n) == 0) {
        if (take_text(c, &type, &n_type) && tv_dtype_from(type, n_type, &s->dtype))
            return DESCR;
        tv_fail(err, TV_ERR_INPUT, "its type is none of <f2 <f4 <f8 <i4 <i8");
    } else if (n == 13 && memcmp(key, "fortran_order", n) == 0) {
        if (take_word(c, "False"))
            return ORDER;
        tv_fail(err, TV_ERR_INPUT, "its data are not row by row (fortran_order)");
    } else if (n == 5 && memcmp(key, "shape", n) == 0) {
        if (take_shape(c, s))
            return SHAPE;
        tv_fail(err, TV_ERR_INPUT, "its shape is not one or two sizes");
    } else {
        tv_fail(err, TV_ERR_INPUT, "its header holds \"%.*s\"", n < 40 ? (int)n : 40, key);
    }
    return 0;
}

/* Each entry once, and all of them; a trailing comma is allowed, as numpy writes one. */
static enum tv_status parse_dict(struct tv_npy_shape *s, struct cursor c, struct tv_error *err)
{
    int found = 0;
    if (!take(&c, '{'))
        return tv_fail(err, TV_ERR_INPUT, "its header is no dict of descr, fortran_order and shape");
    while (!take(&c, '}')) {
        int entry = take_entry(&c, s, err);
        if (entry == 0)
            return TV_ERR_INPUT;
        if (found & entry)
            return tv_fail(err, TV_ERR_INPUT, "its header says something twice");
        found |= entry;
        if (!take(&c, ',') && (c.at == c.end || *c.at != '}'))
            return tv_fail(err, TV_ERR_INPUT, "its header does not end");
    }
    if (found != ALL || !take_word(&c, "\n") || c.at != c.end)
        return tv_fail(err, TV_ERR_INPUT, "its header is incomplete or does not end with a line");
    return TV_OK;
}

/* Bytes of data; 0 in *ok when no memory could hold them. */
static size_t data_bytes(const struct tv_npy_shape *s, int *ok)
{
    size_t n = 0;
    *ok = !__builtin_mul_overflow(s->rows, s->columns, &n) && !__builtin_mul_overflow(n, tv_dtype_size(s->dtype), &n) &&
          n <= INT64_MAX - MAX_HEADER;
    return n;
}

enum tv_status tv_npy_parse(struct tv_npy_shape *out, size_t *data_at, const void *bytes, size_t n,
                            struct tv_error *err)
{
    const unsigned char *p = bytes;
    if (n < MAGIC || memcmp(p, magic, MAGIC - 2) != 0)
        return tv_fail(err, TV_ERR_INPUT, "it is no .npy file");
    if (memcmp(p, magic, MAGIC) != 0)
        return tv_fail(err, TV_ERR_INPUT, "it is a .npy file of version %d.%d, not 1.0", p[MAGIC - 2], p[MAGIC - 1]);
    size_t length = n < TEXT_AT ? 0 : (size_t)p[MAGIC] | (size_t)p[MAGIC + 1] << 8;
    if (length == 0 || n - TEXT_AT < length)
        return tv_fail(err, TV_ERR_INPUT, "its header is cut short");
    const char *text = (const char *)p + TEXT_AT;
    struct tv_npy_shape shape = {0};
    int fits;
    enum tv_status status = parse_dict(&shape, (struct cursor){text, text + length}, err);
    if (status == TV_OK && (data_bytes(&shape, &fits), !fits))
        status = tv_fail(err, TV_ERR_INPUT, "its shape, (%zu, %zu), is beyond any file", shape.rows, shape.columns);
    if (status != TV_OK)
        return status;
    *out = shape;
    *data_at = TEXT_AT + length;
    return TV_OK;
}

/* --- writing ---------------------------------------------------------------------------------------------- */

/* `path` is for messages. */
struct tv_npy_writer {
    FILE *file;
    struct tv_npy_shape shape; /* rows: as many as were written */
    char path[];
};

/* Called right after the call that failed, while errno still is its. */
static enum tv_status cannot_write(const struct tv_npy_writer *w, struct tv_error *err)
{
    return tv_fail(err, TV_ERR_IO, "cannot write %s: %s", w->path, strerror(errno));
}

/* Zeros stand where the header will be, so what a broken-off export leaves is no .npy file. */
enum tv_status tv_npy_create(struct tv_npy_writer **out, const char *path, enum tv_dtype dtype, size_t columns,
                             struct tv_error *err)
{
    static const char space[TV_NPY_HEADER];
    struct tv_npy_writer *w = tv_alloc(1, sizeof *w + strlen(path) + 1, "a file", err);
    if (w == NULL)
        return TV_ERR_NO_MEMORY;
    memcpy(w->path, path, strlen(path) + 1);
    w->shape = (struct tv_npy_shape){.dtype = dtype, .n_dims = columns ? 2 : 1, .columns = columns ? columns : 1};
    w->file = fopen(path, "wbe");
    if (w->file == NULL || fwrite(space, 1, sizeof space, w->file) != sizeof space) {
        enum tv_status status = cannot_write(w, err);
        tv_npy_abandon(w);
        return status;
    }
    *out = w;
    return TV_OK;
}

enum tv_status tv_npy_write(struct tv_npy_writer *w, const void *rows, size_t n, struct tv_error *err)
{
    size_t values = n * w->shape.columns;
    if (values > 0 && fwrite(rows, tv_dtype_size(w->shape.dtype), values, w->file) != values)
        return cannot_write(w, err);
    w->shape.rows += n;
    return TV_OK;
}

/* fsync, because an export gives its folder the final name once all files are written, and their data must be there
 * then. */
enum tv_status tv_npy_finish(struct tv_npy_writer *w, struct tv_error *err)
{
    char header[TV_NPY_HEADER];
    enum tv_status status = TV_OK;
    if (w == NULL)
        return TV_OK;
    tv_npy_header(header, &w->shape);
    if (fseek(w->file, 0, SEEK_SET) != 0 || fwrite(header, 1, sizeof header, w->file) != sizeof header ||
        fflush(w->file) != 0 || fsync(fileno(w->file)) != 0)
        status = cannot_write(w, err);
    if (fclose(w->file) != 0 && status == TV_OK)
        status = cannot_write(w, err);
    free(w);
    return status;
}

void tv_npy_abandon(struct tv_npy_writer *w)
{
    if (w && w->file)
        fclose(w->file);
    free(w);
}

/* --- reading ---------------------------------------------------------------------------------------------- */

struct tv_npy_reader {
    FILE *file;
    struct tv_npy_shape shape;
    char path[];
};

/* The header, and that the file ends where its data do. */
static enum tv_status read_header(struct tv_npy_reader *r, struct tv_error *err)
{
    struct stat about;
    size_t data_at = 0;
    int fits;
    char *bytes = tv_alloc(MAX_HEADER, 1, "a header", err);
    if (bytes == NULL)
        return TV_ERR_NO_MEMORY;
    size_t n = fread(bytes, 1, MAX_HEADER, r->file);
    enum tv_status status = tv_npy_parse(&r->shape, &data_at, bytes, n, err);
    free(bytes);
    if (status != TV_OK) {
        tv_context(err, "%s", r->path);
        return status;
    }
    size_t expected = data_at + data_bytes(&r->shape, &fits);
    if (fstat(fileno(r->file), &about) != 0 || fseek(r->file, (long)data_at, SEEK_SET) != 0)
        return tv_fail(err, TV_ERR_IO, "cannot read %s: %s", r->path, strerror(errno));
    if ((size_t)about.st_size != expected)
        return tv_fail(err, TV_ERR_INPUT, "%s has %zu bytes, but its shape needs %zu", r->path, (size_t)about.st_size,
                       expected);
    return TV_OK;
}

enum tv_status tv_npy_open(struct tv_npy_reader **out, const char *path, enum tv_dtype dtype, int n_dims,
                           struct tv_error *err)
{
    struct tv_npy_reader *r = tv_alloc(1, sizeof *r + strlen(path) + 1, "a file", err);
    if (r == NULL)
        return TV_ERR_NO_MEMORY;
    memcpy(r->path, path, strlen(path) + 1);
    r->file = fopen(path, "rbe");
    enum tv_status status = r->file ? read_header(r, err)
                                    : tv_fail(err, errno == ENOENT ? TV_ERR_NOT_FOUND : TV_ERR_IO, "cannot read %s: %s",
                                              path, strerror(errno));
    if (status == TV_OK && (r->shape.dtype != dtype || r->shape.n_dims != n_dims))
        status = tv_fail(err, TV_ERR_INPUT, "%s holds %s in %d dimensions where %s in %d was expected", path,
                         tv_dtype_name(r->shape.dtype), r->shape.n_dims, tv_dtype_name(dtype), n_dims);
    if (status != TV_OK) {
        tv_npy_close(r);
        return status;
    }
    *out = r;
    return TV_OK;
}

const struct tv_npy_shape *tv_npy_shape_of(const struct tv_npy_reader *r)
{
    return &r->shape;
}

enum tv_status tv_npy_read(struct tv_npy_reader *r, void *rows, size_t n, struct tv_error *err)
{
    size_t values = n * r->shape.columns;
    if (values > 0 && fread(rows, tv_dtype_size(r->shape.dtype), values, r->file) != values)
        return tv_fail(err, TV_ERR_INPUT, "%s ends before its %zu rows do", r->path, r->shape.rows);
    return TV_OK;
}

void tv_npy_close(struct tv_npy_reader *r)
{
    if (r && r->file)
        fclose(r->file);
    free(r);
}
