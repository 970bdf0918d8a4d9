/* archive: packed files, read by libarchive, with unpack.c below. That is a forward-only reader: each stream opens the archive anew, moves to its
 * entry. In a packed tar all that lies before the entry has to be unpacked for it, so the list keeps the heads of such files, which
 * are all that a look at them needs.
 */
#include "lib/read/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/read/unpack.h"
#include "trivet/base/buffer.h"

enum { BLOCK = 256 * 1024, HEAD = 64 * 1024, MAX_HEADS = 32 << 20 };

/* --- how a file is packed ------------------------------------------------------------------------------------------ */

/* One row a kind of first bytes; `test` is the command that says more of damage, `unpack` that of what is not read here. */
struct tv_packing {
    const char *magic;
    size_t n, at;
    const char *phrase, *test, *unpack;
};

static const struct tv_packing packings[] = {
    {"PK\3\4", 4, 0, "in a zip archive", "unzip -t", NULL},
    {"PK\5\6", 4, 0, "in a zip archive", "unzip -t", NULL}, /* an empty one */
    {"ustar", 5, 257, "in a tar archive", "tar -tf", NULL},
    {"\x1f\x8b", 2, 0, "packed with gzip", "gzip -t", NULL},
    {"BZh", 3, 0, "packed with bzip2", "bzip2 -t", NULL},
    {"\xfd" "7zXZ", 5, 0, "packed with xz", "xz -t", NULL},
    {"\x28\xb5\x2f\xfd", 4, 0, "packed with zstd", "zstd -t", NULL},
    {"7z\xbc\xaf", 4, 0, "", "", "7z x"},
    {"Rar!", 4, 0, "", "", "unrar x"},
    {"\x1f\x9d", 2, 0, "", "", "uncompress"},
    {"\x04\x22\x4d\x18", 4, 0, "", "", "lz4 -d"},
};

/* Of a file that cannot be opened nothing is told here; opening it for the load will. */
const struct tv_packing *tv_packing_of(const char *path)
{
    char head[262];
    FILE *f = fopen(path, "rbe");
    size_t n = f ? fread(head, 1, sizeof head, f) : 0;
    if (f)
        fclose(f);
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++) {
        const struct tv_packing *p = &packings[i];
        if (n >= p->at + p->n && memcmp(head + p->at, p->magic, p->n) == 0)
            return p;
    }
    return NULL;
}

const char *tv_packing_other(const struct tv_packing *packing)
{
    return packing ? packing->unpack : NULL;
}

static int is_zip(const struct tv_packing *packing)
{
    return packing->magic[0] == 'P';
}

static int cut_ending(char *name, const char *ending)
{
    size_t n = strlen(name), size = strlen(ending);
    if (n <= size || strcasecmp(name + n - size, ending) != 0)
        return 0;
    name[n - size] = '\0';
    return 1;
}

int tv_archive_unpacked_name(char *name)
{
    static const char *const filters[] = {".gz", ".bz2", ".xz", ".zst"};
    int cut = 0;
    for (size_t i = 0; !cut && i < sizeof filters / sizeof *filters; i++)
        cut = cut_ending(name, filters[i]);
    return cut;
}

int tv_archive_plain_name(char *name)
{
    static const char *const whole[] = {".zip", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst"};
    int cut = tv_archive_unpacked_name(name);
    if (cut) {
        cut_ending(name, ".tar");
        return 1;
    }
    for (size_t i = 0; !cut && i < sizeof whole / sizeof *whole; i++)
        cut = cut_ending(name, whole[i]);
    return cut;
}

/* --- opening ------------------------------------------------------------------------------------------------------- */

/* An archive that is open, and the bytes it is read from where they are packed as a whole: a tar archive behind gzip, or a single file. */
struct opened {
    const char *path;
    struct archive *a;
    struct tv_unpack *packed; /* NULL: libarchive reads the file itself */
};

static void close_archive(struct opened *o)
{
    archive_read_free(o->a);
    tv_unpack_close(o->packed);
    *o = (struct opened){.a = NULL};
}

/* libarchive may fail without a text. What is wrong with the bytes comes before what it makes of them. */
static enum tv_status failed(const struct opened *o, struct tv_error *err)
{
    if (o->a == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the archive %s", o->path);
    const char *why = o->packed ? tv_unpack_why(o->packed) : NULL;
    const struct tv_packing *packing = tv_packing_of(o->path);
    if (why == NULL && packing && is_zip(packing) && archive_format(o->a) == 0)
        why = "it is cut, or damaged at its end, where its directory should be";
    if (why == NULL)
        why = archive_error_string(o->a);
    tv_fail(err, TV_ERR_INPUT, "cannot read archive %s: %s", o->path, why ? why : "it is damaged, or no archive");
    return tv_hint(err, "is it whole? %s %s says more", packing ? packing->test : "file", o->path);
}

static la_ssize_t on_read(struct archive *a, void *packed, const void **bytes)
{
    ssize_t n = tv_unpack_read(packed, bytes);
    if (n < 0)
        archive_set_error(a, EIO, "%s", tv_unpack_why(packed));
    return n;
}

/* Of all that libarchive reads, only what the file's first bytes ask for is allowed: the fewer parsers see bytes from outside, the
 * better. A zip archive is read by its directory, which stands at its end: one that was cut has none, and what is left of it is not all.
 * libarchive does not know the directory of an empty one. */
static int allow(struct archive *a, const struct tv_packing *packing)
{
    if (packing && is_zip(packing))
        return (packing->magic[2] == 3 ? archive_read_support_format_zip_seekable(a) : archive_read_support_format_zip(a)) == ARCHIVE_OK;
    return archive_read_support_format_tar(a) == ARCHIVE_OK && archive_read_support_format_empty(a) == ARCHIVE_OK &&
           archive_read_support_format_raw(a) == ARCHIVE_OK;
}

static enum tv_status open_archive(struct opened *o, const char *path, struct tv_error *err)
{
    const struct tv_packing *packing = tv_packing_of(path);
    int is_packed = packing && tv_unpack_knows(packing->magic, packing->n);
    *o = (struct opened){.path = path, .a = archive_read_new(), .packed = is_packed ? tv_unpack_open(path) : NULL};
    int ok = o->a && (o->packed || !is_packed) && allow(o->a, packing);
    if (ok && is_packed)
        ok = archive_read_open(o->a, o->packed, NULL, on_read, NULL) == ARCHIVE_OK;
    else if (ok)
        ok = archive_read_open_filename(o->a, path, BLOCK) == ARCHIVE_OK;
    if (ok)
        return TV_OK;
    enum tv_status status = failed(o, err);
    close_archive(o);
    return status;
}

/* Moves to the next entry; *path is its name, or NULL where it has none that can be told. 0: there is none, and *code says why. A
 * warning leaves the entry readable. Names are asked for in a locale of UTF-8, without which libarchive gives none that has other
 * letters than ASCII's; the locale is this thread's and ends with the call. */
static int next_entry(struct archive *a, struct archive_entry **entry, const char **path, int *code)
{
    locale_t letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = uselocale(letters);
    *code = archive_read_next_header(a, entry);
    int there = *code == ARCHIVE_OK || *code == ARCHIVE_WARN;
    *path = there ? archive_entry_pathname(*entry) : NULL;
    uselocale(before);
    if (letters)
        freelocale(letters);
    return there;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* --- the list ------------------------------------------------------------------------------------------------------ */

static int is_data(const char *path, struct archive_entry *entry)
{
    return path && archive_entry_filetype(entry) == AE_IFREG && base_name(path)[0] != '.' &&
           strncmp(path, "__MACOSX/", 9) != 0;
}

/* Reads the entry's first bytes into `head`; one byte more tells whether that is all. */
static enum tv_status read_head(const struct opened *o, char *head, struct tv_input_file *file, struct tv_error *err)
{
    la_ssize_t got = 1;
    while (file->n_head <= HEAD && got > 0) {
        got = archive_read_data(o->a, head + file->n_head, HEAD + 1 - file->n_head);
        if (got < 0)
            return failed(o, err);
        file->n_head += (size_t)got;
    }
    file->whole = file->n_head <= HEAD;
    file->n_head -= !file->whole;
    file->head = head;
    return TV_OK;
}

/* Whether all that is there is one file. */
static int is_alone(const struct opened *o)
{
    return archive_format(o->a) == ARCHIVE_FORMAT_RAW;
}

/* One file that is packed by itself has no name inside: it is called as its archive, without the ending. */
static enum tv_status take_entry(const struct opened *o, struct archive_entry *entry, struct tv_input_file *file, char *head,
                                 struct tv_error *err)
{
    const char *path = file->path;
    if (is_alone(o) && o->packed == NULL) /* neither packed nor an archive, whatever its first bytes are */
        return failed(o, err);
    if (!is_data(path, entry))
        return TV_OK;
    file->name = strdup(base_name(is_alone(o) ? file->archive : path));
    if (file->name == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the list of files");
    if (is_alone(o))
        tv_archive_plain_name(file->name);
    file->size = (double)archive_entry_size(entry);
    return head ? read_head(o, head, file, err) : TV_OK;
}

/* What stands behind the last entry is read, too, because only the end of what is packed tells whether all of it was whole. */
static enum tv_status check_end(const struct opened *o, struct tv_error *err)
{
    const void *bytes;
    ssize_t n = 1;
    while (n > 0)
        n = tv_unpack_read(o->packed, &bytes);
    return n < 0 ? failed(o, err) : TV_OK;
}

/* Of a packed tar the heads are kept, as long as they are few; a file packed by itself is as near as ever. */
static enum tv_status list_entries(const struct opened *o, char *head, tv_archive_take take, void *context, struct tv_error *err)
{
    struct archive_entry *entry;
    const char *name;
    enum tv_status status = TV_OK;
    size_t heads = 0;
    int code = ARCHIVE_OK;
    for (size_t i = 0; status == TV_OK && next_entry(o->a, &entry, &name, &code); i++) {
        int far = o->packed && !is_alone(o) && heads < MAX_HEADS;
        struct tv_input_file file = {.path = (char *)name, .archive = (char *)o->path, .entry = i};
        status = take_entry(o, entry, &file, far ? head : NULL, err);
        heads += file.n_head;
        if (status == TV_OK && file.name)
            status = take(context, &file, err);
        free(file.name);
    }
    if (status == TV_OK && code != ARCHIVE_EOF)
        return failed(o, err);
    return status == TV_OK && o->packed && !is_alone(o) ? check_end(o, err) : status;
}

enum tv_status tv_archive_list(const char *path, const char **phrase, tv_archive_take take, void *context, struct tv_error *err)
{
    struct opened o = {.a = NULL};
    const struct tv_packing *packing = tv_packing_of(path);
    char *head = tv_alloc(HEAD + 1, 1, "the head of a file", err);
    enum tv_status status = head ? open_archive(&o, path, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = list_entries(&o, head, take, context, err);
    if (status == TV_OK)
        *phrase = (archive_format(o.a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR ? "in a tar archive"
                  : packing                                                              ? packing->phrase
                                                                                         : "";
    close_archive(&o);
    free(head);
    return status;
}

/* --- streams ------------------------------------------------------------------------------------------------------- */

/* An archive of its own, opened when the head that the list kept is used up. */
struct packed_source {
    struct tv_byte_source base;
    struct opened opened;
    const struct tv_input_file *file;
};

/* Moves to the entry, by its number and its name. The archive may have been replaced since it was listed. */
static enum tv_status find_entry(struct packed_source *p, struct tv_error *err)
{
    struct archive_entry *entry;
    const char *path = p->file->archive, *name;
    int code;
    for (size_t i = 0; next_entry(p->opened.a, &entry, &name, &code); i++)
        if (i == p->file->entry && name && strcmp(name, p->file->path) == 0)
            return TV_OK;
    enum tv_status status = code != ARCHIVE_EOF ? failed(&p->opened, err) : p->opened.packed ? check_end(&p->opened, err) : TV_OK;
    return status == TV_OK ? tv_fail(err, TV_ERR_IO, "%s no longer holds %s", path, p->file->path) : status;
}

/* libarchive checks sums as an entry is read, so damage shows here at the latest. */
static enum tv_status read_entry(struct packed_source *p, void *out, size_t n, size_t *got, struct tv_error *err)
{
    la_ssize_t size = archive_read_data(p->opened.a, out, n);
    if (size < 0)
        return failed(&p->opened, err);
    *got = (size_t)size;
    return TV_OK;
}

/* Opens the archive, and steps over the bytes that were handed out already. */
static enum tv_status open_entry(struct packed_source *p, struct tv_error *err)
{
    char passed[4096];
    size_t got = 1;
    enum tv_status status = open_archive(&p->opened, p->file->archive, err);
    if (status == TV_OK)
        status = find_entry(p, err);
    for (size_t left = p->file->n_head; status == TV_OK && left > 0 && got > 0; left -= got)
        status = read_entry(p, passed, left < sizeof passed ? left : sizeof passed, &got, err);
    return status;
}

static enum tv_status read_packed(struct tv_byte_source *s, void *out, size_t n, size_t *got, struct tv_error *err)
{
    struct packed_source *p = (struct packed_source *)s;
    size_t at = (size_t)s->consumed, left = at < p->file->n_head ? p->file->n_head - at : 0;
    enum tv_status status = TV_OK;
    *got = n < left ? n : left;
    if (left > 0)
        memcpy(out, p->file->head + at, *got);
    else if (!p->file->whole && p->opened.a == NULL)
        status = open_entry(p, err);
    if (status == TV_OK && left == 0 && !p->file->whole)
        status = read_entry(p, out, n, got, err);
    s->consumed += (double)*got;
    return status;
}

static void close_packed(struct tv_byte_source *s)
{
    struct packed_source *p = (struct packed_source *)s;
    close_archive(&p->opened);
    free(p);
}

/* Without a head the archive is opened at once, so that what is missing shows at once. */
enum tv_status tv_archive_open(struct tv_byte_source **out, const struct tv_input_file *file, struct tv_error *err)
{
    struct packed_source *p = tv_alloc(1, sizeof *p, "an archive", err);
    if (p == NULL)
        return TV_ERR_NO_MEMORY;
    p->base = (struct tv_byte_source){.read = read_packed, .close = close_packed};
    p->file = file;
    enum tv_status status = file->n_head == 0 && !file->whole ? open_entry(p, err) : TV_OK;
    if (status != TV_OK) {
        close_packed(&p->base);
        return status;
    }
    *out = &p->base;
    return TV_OK;
}

const char *tv_archive_library(void)
{
    return archive_version_string();
}
