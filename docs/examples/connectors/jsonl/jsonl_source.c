// SPDX-License-Identifier: Apache-2.0
// A Penstock source in one C file: JSON Lines. The setting `path` names a folder; its *.jsonl files are the objects.
// Columns are the keys of the first 1000 lines. README.md beside this file says how values become types.
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "penstock.h"

#define SUFFIX ".jsonl"
#define SAMPLE_LINES 1000
#define DEPTH_MAX 100

/* ---- growing buffers: a failed allocation sticks, and is looked at once, at the end ---------------------- */

/* Bytes, ended by NUL. */
typedef struct buf { char *p; size_t n, cap; int failed; } buf;

static void put(buf *b, const void *bytes, size_t n) {
    if (!b->failed && b->n + n + 1 > b->cap) {
        char *p = realloc(b->p, (b->cap + n + 1) * 2);
        if (p) b->p = p, b->cap = (b->cap + n + 1) * 2;
        else b->failed = 1;
    }
    if (b->failed) return;
    if (n) memcpy(b->p + b->n, bytes, n);
    b->p[b->n += n] = 0;
}

static void put_text(buf *b, const char *text) { put(b, text, strlen(text)); }

static void put_bit(buf *b, int64_t row, int bit) {
    if (row % 8 == 0) put(b, "", 1);
    if (bit && !b->failed) b->p[row / 8] |= (char)(1 << (row % 8));
}

static void put_json(buf *b, const char *text, size_t n) {
    put(b, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        char escape[8];
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)text[i]);
        if ((unsigned char)text[i] < 0x20 || text[i] == '"' || text[i] == '\\') put(b, escape, 6);
        else put(b, text + i, 1);
    }
    put(b, "\"", 1);
}

static penstock_status fail(penstock_error *e, penstock_status code, const char *field, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (e) {
        e->code = code;
        snprintf(e->field, sizeof e->field, "%s", field);
        vsnprintf(e->message, sizeof e->message, format, args);
    }
    va_end(args);
    return code;
}

static penstock_status no_memory(penstock_error *e) { return fail(e, PENSTOCK_NO_MEMORY, "", "There is no memory."); }

static void free_text(penstock_text *text) { free(text->owner), memset(text, 0, sizeof *text); }

static penstock_status give(buf *b, penstock_text *out, penstock_error *e) {
    if (b->failed) return free(b->p), no_memory(e);
    *out = (penstock_text){b->p, b->n, free_text, b->p};
    return PENSTOCK_OK;
}

/* ---- JSON: checks a value and says where it lies; the text is ended by NUL -------------------------------- */

enum { ABSENT, NUL, BOOL, INT, DEC, TEXT, JSON };

/* A value's text; of a TEXT what stands between the quotes. */
typedef struct cell { int kind; const char *p; size_t n; } cell;

/* Passes over white space, and over `c` if it comes next. */
static int skip(const char **p, char c) {
    *p += strspn(*p, " \t\r\n");
    return **p == c && c ? (*p)++, 1 : 0;
}

static int scan_string(const char **p, cell *out) {
    if (!skip(p, '"')) return 0;
    out->kind = TEXT;
    out->p = *p;
    for (; **p != '"'; (*p)++) {
        if ((unsigned char)**p < 0x20) return 0;
        if (**p != '\\') continue;
        (*p)++;
        if (!**p || !strchr("\"\\/bfnrtu", **p)) return 0;
        if (**p == 'u' && strspn(*p + 1, "0123456789abcdefABCDEF") < 4) return 0;
    }
    out->n = (size_t)(*p - out->p);
    (*p)++;
    return 1;
}

static int digits(const char **p) {
    const char *start = *p;
    return (*p += strspn(*p, "0123456789")) > start;
}

/* A number with an exponent counts as JSON, which keeps it as it is written. */
static int scan_number(const char **p, cell *out) {
    *out = (cell){INT, *p, 0};
    *p += **p == '-';
    if (**p == '0') (*p)++;
    else if (!digits(p)) return 0;
    if (**p == '.') {
        out->kind = DEC;
        if ((*p)++, !digits(p)) return 0;
    }
    if (**p == 'e' || **p == 'E') {
        out->kind = JSON;
        *p += 1 + ((*p)[1] == '+' || (*p)[1] == '-');
        if (!digits(p)) return 0;
    }
    out->n = (size_t)(*p - out->p);
    errno = 0;
    if (out->kind == INT && (strtoll(out->p, NULL, 10), errno == ERANGE)) out->kind = DEC;
    return 1;
}

static int scan_value(const char **p, int depth, cell *out) {
    static const char *const words[] = {"true", "false", "null"};
    cell inner;
    skip(p, 0);
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (strncmp(*p, words[i], n) != 0) continue;
        *out = (cell){i < 2 ? BOOL : NUL, *p, n};
        *p += n;
        return 1;
    }
    if (**p == '"') return scan_string(p, out);
    if (**p != '{' && **p != '[') return scan_number(p, out);
    if (depth > DEPTH_MAX) return 0;
    char close = **p == '{' ? '}' : ']';
    *out = (cell){JSON, (*p)++, 0};
    if (!skip(p, close)) {
        do {
            if (close == '}' && (!scan_string(p, &inner) || !skip(p, ':'))) return 0;
            if (!scan_value(p, depth + 1, &inner)) return 0;
        } while (skip(p, ','));
        if (!skip(p, close)) return 0;
    }
    out->n = (size_t)(*p - out->p);
    return 1;
}

/* The next member of an object: 1, or 0 at its end, or -1 where this is no JSON. Start with *first = 1. */
static int scan_member(const char **p, int *first, cell *key, cell *value) {
    if (*first && !skip(p, '{')) return -1;
    if (skip(p, '}')) return skip(p, 0), **p ? -1 : 0;
    if (!*first && !skip(p, ',')) return -1;
    *first = 0;
    return scan_string(p, key) && skip(p, ':') && scan_value(p, 0, value) ? 1 : -1;
}

/* Appends a text with its escapes resolved; 0 for half a surrogate pair. */
static int put_unescaped(buf *b, cell text) {
    static const char names[] = "bfnrt", codes[] = "\b\f\n\r\t";
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '\\') {
            put(b, text.p + i, 1);
            continue;
        }
        if (text.p[++i] != 'u') {
            const char *name = strchr(names, text.p[i]);
            put(b, name ? codes + (name - names) : text.p + i, 1);
            continue;
        }
        unsigned code = 0, low = 0;
        sscanf(text.p + i + 1, "%4x", &code);
        i += 4;
        if (code >= 0xD800 && code < 0xE000) {
            if (i + 6 < text.n) sscanf(text.p + i + 1, "\\u%4x", &low);
            if (code >= 0xDC00 || low < 0xDC00 || low >= 0xE000) return 0;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            i += 6;
        }
        char out[4];
        int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        for (int k = n - 1; k > 0; k--, code >>= 6) out[k] = (char)(0x80 | (code & 0x3F));
        out[0] = (char)(n == 1 ? code : (0xF00u >> n & 0xFF) | code);
        put(b, out, (size_t)n);
    }
    return 1;
}

/* ---- columns ---------------------------------------------------------------------------------------------- */

typedef struct column {
    buf name;
    int kind;       /* BOOL, INT, DEC, TEXT or JSON */
    buf valid;      /* one bit a row */
    buf values;     /* BOOL: one bit a row; INT: int64_t; others: where each row ends, int32_t */
    buf data;       /* DEC, TEXT, JSON: the rows' texts */
    int64_t nulls;
} column;

typedef struct table { column *columns; size_t n; int failed; } table;

static void free_table(table *t) {
    for (column *c = t->columns; c < t->columns + t->n; c++) {
        free(c->name.p), free(c->valid.p), free(c->values.p), free(c->data.p);
    }
    free(t->columns);
    memset(t, 0, sizeof *t);
}

static column *add(table *t, const char *name, size_t n, int kind) {
    column *columns = realloc(t->columns, (t->n + 1) * sizeof *columns);
    if (!columns) return t->failed = 1, NULL;
    t->columns = columns;
    columns[t->n] = (column){.kind = kind};
    put(&columns[t->n].name, name, n);
    t->failed |= columns[t->n].name.failed;
    return &columns[t->n++];
}

/* The column that a key of a line names, or NULL. */
static column *find(table *t, cell key, int add_it) {
    buf name = {0};
    column *c = NULL;
    put(&name, "", 0);
    int ok = put_unescaped(&name, key) && !name.failed;
    for (size_t i = 0; ok && !c && i < t->n; i++) {
        if (t->columns[i].name.n == name.n && !memcmp(t->columns[i].name.p, name.p, name.n)) c = &t->columns[i];
    }
    if (ok && !c && add_it) c = add(t, name.p, name.n, ABSENT);
    t->failed |= name.failed, free(name.p);
    return c;
}

/* The kind that holds both exactly; JSON holds everything. */
static int merged(int a, int b) {
    if (a <= NUL || b <= NUL || a == b) return a > b ? a : b;
    return a + b == INT + DEC ? DEC : JSON;
}

static ssize_t next_line(FILE *file, char **line, size_t *cap, int64_t *number) {
    ssize_t n;
    while ((n = getline(line, cap, file)) >= 0) {
        ++*number;
        if (strspn(*line, " \t\r\n") < (size_t)n) break;
    }
    return n;
}

/* Finds the columns of a file in its first lines: those that are in `t` already, or all. */
static void sample(FILE *file, table *t) {
    char *line = NULL;
    size_t cap = 0, all = t->n == 0;
    int64_t number = 0;
    for (int i = 0; i < SAMPLE_LINES && next_line(file, &line, &cap, &number) >= 0; i++) {
        const char *p = line;
        cell key, value;
        int first = 1, more;
        while ((more = scan_member(&p, &first, &key, &value)) == 1) continue;
        p = line; /* a line that is not JSON says nothing about the columns */
        for (first = 1; more == 0 && scan_member(&p, &first, &key, &value) == 1;) {
            column *c = find(t, key, all);
            if (c) c->kind = merged(c->kind, value.kind);
        }
    }
    free(line);
    rewind(file);
}

/* ---- the connection ---------------------------------------------------------------------------------------- */

struct penstock_source { const penstock_host *host; char *path; };

static penstock_status source_open(const penstock_connector *connector, const penstock_open_args *args,
                                   penstock_source **out, penstock_error *e) {
    buf config = {0}, path = {0};
    cell key, value;
    int first = 1;
    (void)connector;
    put(&config, args->config_json.ptr, args->config_json.len);
    const char *p = config.failed ? "" : config.p;
    while (scan_member(&p, &first, &key, &value) == 1) {
        if (key.n == 4 && memcmp(key.p, "path", 4) == 0 && value.kind == TEXT) put_unescaped(&path, value);
    }
    free(config.p);
    penstock_source *source = calloc(1, sizeof *source);
    int failed = !source || config.failed || path.failed;
    if (failed || path.n == 0) {
        free(source), free(path.p);
        return failed ? no_memory(e) : fail(e, PENSTOCK_BAD_CONFIG, "path", "The setting path is missing.");
    }
    *source = (penstock_source){args->host, path.p};
    *out = source;
    return PENSTOCK_OK;
}

static void source_close(penstock_source *source) { free(source->path), free(source); }

static penstock_status source_check(penstock_source *source, penstock_text *out, penstock_error *e) {
    struct stat status;
    buf b = {0};
    int found = stat(source->path, &status) == 0 && S_ISDIR(status.st_mode);
    put_text(&b, found ? "{\"v\":1,\"steps\":[{\"id\":\"file\",\"message\":\"The folder is there.\"}]}"
                       : "{\"v\":1,\"steps\":[{\"id\":\"file\",\"error\":{\"code\":\"not-found\",\"field\":\"path\","
                         "\"message\":\"The path is not a folder; correct the setting path.\"}}]}");
    return give(&b, out, e);
}

/* Opens the file of a request and finds the columns it asks for. */
static penstock_status start(penstock_source *source, const penstock_read_request *request, FILE **file, table *t,
                             penstock_error *e) {
    penstock_str id = request->target;
    char path[4096];
    if (request->target_kind != PENSTOCK_TARGET_OBJECT || request->n_order || request->bound_column.ptr) {
        return fail(e, PENSTOCK_UNSUPPORTED, "", "JSON Lines files can only be read whole.");
    }
    snprintf(path, sizeof path, "%s/%.*s" SUFFIX, source->path, (int)id.len, id.ptr);
    *file = memchr(id.ptr, '/', id.len) ? NULL : fopen(path, "r");
    if (!*file) return fail(e, PENSTOCK_NOT_FOUND, "", "There is no file %.*s to read.", (int)id.len, id.ptr);
    for (uint32_t i = 0; i < request->n_columns; i++) add(t, request->columns[i].ptr, request->columns[i].len, ABSENT);
    sample(*file, t);
    penstock_status status = t->failed ? no_memory(e) : PENSTOCK_OK;
    if (!t->failed && t->n == 0) status = fail(e, PENSTOCK_BAD_DATA, "", "The file has no JSON object with a key.");
    for (size_t i = 0; i < t->n && !t->failed; i++) {
        column *c = &t->columns[i];
        if (c->kind == ABSENT) status = fail(e, PENSTOCK_NOT_FOUND, c->name.p, "There is no key %s.", c->name.p);
        if (c->kind == NUL) c->kind = TEXT;
    }
    if (status != PENSTOCK_OK) free_table(t), fclose(*file);
    return status;
}

static int is_object(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');
    return dot > entry->d_name && strcmp(dot, SUFFIX) == 0;
}

/* Names all files, whatever is asked for: the host picks, and asks describe for the columns. */
static penstock_status source_discover(penstock_source *source, const penstock_str *ids, uint32_t n_ids,
                                       penstock_text *out, penstock_error *e) {
    struct dirent **files;
    buf b = {0};
    int n = scandir(source->path, &files, is_object, alphasort);
    (void)ids, (void)n_ids;
    if (n < 0) return fail(e, PENSTOCK_NOT_FOUND, "path", "The folder %s cannot be read.", source->path);
    put_text(&b, "{\"v\":1,\"objects\":[");
    for (int i = 0; i < n; i++) {
        put_text(&b, i ? ",{\"kind\":\"file\",\"id\":" : "{\"kind\":\"file\",\"id\":");
        put_json(&b, files[i]->d_name, strlen(files[i]->d_name) - strlen(SUFFIX));
        put_text(&b, "}");
        free(files[i]);
    }
    free(files);
    put_text(&b, "]}");
    return give(&b, out, e);
}

/* ---- Arrow ------------------------------------------------------------------------------------------------ */

static void release_schema(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; free(schema->children[i++])) {
        if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    }
    free(schema->children);
    free(schema->private_data); /* the name */
    memset(schema, 0, sizeof *schema);
}

/* Metadata as Arrow wants them, one pair: a count and lengths of 32 bits, here in little-endian order. */
#define TYPE_IS(length, name) "\1\0\0\0" "\15\0\0\0" "penstock.type" length "\0\0\0" name

static int make_schema(const table *t, struct ArrowSchema *out) {
    *out = (struct ArrowSchema){.format = "+s", .name = "", .release = release_schema};
    out->children = calloc(t->n, sizeof *out->children);
    for (size_t i = 0; out->children && i < t->n; i++, out->n_children++) {
        int kind = t->columns[i].kind;
        struct ArrowSchema *child = out->children[i] = calloc(1, sizeof *child);
        if (!child || !(child->private_data = strdup(t->columns[i].name.p))) return free(child), release_schema(out), 0;
        child->name = child->private_data;
        child->format = kind == BOOL ? "b" : kind == INT ? "l" : "u";
        child->metadata = kind == DEC ? TYPE_IS("\7", "decimal") : kind == JSON ? TYPE_IS("\4", "json") : NULL;
        child->flags = ARROW_FLAG_NULLABLE;
        child->release = release_schema;
    }
    return out->children != NULL;
}

static void release_array(struct ArrowArray *array) {
    for (int64_t i = 0; array->buffers && i < array->n_buffers; i++) free((void *)array->buffers[i]);
    free(array->buffers);
    for (int64_t i = 0; i < array->n_children; free(array->children[i++])) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    }
    free(array->children);
    memset(array, 0, sizeof *array);
}

/* Moves a column's rows into an array of its own; NULL without memory. */
static struct ArrowArray *make_array(column *c, int64_t rows) {
    put(&c->data, "", 1); /* never without an address */
    struct ArrowArray *out = calloc(1, sizeof *out);
    if (!out || c->valid.failed || c->values.failed || c->data.failed) return free(out), NULL;
    if (!(out->buffers = calloc(3, sizeof *out->buffers))) return free(out), NULL;
    memcpy(out->buffers, (const void *[]){c->valid.p, c->values.p, c->data.p}, 3 * sizeof *out->buffers);
    out->n_buffers = c->kind > INT ? 3 : 2;
    if (out->n_buffers == 2) free(c->data.p);
    out->length = rows;
    out->null_count = c->nulls;
    out->release = release_array;
    c->valid = c->values = c->data = (buf){0};
    c->nulls = 0;
    return out;
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

struct penstock_read {
    const penstock_host *host;
    FILE *file;
    table columns; /* the last one holds the rejects */
    cell *cells;   /* the current line's value for each column */
    char *line;    /* the current line, of `cap` bytes */
    size_t cap;
    int64_t number, batch_rows, batch_bytes, rows_left;
    atomic_int cancelled;
    penstock_error error;
};

/* Ends a row whose text, if any, was put into the column's data from `start` on. */
static void end_row(column *c, int64_t row, int valid, size_t start) {
    if (!valid) c->data.n = start;
    int32_t ends[2] = {0, (int32_t)c->data.n};
    if (c->kind > INT) put(&c->values, row ? &ends[1] : ends, row ? 4 : 8);
    put_bit(&c->valid, row, valid);
    c->nulls += !valid;
}

/* Appends a value; 0 where it is not of the column's kind, and a NULL stands in its place. */
static int append(column *c, int64_t row, cell v) {
    size_t start = c->data.n;
    int fits = v.kind <= NUL || v.kind == c->kind || c->kind == JSON || (c->kind == DEC && v.kind == INT);
    int valid = fits && v.kind > NUL;
    int64_t number = valid && c->kind == INT ? strtoll(v.p, NULL, 10) : 0;
    if (c->kind == BOOL) put_bit(&c->values, row, valid && *v.p == 't');
    if (c->kind == INT) put(&c->values, &number, sizeof number);
    if (valid && c->kind == TEXT) fits = valid = put_unescaped(&c->data, v);
    else if (valid && c->kind > INT) put(&c->data, v.p - (v.kind == TEXT), v.n + (v.kind == TEXT ? 2 : 0));
    end_row(c, row, valid, start);
    return fits;
}

static void append_reject(penstock_read *r, int64_t row, const char *name, cell value, const char *reason) {
    column *c = &r->columns.columns[r->columns.n - 1];
    char message[100];
    if (value.n > 60) for (value.n = 60; (value.p[value.n] & 0xC0) == 0x80;) value.n--; /* at a character */
    int n = snprintf(message, sizeof message, "line %lld: %s", (long long)r->number, reason);
    put_text(&c->data, "{\"column\":");
    put_json(&c->data, name, strlen(name));
    put_text(&c->data, ",\"value\":");
    put_json(&c->data, value.p, value.n);
    put_text(&c->data, ",\"message\":");
    put_json(&c->data, message, (size_t)n);
    put_text(&c->data, "}");
    end_row(c, row, 1, 0);
}

/* Finds the current line's values; returns what is wrong with it, or NULL. */
static const char *parse(penstock_read *r, size_t n) {
    const char *p = r->line;
    cell key, value;
    int first = 1, more;
    if (strlen(r->line) != n) return "the line holds a NUL";
    while ((more = scan_member(&p, &first, &key, &value)) == 1) {
        column *c = find(&r->columns, key, 0);
        if (c && r->cells[c - r->columns.columns].kind != ABSENT) return "a key occurs twice";
        if (c) r->cells[c - r->columns.columns] = value;
    }
    return more < 0 ? "this is not a JSON object" : NULL;
}

static void append_line(penstock_read *r, int64_t row, size_t n) {
    static const char *const reasons[] = {[BOOL] = "the value is not true or false", [TEXT] = "the value is not a text",
                                          [INT] = "the value is not a 64-bit integer",
                                          [DEC] = "the value is not a number without an exponent"};
    size_t last = r->columns.n - 1, fault = last;
    memset(r->cells, 0, r->columns.n * sizeof *r->cells);
    const char *wrong = parse(r, n);
    if (wrong) memset(r->cells, 0, r->columns.n * sizeof *r->cells);
    for (size_t i = 0; i < last; i++) {
        if (!append(&r->columns.columns[i], row, r->cells[i]) && fault == last) fault = i;
    }
    const column *c = &r->columns.columns[fault];
    if (wrong) append_reject(r, row, "", (cell){TEXT, r->line, n}, wrong);
    else if (fault != last) append_reject(r, row, c->name.p, r->cells[fault], reasons[c->kind]);
    else append(&r->columns.columns[last], row, (cell){0});
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    penstock_read *r = stream->private_data;
    return make_schema(&r->columns, out) ? 0 : (no_memory(&r->error), ENOMEM);
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    penstock_read *r = stream->private_data;
    int64_t rows = 0, bytes = 0;
    for (ssize_t n; rows < r->batch_rows && bytes < r->batch_bytes && r->rows_left != 0; bytes += n) {
        if (atomic_load(&r->cancelled) || (rows % 64 == 0 && r->host->cancelled(r->host->ctx))) {
            return fail(&r->error, PENSTOCK_CANCELLED, "", "The read was cancelled."), ECANCELED;
        }
        if ((n = next_line(r->file, &r->line, &r->cap, &r->number)) < 0) break;
        append_line(r, rows++, (size_t)n);
        if (r->rows_left > 0) r->rows_left--;
    }
    if (r->columns.failed) return no_memory(&r->error), ENOMEM;
    if (ferror(r->file)) return fail(&r->error, PENSTOCK_UNAVAILABLE, "", "The file cannot be read to its end."), EIO;
    memset(out, 0, sizeof *out);
    if (rows == 0) return 0; /* release is NULL: the end */
    *out = (struct ArrowArray){.length = rows, .n_buffers = 1, .release = release_array};
    out->buffers = calloc(1, sizeof *out->buffers);
    out->children = calloc(r->columns.n, sizeof *out->children);
    for (size_t i = 0; out->buffers && out->children && i < r->columns.n; i++, out->n_children++) {
        if (!(out->children[i] = make_array(&r->columns.columns[i], rows))) break;
    }
    if ((size_t)out->n_children == r->columns.n) return 0;
    release_array(out);
    return no_memory(&r->error), ENOMEM;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    return ((penstock_read *)stream->private_data)->error.message;
}

static void release_stream(struct ArrowArrayStream *stream) { memset(stream, 0, sizeof *stream); }
static void read_cancel(penstock_read *r) { atomic_store(&r->cancelled, 1); }
static void read_error(penstock_read *r, penstock_error *out) { *out = r->error; }

static void read_close(penstock_read *r) {
    fclose(r->file);
    free_table(&r->columns);
    free(r->cells), free(r->line), free(r);
}

static penstock_status source_describe(penstock_source *source, const penstock_read_request *request,
                                       struct ArrowSchema *out, penstock_error *e) {
    FILE *file;
    table columns = {0};
    penstock_status status = start(source, request, &file, &columns, e);
    if (status != PENSTOCK_OK) return status;
    if (!make_schema(&columns, out)) status = no_memory(e);
    free_table(&columns);
    fclose(file);
    return status;
}

static penstock_status source_read(penstock_source *source, const penstock_read_request *request,
                                   penstock_read **out, struct ArrowArrayStream *stream, penstock_error *e) {
    penstock_read *r = calloc(1, sizeof *r);
    if (!r) return no_memory(e);
    penstock_status status = start(source, request, &r->file, &r->columns, e);
    if (status != PENSTOCK_OK) return free(r), status;
    r->host = source->host;
    r->batch_rows = request->batch_rows;
    r->batch_bytes = request->batch_bytes;
    r->rows_left = request->rows_max;
    add(&r->columns, "__penstock_reject", 17, TEXT);
    if (!r->columns.failed) r->cells = calloc(r->columns.n, sizeof *r->cells);
    if (!r->cells) return read_close(r), no_memory(e);
    *out = r;
    *stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, r};
    return PENSTOCK_OK;
}

/* ---- the entry -------------------------------------------------------------------------------------------- */

const penstock_connector *penstock_connector_v1(void) {
    static const penstock_source_api source = {
        .size = sizeof source, .open = source_open, .close = source_close, .check = source_check,
        .discover = source_discover, .describe = source_describe, .read = source_read,
        .read_cancel = read_cancel, .read_error = read_error, .read_close = read_close,
    };
    static const penstock_connector connector = {
        .size = sizeof connector, .major = PENSTOCK_MAJOR, .minor = PENSTOCK_MINOR,
        .id = "jsonl", .title = "JSON Lines files", .version = "1.0.0",
        .summary = "Reads the *.jsonl files of a folder.",
        .caps = PENSTOCK_CAP_SOURCE | PENSTOCK_CAP_LOCAL,
        .config_schema = "{\"v\":1,\"type\":\"object\",\"required\":[\"path\"],\"properties\":{\"path\":"
                         "{\"type\":\"string\",\"x-path\":true,\"description\":\"The folder with the files.\","
                         "\"examples\":[\"./data\"]}}}",
        .source = &source,
    };
    return &connector;
}
