/* input: a folder, an archive or one file as a list of byte streams. What is packed is archive.c's to read. */
#include "trivet/read/input.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/read/archive.h"
#include "trivet/base/buffer.h"
#include "trivet/base/hash.h"
#include "trivet/base/text.h"

enum { BLOCK = 256 * 1024, MAX_FILES = 10000 };

/* --- the list of files ------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void free_file(struct tv_input_file *file)
{
    free(file->name);
    free(file->label);
    free(file->path);
    free(file->archive);
    free(file->head);
}

static void free_files(struct tv_input *input)
{
    for (size_t i = 0; i < input->n_files; i++)
        free_file(&input->files[i]);
    free(input->files);
}

/* Copies what is not NULL. */
static int copy(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return text == NULL || *out != NULL;
}

/* Adds a copy of the file, whose name goes to terminals, Postgres and JSON, which take not every byte that a name may have. A failure in the middle leaves a file without a name or path in the list, which tv_input_close frees all the
 * same. */
static enum tv_status add_file(struct tv_input *input, const struct tv_input_file *given, struct tv_error *err)
{
    if (input->n_files == MAX_FILES)
        return tv_fail(err, TV_ERR_INPUT, "%s holds more than %d files", input->path, MAX_FILES);
    struct tv_input_file *files = realloc(input->files, (input->n_files + 1) * sizeof *files);
    if (files == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the list of files");
    input->files = files;
    struct tv_input_file *file = &files[input->n_files++];
    *file = *given;
    file->label = NULL;
    const char *name = base_name(given->name);
    size_t size = 4 * strlen(name) + 5;
    file->name = malloc(size);
    int ok = file->name != NULL;
    if (ok)
        tv_text_printable(file->name, size, name);
    ok &= copy(&file->path, given->path);
    ok &= copy(&file->archive, given->archive);
    file->head = given->n_head > 0 ? malloc(given->n_head) : NULL;
    if (!ok || (given->n_head > 0 && file->head == NULL))
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the list of files");
    if (file->head)
        memcpy(file->head, given->head, given->n_head);
    return TV_OK;
}

/* A folder lists its files in no order, and a load must not depend on it. Of equal names the one that is not packed comes first. */
static int by_name(const void *a, const void *b)
{
    const struct tv_input_file *one = a, *other = b;
    int order = strcmp(one->name, other->name);
    if (order == 0)
        order = strcmp(one->archive ? one->archive : "", other->archive ? other->archive : "");
    if (order == 0)
        order = strcmp(one->path, other->path);
    return order != 0 ? order : (one->entry > other->entry) - (one->entry < other->entry);
}

/* Whether one entry is an older state of the next in the sorted list: both are of one archive, and of one path in it. */
static int is_older(const struct tv_input_file *one, const struct tv_input_file *next)
{
    return one->archive && next->archive && strcmp(one->archive, next->archive) == 0 && strcmp(one->path, next->path) == 0;
}

static void sort_files(struct tv_input *input)
{
    size_t kept = 0, n = input->n_files;
    if (n > 0)
        qsort(input->files, n, sizeof *input->files, by_name);
    for (size_t i = 0; i < n; i++)
        if (i + 1 < n && is_older(&input->files[i], &input->files[i + 1]))
            free_file(&input->files[i]);
        else
            input->files[kept++] = input->files[i];
    input->n_files = kept;
}

/* A text with all of its bytes written so that they can be shown. NULL without memory. */
static char *printable(const char *text)
{
    size_t size = 4 * strlen(text) + 5;
    char *out = malloc(size);
    return out ? tv_text_printable(out, size, text) : NULL;
}

/* Tells files of one name apart, which stand together in the list. */
static enum tv_status label_files(struct tv_input *input, struct tv_error *err)
{
    for (size_t i = 0; i < input->n_files; i++) {
        struct tv_input_file *file = &input->files[i];
        int is_shared = (i > 0 && strcmp(file->name, file[-1].name) == 0) || (i + 1 < input->n_files && strcmp(file->name, file[1].name) == 0);
        int is_entry = file->archive && strcmp(file->archive, input->path) == 0;
        file->label = !is_shared ? strdup(file->name) : printable(is_entry ? file->path : base_name(file->archive ? file->archive : file->path));
        if (file->label == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the list of files");
    }
    return TV_OK;
}

/* A file of the archive that was given. An archive in it is known by its name, as nothing is read of it. */
static enum tv_status add_packed(void *context, const struct tv_input_file *file, struct tv_error *err)
{
    struct tv_input_file copied = *file;
    char name[256];
    snprintf(name, sizeof name, "%s", file->name);
    copied.is_archive = tv_archive_plain_name(name);
    return add_file(context, &copied, err);
}

/* A packed file that is damaged is called as what it would hold, if its name says that: ratings.csv.gz. So whoever wants that is told of
 * the damage when it is opened, and nobody is of what is not wanted. */
static void call_damaged(struct tv_input_file *file, char *name, size_t size)
{
    snprintf(name, size, "%s", base_name(file->path));
    if (!tv_archive_plain_name(name) || strchr(name, '.') == NULL)
        return;
    file->is_archive = 0;
    file->archive = file->path;
    file->name = name;
}

/* A spreadsheet is packed, too, but nothing in it is for people: it is a file as any other, and told by its first bytes. */
static int is_spreadsheet(const struct tv_input *inner)
{
    for (size_t i = 0; i < inner->n_files; i++)
        if (strcmp(inner->files[i].path, "[Content_Types].xml") == 0 || strcmp(inner->files[i].path, "META-INF/manifest.xml") == 0)
            return 1;
    return 0;
}

/* A file as it is. Programs that download may unpack on the way, and leave the name: ratings.csv.gz is ratings.csv then. */
static enum tv_status add_plain(struct tv_input *input, const char *path, double size, struct tv_error *err)
{
    char name[256];
    snprintf(name, sizeof name, "%s", base_name(path));
    if (tv_packing_of(path) == NULL)
        tv_archive_unpacked_name(name);
    return add_file(input, &(struct tv_input_file){.path = (char *)path, .name = name, .size = size}, err);
}

/* Puts the file of a folder into the list. An archive of one file stands for that file. */
static enum tv_status add_listed(struct tv_input *input, const char *path, double size, struct tv_error *err)
{
    struct tv_input inner = {.path = (char *)path};
    struct tv_input_file file = {.name = (char *)path, .path = (char *)path, .size = size, .is_archive = 1};
    const struct tv_packing *packing = tv_packing_of(path);
    const char *phrase;
    char name[256];
    if (packing == NULL)
        return add_plain(input, path, size, err);
    int may_be_read = tv_packing_other(packing) == NULL;
    int is_damaged = may_be_read && tv_archive_list(path, &phrase, add_packed, &inner, NULL) != TV_OK;
    sort_files(&inner);
    if (is_damaged)
        call_damaged(&file, name, sizeof name);
    else if (inner.n_files == 1 && !inner.files[0].is_archive)
        file = inner.files[0];
    enum tv_status status = !is_damaged && is_spreadsheet(&inner) ? add_plain(input, path, size, err) : add_file(input, &file, err);
    free_files(&inner);
    return status;
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
            status = add_listed(input, path, (double)about.st_size, err);
    }
    closedir(dir);
    return status;
}

/* The files of an archive that was given, or a spreadsheet as the one file that it is. */
static enum tv_status add_archive(struct tv_input *input, double size, struct tv_error *err)
{
    enum tv_status status = tv_archive_list(input->path, &input->packing, add_packed, input, err);
    if (status != TV_OK || !is_spreadsheet(input))
        return status;
    free_files(input);
    input->files = NULL;
    input->n_files = 0;
    input->packing = NULL;
    return add_plain(input, input->path, size, err);
}

/* A packed file that is not read here is refused, with the command that unpacks it. Read as text, it would be refused line by line,
 * without a word of the reason. */
static enum tv_status add_single(struct tv_input *input, double size, struct tv_error *err)
{
    const struct tv_packing *packing = tv_packing_of(input->path);
    const char *unpack = tv_packing_other(packing);
    if (packing == NULL)
        return add_plain(input, input->path, size, err);
    if (unpack == NULL)
        return add_archive(input, size, err);
    tv_fail(err, TV_ERR_INPUT, "%s is packed in a way that trivet does not read", input->path);
    return tv_hint(err, "unpack it first: %s %s", unpack, input->path);
}

enum tv_status tv_input_open(struct tv_input **out, const char *path, struct tv_error *err)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        tv_fail(err, TV_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
        return tv_hint(err, "give a folder with rating files, or the zip archive they came in");
    }
    if (!S_ISDIR(about.st_mode) && !S_ISREG(about.st_mode)) { /* a file is read several times, and gives its bytes each time */
        tv_fail(err, TV_ERR_INPUT, "%s is neither a file nor a folder", path);
        return tv_hint(err, "write what comes through it into a file first: cat %s > ratings.csv", path);
    }
    struct tv_input *input = tv_alloc(1, sizeof *input, "the input", err);
    if (input == NULL)
        return TV_ERR_NO_MEMORY;
    input->path = strdup(path);
    enum tv_status status = TV_OK;
    if (input->path == NULL)
        status = tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a path");
    else
        status = S_ISDIR(about.st_mode) ? list_folder(input, err) : add_single(input, (double)about.st_size, err);
    if (status == TV_OK) {
        sort_files(input);
        status = label_files(input, err);
    }
    if (status != TV_OK) {
        tv_input_close(input);
        return status;
    }
    *out = input;
    return TV_OK;
}

void tv_input_close(struct tv_input *input)
{
    if (input == NULL)
        return;
    free_files(input);
    free(input->path);
    free(input);
}

void tv_input_name(const char *path, char *out, size_t size)
{
    char *real = realpath(path, NULL);
    snprintf(out, size, "%s", base_name(real && *base_name(real) ? real : path));
    if (tv_packing_of(path))
        tv_archive_plain_name(out);
    free(real);
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
    (void)input;
    return file->archive ? tv_archive_open(out, file, err) : open_file(out, file->path, err);
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
    return tv_archive_library();
}
