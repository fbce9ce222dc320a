// SPDX-License-Identifier: Apache-2.0
// A whole and right source over a table in memory, in which each file beside this one breaks one rule by a macro.
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "penstock.h"

/* What a file may change; each is right as it stands here. */
#ifndef CAPS
#define CAPS (PENSTOCK_CAP_SOURCE | PENSTOCK_CAP_LOWER_BOUND | PENSTOCK_CAP_ORDER | PENSTOCK_CAP_LOCAL)
#endif
#ifndef SOURCE_TABLE
#define SOURCE_TABLE &source
#endif
#ifndef ON_ENTRY
#define ON_ENTRY
#endif
#ifndef ON_OPEN
#define ON_OPEN
#endif
#ifndef ON_DESCRIBE
#define ON_DESCRIBE
#endif
#ifndef ON_NEXT
#define ON_NEXT
#endif
#ifndef BATCH_ROWS
#define BATCH_ROWS(request) (request)->batch_rows
#endif
#ifndef IS_CANCELLED
#define IS_CANCELLED(read) atomic_load(&(read)->cancelled)
#endif
#ifndef PASSES
#define PASSES(value, bound, inclusive, ordered) ((value) > (bound) || ((inclusive) && (value) == (bound)))
#endif
#ifndef NULLS_STATED
#define NULLS_STATED(nulls) (nulls)
#endif
#ifndef END_OF
#define END_OF(end, row) (end)
#endif
#ifndef NAME_OF
#define NAME_OF(row) names[row]
#endif
#ifndef MARK_RELEASED
#define MARK_RELEASED(thing) (thing)->release = NULL
#endif
#ifndef DESCRIBED_TYPE
#define DESCRIBED_TYPE(column) formats[column]
#endif
#ifndef UNKNOWN_OBJECT
#define UNKNOWN_OBJECT(target) strncmp((target).ptr, "people", (target).len) || (target).len != 6
#endif
#ifndef REFUSAL
#define REFUSAL "The password was refused; set it again."
#endif
#ifndef FREE_READ
#define FREE_READ(read) free(read)
#endif
#ifndef TOKEN_SETTING
#define TOKEN_SETTING "\"token\":{\"type\":\"string\",\"x-secret\":true,\"description\":\"The token.\"}"
#endif
#ifndef ON_CLOSE
#define ON_CLOSE
#endif

enum { COLUMNS = 3, ROWS = 12 };
static const char *const columns[COLUMNS] = {"id", "stamp", "name"};
static const char *const formats[COLUMNS] = {"l", "tsu:UTC", "u"};
static const char *const names[ROWS] = {"Ann", "Bob", NULL, "Cid", "D\xc3\xb6rte", "", "Eve", NULL, "Fay", "Gus", "Hal", "Ida"};

/* The stamps have ties, the ids have none. */
static int64_t number_of(int column, int row) {
    return column == 0 ? (row * 5) % ROWS + 1 : 1700000000000000 + (row / 3) * 1000;
}

struct penstock_source { const penstock_host *host; char token[256]; };
struct penstock_read {
    int rows[ROWS], n_rows, next, places[COLUMNS], n_places;
    int64_t batch_rows;
    atomic_int cancelled;
    penstock_error error;
};

static penstock_status fail(penstock_error *e, penstock_status code, const char *field, const char *message) {
    if (e) {
        e->code = code;
        snprintf(e->field, sizeof e->field, "%s", field);
        snprintf(e->message, sizeof e->message, "%s", message);
    }
    return code;
}

/* The text of a setting, as far as this example needs JSON; 0 where it is missing or no text. */
static int setting(penstock_str json, const char *name, char *out, size_t size) {
    char key[64], *copy = strndup(json.ptr, json.len), *at, *end;
    snprintf(key, sizeof key, "\"%s\":", name);
    int found = 0;
    if (copy && (at = strstr(copy, key))) {
        at += strlen(key);
        at += strspn(at, " ");
        if (*at == '"' && (end = strchr(at + 1, '"'))) {
            snprintf(out, size, "%.*s", (int)(end - at - 1), at + 1);
            found = 1;
        }
    }
    free(copy);
    return found;
}

static void free_text(penstock_text *text) { free(text->owner), memset(text, 0, sizeof *text); }

static penstock_status give(penstock_text *out, const char *json) {
    char *copy = strdup(json);
    *out = (penstock_text){copy, strlen(copy), free_text, copy};
    return PENSTOCK_OK;
}

static penstock_status source_open(const penstock_connector *connector, const penstock_open_args *args,
                                   penstock_source **out, penstock_error *e) {
    char path[256];
    (void)connector;
    if (!setting(args->config_json, "path", path, sizeof path)) {
        return fail(e, PENSTOCK_BAD_CONFIG, "path", "The setting path is missing.");
    }
    penstock_source *source = calloc(1, sizeof *source);
    source->host = args->host;
    setting(args->config_json, "token", source->token, sizeof source->token);
    ON_OPEN;
    *out = source;
    return PENSTOCK_OK;
}

static void source_close(penstock_source *source) {
    ON_CLOSE;
    free(source);
}

static penstock_status source_check(penstock_source *source, penstock_text *out, penstock_error *e) {
    char report[1024];
    (void)e;
    if (strstr(source->token, "canary")) {
        snprintf(report, sizeof report,
                 "{\"v\":1,\"steps\":[{\"id\":\"credential\",\"error\":{\"code\":\"unauthorized\",\"message\":\"%s\"}}]}",
                 REFUSAL);
        return give(out, report);
    }
    return give(out, "{\"v\":1,\"steps\":[{\"id\":\"file\",\"message\":\"The table is there.\"}]}");
}

static penstock_status source_discover(penstock_source *source, const penstock_str *ids, uint32_t n_ids,
                                       penstock_text *out, penstock_error *e) {
    (void)source, (void)ids;
    for (uint32_t i = 0; i < n_ids; i++) {
        if (UNKNOWN_OBJECT(ids[i])) return fail(e, PENSTOCK_NOT_FOUND, "", "There is no such object.");
    }
    return give(out, "{\"v\":1,\"objects\":[{\"id\":\"people\",\"kind\":\"table\",\"primary_key\":[\"id\"]}]}");
}

/* ---- Arrow -------------------------------------------------------------------------------------------------- */

static void release_schema(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; free(schema->children[i++])) {
        if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    }
    free(schema->children);
    MARK_RELEASED(schema);
}

static void make_schema(const int *places, int n, int is_described, struct ArrowSchema *out) {
    (void)is_described;
    *out = (struct ArrowSchema){.format = "+s", .name = "", .release = release_schema, .n_children = n};
    out->children = calloc((size_t)n, sizeof *out->children);
    for (int i = 0; i < n; i++) {
        struct ArrowSchema *child = out->children[i] = calloc(1, sizeof *child);
        child->name = columns[places[i]];
        child->format = is_described ? DESCRIBED_TYPE(places[i]) : formats[places[i]];
        child->flags = places[i] == 2 ? ARROW_FLAG_NULLABLE : 0;
        child->release = release_schema;
    }
}

static void release_array(struct ArrowArray *array) {
    for (int64_t i = 0; array->buffers && i < array->n_buffers; i++) free((void *)array->buffers[i]);
    free(array->buffers);
    for (int64_t i = 0; i < array->n_children; free(array->children[i++])) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    }
    free(array->children);
    array->buffers = NULL, array->children = NULL, array->n_children = 0;
    MARK_RELEASED(array);
}

static struct ArrowArray *make_column(int column, const int *rows, int64_t n) {
    struct ArrowArray *out = calloc(1, sizeof *out);
    *out = (struct ArrowArray){.length = n, .n_buffers = column == 2 ? 3 : 2, .release = release_array};
    out->buffers = calloc(3, sizeof *out->buffers);
    if (column != 2) {
        int64_t *values = calloc((size_t)n + 1, sizeof *values);
        for (int64_t i = 0; i < n; i++) values[i] = number_of(column, rows[i]);
        out->buffers[1] = values;
        return out;
    }
    uint8_t *valid = calloc((size_t)n / 8 + 1, 1);
    int32_t *ends = calloc((size_t)n + 1, sizeof *ends), end = 0;
    char *bytes = calloc((size_t)n + 1, 64);
    int64_t nulls = 0;
    for (int64_t i = 0; i < n; i++) {
        const char *name = NAME_OF(rows[i]);
        if (name) {
            memcpy(bytes + end, name, strlen(name));
            end += (int32_t)strlen(name);
            valid[i / 8] |= (uint8_t)(1 << i % 8);
        } else {
            nulls++;
        }
        ends[i + 1] = END_OF(end, rows[i]);
    }
    out->null_count = NULLS_STATED(nulls);
    out->buffers[0] = valid, out->buffers[1] = ends, out->buffers[2] = bytes;
    return out;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    penstock_read *read = stream->private_data;
    make_schema(read->places, read->n_places, 0, out);
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    penstock_read *read = stream->private_data;
    ON_NEXT;
    if (IS_CANCELLED(read)) return fail(&read->error, PENSTOCK_CANCELLED, "", "The read was cancelled."), ECANCELED;
    int64_t n = read->n_rows - read->next;
    if (n > read->batch_rows) n = read->batch_rows;
    memset(out, 0, sizeof *out);
    if (n == 0) return 0;
    *out = (struct ArrowArray){.length = n, .n_buffers = 1, .n_children = read->n_places, .release = release_array};
    out->buffers = calloc(1, sizeof *out->buffers);
    out->children = calloc((size_t)read->n_places, sizeof *out->children);
    for (int i = 0; i < read->n_places; i++) out->children[i] = make_column(read->places[i], read->rows + read->next, n);
    read->next += (int)n;
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    return ((penstock_read *)stream->private_data)->error.message;
}
static void release_stream(struct ArrowArrayStream *stream) { MARK_RELEASED(stream); }
static void read_cancel(penstock_read *read) { atomic_store(&read->cancelled, 1); }
static void read_error(penstock_read *read, penstock_error *out) { *out = read->error; }
static void read_close(penstock_read *read) { FREE_READ(read); }

static int place_of(penstock_str name) {
    for (int i = 0; i < COLUMNS; i++) {
        if (strlen(columns[i]) == name.len && !memcmp(columns[i], name.ptr, name.len)) return i;
    }
    return -1;
}

static penstock_status choose(const penstock_read_request *request, int *places, int *n, penstock_error *e) {
    if (request->target_kind != PENSTOCK_TARGET_OBJECT || UNKNOWN_OBJECT(request->target)) {
        return fail(e, PENSTOCK_NOT_FOUND, "", "There is no such object.");
    }
    *n = 0;
    for (uint32_t i = 0; i < request->n_columns; i++) {
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)request->columns[i].len, request->columns[i].ptr);
        int place = place_of(request->columns[i]);
        if (place < 0) return fail(e, PENSTOCK_NOT_FOUND, name, "There is no such column.");
        places[(*n)++] = place;
    }
    if (*n == 0) for (; *n < COLUMNS; (*n)++) places[*n] = *n;
    return PENSTOCK_OK;
}

static penstock_status source_describe(penstock_source *source, const penstock_read_request *request,
                                       struct ArrowSchema *out, penstock_error *e) {
    int places[64], n;
    (void)source;
    ON_DESCRIBE;
    penstock_status status = choose(request, places, &n, e);
    if (status == PENSTOCK_OK) make_schema(places, n, 1, out);
    return status;
}

static void sort(penstock_read *read, int column) {
    for (int i = 1; i < read->n_rows; i++) {
        for (int k = i; k > 0 && number_of(column, read->rows[k - 1]) > number_of(column, read->rows[k]); k--) {
            int row = read->rows[k];
            read->rows[k] = read->rows[k - 1], read->rows[k - 1] = row;
        }
    }
}

static penstock_status source_read(penstock_source *source, const penstock_read_request *request,
                                   penstock_read **out, struct ArrowArrayStream *stream, penstock_error *e) {
    (void)source;
    penstock_read *read = calloc(1, sizeof *read);
    penstock_status status = choose(request, read->places, &read->n_places, e);
    int bound = request->bound_column.ptr ? place_of(request->bound_column) : -1;
    int order = request->n_order ? place_of(request->order[0]) : -1;
    if (status != PENSTOCK_OK) return free(read), status;
    for (int row = 0; row < ROWS; row++) {
        int64_t value = bound < 0 ? 0 : number_of(bound, row);
        if (bound < 0 || PASSES(value, request->bound.i64, request->bound_inclusive, order >= 0)) {
            read->rows[read->n_rows++] = row;
        }
    }
    if (order >= 0) sort(read, order);
    if (request->rows_max >= 0 && read->n_rows > request->rows_max) read->n_rows = (int)request->rows_max;
    read->batch_rows = BATCH_ROWS(request);
    *out = read;
    *stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, read};
    return PENSTOCK_OK;
}

const penstock_connector *penstock_connector_v1(void) {
    static const penstock_source_api source = {
        .size = sizeof source, .open = source_open, .close = source_close, .check = source_check,
        .discover = source_discover, .describe = source_describe, .read = source_read,
        .read_cancel = read_cancel, .read_error = read_error, .read_close = read_close,
    };
    static const penstock_connector connector = {
        .size = sizeof connector, .major = PENSTOCK_MAJOR, .minor = PENSTOCK_MINOR,
        .id = "people", .title = "People", .version = "1.0.0", .summary = "Reads a table in memory.",
        .caps = CAPS,
        .config_schema = "{\"v\":1,\"type\":\"object\",\"required\":[\"path\"],\"properties\":{\"path\":"
                         "{\"type\":\"string\",\"description\":\"Anything.\",\"examples\":[\"x\"]}," TOKEN_SETTING "}}",
        .source = SOURCE_TABLE,
    };
    (void)source;
    ON_ENTRY;
    return &connector;
}
