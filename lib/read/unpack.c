/* unpack: gzip is read by zlib itself, since libarchive compares neither the sum nor the length at the end of what is packed so; the
 * other three by libarchive. A file may be several packed one after the other. What stands behind them and is none is damage: it may be
 * the next one, whose head is broken.
 */
#include "lib/read/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { BLOCK = 256 * 1024, GZIP_WINDOW = 15 + 16 }; /* zlib's largest window, and its mark of gzip */

struct tv_unpack {
    const char *path;
    char why[200];
    int begun, ended;
    struct archive *archive; /* of the other three */
    FILE *file;              /* of gzip, as is the rest */
    z_stream z;
    int members, between; /* those that were whole; between two of them, or behind the last */
    unsigned char in[BLOCK], out[BLOCK];
};

static const struct {
    const char *magic;
    size_t n;
} packings[] = {{"\x1f\x8b", 2}, {"BZh", 3}, {"\xfd" "7zXZ", 5}, {"\x28\xb5\x2f\xfd", 4}};

int tv_unpack_knows(const char *head, size_t n)
{
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++)
        if (n >= packings[i].n && memcmp(head, packings[i].magic, packings[i].n) == 0)
            return 1;
    return 0;
}

struct tv_unpack *tv_unpack_open(const char *path)
{
    struct tv_unpack *u = calloc(1, sizeof *u);
    if (u)
        u->path = path;
    return u;
}

void tv_unpack_close(struct tv_unpack *u)
{
    if (u == NULL)
        return;
    archive_read_free(u->archive);
    if (u->file && u->begun)
        inflateEnd(&u->z);
    if (u->file)
        fclose(u->file);
    free(u);
}

const char *tv_unpack_why(const struct tv_unpack *u)
{
    return u->why[0] ? u->why : NULL;
}

static ssize_t fail(struct tv_unpack *u, const char *what, const char *detail)
{
    snprintf(u->why, sizeof u->why, "%s%s", what, detail);
    return -1;
}

/* --- gzip ---------------------------------------------------------------------------------------------------------- */

/* Reads on where all that was read is used up, and steps over zeros between two members and behind the last, with which tapes and
 * disks fill up. Returns whether there is something to unpack; else the file ends here, or -1. */
static int refill(struct tv_unpack *u)
{
    for (;;) {
        while (u->between && u->members > 0 && u->z.avail_in > 0 && *u->z.next_in == 0) {
            u->z.next_in++;
            u->z.avail_in--;
        }
        if (u->z.avail_in > 0)
            return 1;
        u->z.next_in = u->in;
        u->z.avail_in = (uInt)fread(u->in, 1, sizeof u->in, u->file);
        if (u->z.avail_in == 0)
            return ferror(u->file) ? (int)fail(u, strerror(errno), "") : 0;
    }
}

/* zlib compares the sum and the length of a member before it calls it ended. */
static ssize_t unpack_some(struct tv_unpack *u)
{
    int code = inflate(&u->z, Z_NO_FLUSH);
    u->between = code == Z_STREAM_END;
    u->members += u->between;
    if (u->between)
        code = inflateReset(&u->z);
    if (code == Z_OK || code == Z_BUF_ERROR)
        return 0;
    if (code == Z_MEM_ERROR)
        return fail(u, "out of memory", "");
    if (u->members > 0 && u->z.total_in <= 2)
        return fail(u, "it is damaged: behind what is packed with gzip stands what is not", "");
    return fail(u, "it is damaged: ", u->z.msg ? u->z.msg : "no gzip");
}

static ssize_t read_gzip(struct tv_unpack *u, const void **bytes)
{
    u->z.next_out = u->out;
    u->z.avail_out = sizeof u->out;
    while (u->z.avail_out == sizeof u->out) {
        int more = refill(u);
        if (more == 0 && !u->between)
            return fail(u, "it is cut: it ends in the middle of what is packed", "");
        if (more <= 0)
            return more;
        if (unpack_some(u) < 0)
            return -1;
    }
    *bytes = u->out;
    return (ssize_t)(sizeof u->out - u->z.avail_out);
}

/* --- the others ---------------------------------------------------------------------------------------------------- */

static ssize_t fail_by_library(struct tv_unpack *u)
{
    const char *why = archive_error_string(u->archive);
    return fail(u, why ? why : "it is damaged", "");
}

/* libarchive ends where nothing follows that it knows, and the rest of the file is passed over: bzip2's next part, say. */
static ssize_t end(struct tv_unpack *u)
{
    struct stat about;
    if (stat(u->path, &about) == 0 && (la_int64_t)about.st_size != archive_filter_bytes(u->archive, -1))
        return fail(u, "it is damaged: behind what is packed stands what is not", "");
    return 0;
}

static ssize_t read_other(struct tv_unpack *u, const void **bytes)
{
    la_int64_t offset;
    size_t n = 0;
    while (n == 0) {
        int code = archive_read_data_block(u->archive, bytes, &n, &offset);
        if (code == ARCHIVE_EOF)
            return end(u);
        if (code != ARCHIVE_OK)
            return fail_by_library(u);
    }
    return (ssize_t)n;
}

/* --- both ---------------------------------------------------------------------------------------------------------- */

/* A filter that would run a program (ARCHIVE_WARN) is none. With one filter alone the bytes are what they were. */
static ssize_t begin_other(struct tv_unpack *u)
{
    struct archive *a = u->archive = archive_read_new();
    struct archive_entry *entry;
    if (a == NULL)
        return fail(u, "out of memory", "");
    int ok = archive_read_support_filter_bzip2(a) == ARCHIVE_OK && archive_read_support_filter_xz(a) == ARCHIVE_OK &&
             archive_read_support_filter_zstd(a) == ARCHIVE_OK && archive_read_support_format_raw(a) == ARCHIVE_OK &&
             archive_read_support_format_empty(a) == ARCHIVE_OK &&
             archive_read_open_filename(a, u->path, BLOCK) == ARCHIVE_OK;
    int code = ok ? archive_read_next_header(a, &entry) : ARCHIVE_FATAL;
    if (code == ARCHIVE_EOF)
        u->ended = 1;
    else if (code != ARCHIVE_OK)
        return fail_by_library(u);
    return archive_filter_count(a) == 1 ? fail(u, "it is damaged, or no archive", "") : 0;
}

static ssize_t begin(struct tv_unpack *u)
{
    char head[2] = "";
    u->file = fopen(u->path, "rbe");
    if (u->file == NULL)
        return fail(u, strerror(errno), "");
    size_t n = fread(head, 1, sizeof head, u->file);
    if (n == sizeof head && memcmp(head, packings[0].magic, sizeof head) == 0) {
        rewind(u->file);
        u->begun = inflateInit2(&u->z, GZIP_WINDOW) == Z_OK;
        return u->begun ? 0 : fail(u, "out of memory", "");
    }
    fclose(u->file);
    u->file = NULL;
    u->begun = 1;
    return begin_other(u);
}

ssize_t tv_unpack_read(struct tv_unpack *u, const void **bytes)
{
    *bytes = u->out;
    if (u->why[0] || (!u->begun && begin(u) < 0))
        return -1;
    if (u->ended)
        return 0;
    ssize_t n = u->file ? read_gzip(u, bytes) : read_other(u, bytes);
    u->ended = n == 0;
    return n;
}
