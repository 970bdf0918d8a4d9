/* input: a folder, a zip archive or one file as a list of byte streams. Zip is read by libarchive, which is a
 * forward-only reader: each stream of an archive opens it anew and moves to its entry over the headers
 * of those before it. */
#include "trivet/read/input.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trivet/base/buffer.h"
#include "trivet/base/hash.h"

enum { BLOCK = 256 * 1024, MAX_FILES = 10000 };

/* --- the list of files ------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A failure in the middle leaves a file without a name or path in the list, which tv_input_close frees all the same. */
static enum tv_status add_file(struct tv_input *input, const char *path, double size, struct tv_error *err)
{
    if (input->n_files == MAX_FILES)
        return tv_fail(err, TV_ERR_INPUT, "%s holds more than %d files", input->path, MAX_FILES);
    struct tv_input_file *files = realloc(input->files, (input->n_files + 1) * sizeof *files);
    if (files == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the list of files");
    input->files = files;
    struct tv_input_file *file = &files[input->n_files++];
    *file = (struct tv_input_file){.name = strdup(base_name(path)), .path = strdup(path), .size = size};
    if (file->name == NULL || file->path == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the list of files");
    return TV_OK;
}

/* Hidden files and folders are passed over, as is a file that vanishes meanwhile. */
static enum tv_status list_folder(struct tv_input *input, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    DIR *dir = opendir(input->path);
    if (dir == NULL)
        return tv_fail(err, TV_ERR_IO, "cannot read folder %s: %s", input->path, strerror(errno));
    for (struct dirent *entry; status == TV_OK && (entry = readdir(dir)) != NULL;) {
        char path[4096];
        struct stat about;
        snprintf(path, sizeof path, "%s/%s", input->path, entry->d_name);
        if (entry->d_name[0] != '.' && stat(path, &about) == 0 && S_ISREG(about.st_mode))
            status = add_file(input, path, (double)about.st_size, err);
    }
    closedir(dir);
    return status;
}

/* libarchive may fail without a text. */
static enum tv_status archive_failed(struct archive *a, const char *path, struct tv_error *err)
{
    if (a == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the archive %s", path);
    const char *why = archive_error_string(a);
    tv_fail(err, TV_ERR_INPUT, "cannot read archive %s: %s", path, why ? why : "it is damaged, or no zip archive");
    return tv_hint(err, "is it whole? unzip -t %s says more", path);
}

/* Zip alone is allowed of all that libarchive reads: the fewer parsers see bytes from outside, the better. */
static enum tv_status open_archive(struct archive **out, const char *path, struct tv_error *err)
{
    struct archive *a = archive_read_new();
    if (a == NULL || archive_read_support_format_zip(a) != ARCHIVE_OK ||
        archive_read_open_filename(a, path, BLOCK) != ARCHIVE_OK) {
        enum tv_status status = archive_failed(a, path, err);
        archive_read_free(a);
        return status;
    }
    *out = a;
    return TV_OK;
}

/* Folders, hidden files and the shadow tree that macOS puts into archives are not data. */
static int is_data(struct archive_entry *entry)
{
    const char *path = archive_entry_pathname(entry);
    return path && archive_entry_filetype(entry) == AE_IFREG && base_name(path)[0] != '.' &&
           strncmp(path, "__MACOSX/", 9) != 0;
}

/* Reads the headers alone: sizes are those that the archive tells, and nothing is unpacked. */
static enum tv_status list_archive(struct tv_input *input, struct tv_error *err)
{
    struct archive *a = NULL;
    struct archive_entry *entry;
    enum tv_status status = open_archive(&a, input->path, err);
    if (status != TV_OK)
        return status;
    int code = ARCHIVE_OK;
    while (status == TV_OK && (code = archive_read_next_header(a, &entry)) == ARCHIVE_OK)
        if (is_data(entry))
            status = add_file(input, archive_entry_pathname(entry), (double)archive_entry_size(entry), err);
    if (status == TV_OK && code != ARCHIVE_EOF)
        status = archive_failed(a, input->path, err);
    archive_read_free(a);
    return status;
}

/* A folder lists its files in no order, and a load must not depend on it. */
static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tv_input_file *)a)->name, ((const struct tv_input_file *)b)->name);
}

/* Of a file that cannot be read: none; opening it for the load will say why. */
static size_t first_bytes(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "rbe");
    size_t n = f ? fread(out, 1, size, f) : 0;
    if (f)
        fclose(f);
    return n;
}

/* A zip archive begins with the header of its first file, or, when empty, with the end of its directory. The name is no
 * sign: archives come under other names, too. */
static int starts_like_zip(const char *path)
{
    char magic[4] = "";
    size_t n = first_bytes(path, magic, sizeof magic);
    return n == sizeof magic && (memcmp(magic, "PK\3\4", 4) == 0 || memcmp(magic, "PK\5\6", 4) == 0);
}

/* The command that unpacks the file, if it is packed in a way that is not read here, or NULL. Read as text, such a file
 * would be refused line by line, without a word of the reason. */
static const char *other_packing(const char *path)
{
    static const struct {
        const char *magic;
        size_t n;
        const char *unpack;
    } known[] = {
        {"\x1f\x8b", 2, "gunzip"},         {"BZh", 3, "bunzip2"}, {"\xfd" "7zXZ", 5, "unxz"},
        {"\x28\xb5\x2f\xfd", 4, "unzstd"}, {"7z\xbc\xaf", 4, "7z x"}, {"Rar!", 4, "unrar x"},
    };
    char magic[8] = "";
    size_t n = first_bytes(path, magic, sizeof magic);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (n >= known[i].n && memcmp(magic, known[i].magic, known[i].n) == 0)
            return known[i].unpack;
    return NULL;
}

/* A packed file that is no zip archive is refused, with the command that unpacks it. */
static enum tv_status add_single(struct tv_input *input, double size, struct tv_error *err)
{
    const char *unpack = other_packing(input->path);
    if (unpack == NULL)
        return add_file(input, input->path, size, err);
    tv_fail(err, TV_ERR_INPUT, "%s is packed, and not as a zip archive", input->path);
    return tv_hint(err, "unpack it first: %s %s", unpack, input->path);
}

/* Whether a file is an archive is told by its first bytes. */
enum tv_status tv_input_open(struct tv_input **out, const char *path, struct tv_error *err)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        tv_fail(err, TV_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
        return tv_hint(err, "give a folder with rating files, or the zip archive they came in");
    }
    struct tv_input *input = tv_alloc(1, sizeof *input, "the input", err);
    if (input == NULL)
        return TV_ERR_NO_MEMORY;
    input->path = strdup(path);
    input->is_zip = S_ISREG(about.st_mode) && starts_like_zip(path);
    enum tv_status status = TV_OK;
    if (input->path == NULL)
        status = tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a path");
    else if (S_ISDIR(about.st_mode))
        status = list_folder(input, err);
    else if (input->is_zip)
        status = list_archive(input, err);
    else
        status = add_single(input, (double)about.st_size, err);
    if (status != TV_OK) {
        tv_input_close(input);
        return status;
    }
    if (input->n_files > 0)
        qsort(input->files, input->n_files, sizeof *input->files, by_name);
    *out = input;
    return TV_OK;
}

void tv_input_close(struct tv_input *input)
{
    if (input == NULL)
        return;
    for (size_t i = 0; i < input->n_files; i++) {
        free(input->files[i].name);
        free(input->files[i].path);
    }
    free(input->files);
    free(input->path);
    free(input);
}

/* --- streams ----------------------------------------------------------------------------------- */

/* A stream of a file that lies on its own; `path` is for messages. */
struct file_source {
    struct tv_byte_source base;
    FILE *file;
    char *path;
};

/* fread fills `out` but for the end of the file, so a short read is the end or an error. */
static enum tv_status read_file(struct tv_byte_source *s, void *out, size_t n, size_t *got, struct tv_error *err)
{
    struct file_source *f = (struct file_source *)s;
    *got = fread(out, 1, n, f->file);
    s->consumed += (double)*got;
    return ferror(f->file) ? tv_fail(err, TV_ERR_IO, "cannot read %s: %s", f->path, strerror(errno)) : TV_OK;
}

static void close_file(struct tv_byte_source *s)
{
    struct file_source *f = (struct file_source *)s;
    if (f->file)
        fclose(f->file);
    free(f->path);
    free(f);
}

static enum tv_status open_file(struct tv_byte_source **out, const char *path, struct tv_error *err)
{
    struct file_source *f = tv_alloc(1, sizeof *f, "a file", err);
    if (f == NULL)
        return TV_ERR_NO_MEMORY;
    f->base = (struct tv_byte_source){.read = read_file, .close = close_file};
    f->path = strdup(path);
    f->file = fopen(path, "rb");
    if (f->path == NULL || f->file == NULL) {
        tv_fail(err, TV_ERR_IO, "cannot open %s: %s", path, strerror(errno));
        close_file(&f->base);
        return TV_ERR_IO;
    }
    setvbuf(f->file, NULL, _IONBF, 0); /* our reads are large already */
    *out = &f->base;
    return TV_OK;
}

/* An archive of its own, opened anew, since libarchive moves forward only and several streams may be open. */
struct zip_source {
    struct tv_byte_source base;
    struct archive *archive;
    const char *path; /* of the archive; lives in the input */
};

/* libarchive checks an entry's CRC as it is read, so damage shows here at the latest. */
static enum tv_status read_zip(struct tv_byte_source *s, void *out, size_t n, size_t *got, struct tv_error *err)
{
    struct zip_source *z = (struct zip_source *)s;
    la_ssize_t size = archive_read_data(z->archive, out, n);
    if (size < 0)
        return archive_failed(z->archive, z->path, err);
    *got = (size_t)size;
    s->consumed += (double)size;
    return TV_OK;
}

static void close_zip(struct tv_byte_source *s)
{
    struct zip_source *z = (struct zip_source *)s;
    archive_read_free(z->archive);
    free(z);
}

/* Moves to the entry of that name, over the headers of those before it. The archive may have been replaced since it was
 * listed. */
static enum tv_status find_entry(struct archive *archive, const char *archive_path, const char *name, struct tv_error *err)
{
    struct archive_entry *entry;
    int code;
    while ((code = archive_read_next_header(archive, &entry)) == ARCHIVE_OK) {
        const char *path = archive_entry_pathname(entry);
        if (path && strcmp(path, name) == 0)
            return TV_OK;
    }
    return code == ARCHIVE_EOF ? tv_fail(err, TV_ERR_IO, "%s no longer holds %s", archive_path, name)
                               : archive_failed(archive, archive_path, err);
}

/* `path` is that of the archive and stays the input's. */
static enum tv_status open_zip(struct tv_byte_source **out, const char *path, const char *name, struct tv_error *err)
{
    struct zip_source *z = tv_alloc(1, sizeof *z, "an archive", err);
    if (z == NULL)
        return TV_ERR_NO_MEMORY;
    z->base = (struct tv_byte_source){.read = read_zip, .close = close_zip};
    z->path = path;
    enum tv_status status = open_archive(&z->archive, path, err);
    if (status == TV_OK)
        status = find_entry(z->archive, path, name, err);
    if (status != TV_OK) {
        close_zip(&z->base);
        return status;
    }
    *out = &z->base;
    return TV_OK;
}

/* Bytes that the caller keeps: for tests and for a first look at a file's head. */
struct memory_source {
    struct tv_byte_source base;
    const char *bytes;
    size_t left;
};

static enum tv_status read_memory(struct tv_byte_source *s, void *out, size_t n, size_t *got, struct tv_error *err)
{
    (void)err;
    struct memory_source *m = (struct memory_source *)s;
    *got = n < m->left ? n : m->left;
    if (*got > 0) { /* bytes may be NULL where there are none */
        memcpy(out, m->bytes, *got);
        m->bytes += *got;
        m->left -= *got;
    }
    s->consumed += (double)*got;
    return TV_OK;
}

static void close_memory(struct tv_byte_source *s)
{
    free(s);
}

enum tv_status tv_byte_source_memory(struct tv_byte_source **out, const void *bytes, size_t n, struct tv_error *err)
{
    struct memory_source *m = tv_alloc(1, sizeof *m, "a source", err);
    if (m == NULL)
        return TV_ERR_NO_MEMORY;
    *m = (struct memory_source){{read_memory, close_memory, 0}, bytes, n};
    *out = &m->base;
    return TV_OK;
}

/* An archive's entries and files of their own are one thing to the reader of records. */
enum tv_status tv_byte_source_open(struct tv_byte_source **out, const struct tv_input *input,
                                   const struct tv_input_file *file, struct tv_error *err)
{
    return input->is_zip ? open_zip(out, input->path, file->path, err) : open_file(out, file->path, err);
}

void tv_byte_source_close(struct tv_byte_source *s)
{
    if (s)
        s->close(s);
}

/* The name goes in with its NUL, so that a file "ab" that holds "c" and a file "a" that holds "bc" differ. */
enum tv_status tv_input_hash(uint64_t *hash, const struct tv_input *input, const struct tv_input_file *file,
                             struct tv_error *err)
{
    struct tv_byte_source *source = NULL;
    char *block = tv_alloc(BLOCK, 1, "a block", err);
    enum tv_status status = block ? tv_byte_source_open(&source, input, file, err) : TV_ERR_NO_MEMORY;
    uint64_t h = tv_hash(*hash, file->name, strlen(file->name) + 1);
    for (size_t got = 1; status == TV_OK && got > 0;) {
        status = source->read(source, block, BLOCK, &got, err);
        if (status == TV_OK)
            h = tv_hash(h, block, got);
    }
    *hash = h;
    tv_byte_source_close(source);
    free(block);
    return status;
}

const char *tv_input_library(void)
{
    return archive_version_string();
}
