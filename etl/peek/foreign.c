/* foreign: files that are no tables of text are known by their first bytes, and each kind has its own way to become one. */
#include "etl/peek/foreign.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "etl/peek/json.h"
#include "trivet/base/shell.h"

enum { HINT = sizeof((struct tv_error *)0)->hint, HEAD = 256 };

#define PICKLE "it is a pickle of Python", "make a table of it: python3 -c 'import pandas, sys; pandas.read_pickle(sys.argv[1]).to_csv(\"ratings.csv\", index=False)' %s"
#define SQL    "bring %s into its database, and write the table as CSV with a header, such as by psql: \\copy (SELECT ...) TO ratings.csv CSV HEADER"

/* By their first bytes; "%s" in the hint is the file's name, as a word of a shell: a command has it behind its quotes. */
static const struct foreign {
    const char *magic;
    size_t n;
    const char *what, *hint;
} foreigners[] = {
    {"PAR1", 4, "it is a Parquet file", "make a table of it: python3 -c 'import pandas, sys; pandas.read_parquet(sys.argv[1]).to_csv(\"ratings.csv\", index=False)' %s"},
    {"\xd0\xcf\x11\xe0", 4, "it is a spreadsheet or another document of an office", "open %s in a spreadsheet, and save it as CSV"},
    {"PK\3\4", 4, "it is a spreadsheet", "open %s in a spreadsheet, and save it as CSV"},
    {"\x1f\x8b", 2, "it is packed twice", "unpack %s by hand until it is text: gunzip"},
    {"SQLite format 3", 15, "it is a database of SQLite", "write a table of it: sqlite3 -csv -header %s 'SELECT ...' > ratings.csv"},
    {"\x93NUMPY", 6, "it is an array of numpy", "write %s as a table with the columns user, item and rating"},
    {"ARROW1", 6, "it is a Feather file", "make a table of it: python3 -c 'import pandas, sys; pandas.read_feather(sys.argv[1]).to_csv(\"ratings.csv\", index=False)' %s"},
    {"\x89HDF", 4, "it is an HDF5 file", "make a table of it: python3 -c 'import pandas, sys; pandas.read_hdf(sys.argv[1]).to_csv(\"ratings.csv\", index=False)' %s"},
    {"\x80\3", 2, PICKLE}, {"\x80\4", 2, PICKLE}, {"\x80\5", 2, PICKLE},
    {"MATLAB 5.0 MAT", 14, "it is a file of MATLAB", "write %s as a table with the columns user, item and rating"},
    {"Obj\1", 4, "it is an Avro file", "write %s as a table with the columns user, item and rating"},
    {"<?xml", 5, "it is XML", "write %s as a table with the columns user, item and rating"},
    {"%%MatrixMarket", 14, "it is a matrix in the form of Matrix Market", "make a table of its triples: grep -v ^[%] %s | tail -n +2 | tr -s ' ' '\\t' > ratings.tsv, which is read as user, item and rating"},
    {"PGDMP", 5, "it is a dump of a Postgres database", SQL}, {"--\n-- PostgreSQL", 16, "it is a dump of a Postgres database", SQL},
    {"-- MySQL dump", 13, "it is a dump of a database", SQL}, {"-- MariaDB dump", 15, "it is a dump of a database", SQL},
    {"-- phpMyAdmin", 13, "it is a dump of a database", SQL}, {"INSERT INTO ", 12, "it is SQL", SQL}, {"CREATE TABLE ", 13, "it is SQL", SQL},
    {"+--", 3, "it is a table as mysql prints it, with lines drawn around it", "write it anew instead of %s: mysql --batch -e 'SELECT ...' DATABASE > ratings.tsv"},
    {"{\"", 2, "it is JSON", "make a table of it, with a line for each rating: python3 -c 'import pandas, sys; pandas.read_json(sys.argv[1], lines=True, dtype=False, convert_dates=False).to_csv(\"ratings.csv\", index=False)' %s"},
    {"[[", 2, "it is JSON", "make a table of it, with a line for each rating, and name the columns of user, item and rating: python3 -c 'import pandas, sys; pandas.read_json(sys.argv[1], dtype=False, convert_dates=False).to_csv(\"ratings.csv\", index=False)' %s"},
    {"[{", 2, "it is JSON", "make a table of it, with a line for each rating: python3 -c 'import pandas, sys; pandas.read_json(sys.argv[1], dtype=False, convert_dates=False).to_csv(\"ratings.csv\", index=False)' %s"},
    {"<!DOCTYPE", 9, "it is a web page", "download %s anew: what needs a login is downloaded by hand"},
    {"<html", 5, "it is a web page", "download %s anew: what needs a login is downloaded by hand"},
};

/* Whether the head begins so. Of JSON the blanks and line ends are left out, which may stand before and between its brackets, of a page those
 * before it. */
static int begins_with(const struct foreign *f, const char *head, size_t n)
{
    char packed[HEAD];
    size_t size = 0, skip = n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (f->magic[0] == '<')
        while (skip < n && strchr(" \t\r\n", head[skip]) != NULL && head[skip] != '\0')
            skip++;
    if (f->magic[0] == '<')
        return n - skip >= f->n && strncasecmp(head + skip, f->magic, f->n) == 0;
    if (f->magic[0] != '[' && f->magic[0] != '{')
        return n >= f->n && strncasecmp(head, f->magic, f->n) == 0;
    for (size_t i = skip; i < n; i++)
        if (head[i] != ' ' && head[i] != '\t' && head[i] != '\n' && head[i] != '\r')
            packed[size++] = head[i];
    return size >= f->n && memcmp(packed, f->magic, f->n) == 0;
}

/* A file that cannot be read is none; reading it for the refusal tells. */
static const struct foreign *foreign_of(const struct tv_input *input, const struct tv_input_file *file)
{
    struct tv_byte_source *source = NULL;
    char head[HEAD];
    size_t n = 0;
    if (tv_byte_source_open(&source, input, file, NULL) != TV_OK)
        return NULL;
    if (source->read(source, head, sizeof head, &n, NULL) != TV_OK)
        n = 0;
    tv_byte_source_close(source);
    for (size_t i = 0; i < sizeof foreigners / sizeof *foreigners; i++)
        if (begins_with(&foreigners[i], head, n))
            return &foreigners[i];
    return NULL;
}

int tv_foreign_is(const struct tv_input *input, const struct tv_input_file *file)
{
    return !file->is_archive && foreign_of(input, file) != NULL;
}

char *tv_foreign_unpack(const struct tv_input_file *file, char *out, size_t size)
{
    const char *slash = file->archive ? strrchr(file->archive, '/') : NULL;
    char name[200];
    out[0] = '\0';
    if (file->archive)
        snprintf(out, size, "unpack %s first; then ", tv_shell_word(name, sizeof name, slash ? slash + 1 : file->archive));
    return out;
}

enum tv_status tv_foreign_refuse(const struct tv_input *input, const struct tv_input_file *file, struct tv_error *err)
{
    const struct foreign *f = foreign_of(input, file);
    if (f == NULL)
        return tv_fail(err, TV_ERR_INPUT, "%s: it was changed while it was read", file->label);
    static const char make[] = "make a table of it, with a line for each rating: ";
    const char *hole = strstr(f->hint, "%s");
    char name[600], command[HINT], first[HINT];
    tv_fail(err, TV_ERR_INPUT, "%s", f->what);
    size_t n = strlen(tv_json_command(input, file, command, sizeof command));
    if (n > 0 && n + sizeof make + strlen(tv_foreign_unpack(file, first, sizeof first)) <= HINT)
        tv_hint(err, "%s%s%s", tv_foreign_unpack(file, first, sizeof first), make, command);
    else
        tv_hint(err, "%s%.*s%s%s", tv_foreign_unpack(file, first, sizeof first), (int)(hole - f->hint), f->hint, tv_shell_word(name, sizeof name, file->name), hole + 2);
    return tv_context(err, "%s", file->label);
}
