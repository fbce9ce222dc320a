// SPDX-License-Identifier: Apache-2.0
// A whole and right destination over records in memory, in which each file beside this one breaks one rule by a macro.
// Rows are sent one after the other when the session is flushed, ended, or full.
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "penstock.h"

/* What a file may change; each is right as it stands here. */
#ifndef REPORTS
#define REPORTS(row) 1
#endif
#ifndef ACQUIRES
#define ACQUIRES(row) 1
#endif
#ifndef RELEASES
#define RELEASES 1
#endif
#ifndef OUTCOME
#define OUTCOME(row) PENSTOCK_ROW_CREATED
#endif
#ifndef SENDS
#define SENDS(row, status) 1
#endif
#ifndef AWAITED_MAX
#define AWAITED_MAX(session) (4 * (session)->in_flight_max)
#endif
#ifndef KEEPS_WHEN_BUSY
#define KEEPS_WHEN_BUSY 0
#endif
#ifndef STOPS
#define STOPS(session) atomic_load(&(session)->aborted)
#endif
#ifndef DENIED_STATUS
#define DENIED_STATUS PENSTOCK_ROW_NOT_TRIED
#endif
#ifndef DENIED_MESSAGE
#define DENIED_MESSAGE error.message
#endif
#ifndef COST
#define COST(session) ((session)->mode == PENSTOCK_WRITE_DELETE ? 2 : 3)
#endif
#ifndef READ_COST
#define READ_COST(n_ids) ((n_ids) == 1 ? 1 : 5)
#endif
#ifndef UNKNOWN_FIELD
#define UNKNOWN_FIELD(name) (strcmp(name, "name") != 0)
#endif
#ifndef FOUND
#define FOUND(id) ((id) >= 1 && (id) <= n_records && !deleted[id])
#endif

enum { RECORDS_MAX = 100000, WAITING_MAX = 4096 };
static int n_records, deleted[RECORDS_MAX];

struct penstock_destination { const penstock_host *host; };
typedef struct waiting { struct ArrowArray array; uint64_t id; } waiting;
struct penstock_session {
    const penstock_host *host;
    penstock_results_fn on_results;
    void *results_ctx;
    int32_t mode;
    int64_t in_flight_max, rows;
    waiting batches[WAITING_MAX];
    int n_batches;
    atomic_int aborted;
};

static penstock_status fail(penstock_error *e, penstock_status code, const char *field, const char *message) {
    if (e) {
        e->code = code;
        snprintf(e->field, sizeof e->field, "%s", field);
        snprintf(e->message, sizeof e->message, "%s", message);
    }
    return code;
}

static void free_text(penstock_text *text) { free(text->owner), memset(text, 0, sizeof *text); }

static penstock_status give(penstock_text *out, const char *json) {
    char *copy = strdup(json);
    *out = (penstock_text){copy, strlen(copy), free_text, copy};
    return PENSTOCK_OK;
}

static int is_thing(penstock_str object) { return object.len == 5 && !memcmp(object.ptr, "thing", 5); }

static penstock_status destination_open(const penstock_connector *connector, const penstock_open_args *args,
                                        penstock_destination **out, penstock_error *e) {
    (void)connector;
    char *config = strndup(args->config_json.ptr, args->config_json.len);
    int has_place = strstr(config, "\"place\":\"") != NULL;
    free(config);
    if (!has_place) return fail(e, PENSTOCK_BAD_CONFIG, "place", "The setting place is missing.");
    *out = calloc(1, sizeof **out);
    (*out)->host = args->host;
    return PENSTOCK_OK;
}
static void destination_close(penstock_destination *destination) { free(destination); }

static penstock_status destination_check(penstock_destination *destination, penstock_text *out, penstock_error *e) {
    (void)destination, (void)e;
    return give(out, "{\"v\":1,\"steps\":[{\"id\":\"network\",\"message\":\"It is there.\"}]}");
}
static penstock_status destination_fields(penstock_destination *destination, penstock_str object,
                                          const penstock_str *options_of, uint32_t n_options_of, penstock_text *out,
                                          penstock_error *e) {
    (void)destination, (void)options_of, (void)n_options_of;
    if (!is_thing(object)) return fail(e, PENSTOCK_NOT_FOUND, "", "There is no such object.");
    return give(out, "{\"v\":1,\"fields\":[{\"key\":\"id\",\"kind\":\"id\"},"
                     "{\"key\":\"name\",\"kind\":\"text\",\"required_on_create\":true,\"length_max\":100}]}");
}
static penstock_status destination_limits(penstock_destination *destination, penstock_text *out, penstock_error *e) {
    (void)destination, (void)e;
    return give(out, "{\"v\":1,\"limits\":[{\"bucket\":\"burst\",\"limit\":10}]}");
}

/* ---- reading back: the ids asked for that exist, and NULL for each field ------------------------------------ */

struct penstock_read { int n_ids, n_fields, is_done; int *ids; char (*fields)[128]; };

static void release_schema(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; free(schema->children[i++])) {
        if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    }
    free(schema->children), free((char *)schema->name);
    memset(schema, 0, sizeof *schema);
}
static int back_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    penstock_read *read = stream->private_data;
    *out = (struct ArrowSchema){.format = "+s", .release = release_schema, .n_children = read->n_fields + 1};
    out->children = calloc((size_t)out->n_children, sizeof *out->children);
    for (int i = 0; i <= read->n_fields; i++) {
        struct ArrowSchema *child = out->children[i] = calloc(1, sizeof *child);
        *child = (struct ArrowSchema){.format = "u", .release = release_schema, .flags = i ? ARROW_FLAG_NULLABLE : 0};
        child->name = strdup(i ? read->fields[i - 1] : "id");
    }
    return 0;
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
static int back_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    penstock_read *read = stream->private_data;
    size_t n = (size_t)read->n_ids;
    memset(out, 0, sizeof *out);
    if (read->is_done++ || n == 0) return 0;
    *out = (struct ArrowArray){.length = (int64_t)n, .n_buffers = 1, .n_children = read->n_fields + 1,
                               .release = release_array};
    out->buffers = calloc(1, sizeof *out->buffers);
    out->children = calloc((size_t)out->n_children, sizeof *out->children);
    for (int i = 0; i <= read->n_fields; i++) {
        struct ArrowArray *child = out->children[i] = calloc(1, sizeof *child);
        int32_t *ends = calloc(n + 1, sizeof *ends);
        char *bytes = calloc(n + 1, 16);
        for (size_t row = 0; row < n; row++) {
            ends[row + 1] = ends[row] + (i ? 0 : sprintf(bytes + ends[row], "%d", read->ids[row]));
        }
        *child = (struct ArrowArray){.length = (int64_t)n, .null_count = i ? (int64_t)n : 0, .n_buffers = 3,
                                     .release = release_array};
        child->buffers = calloc(3, sizeof *child->buffers);
        child->buffers[0] = i ? calloc(n / 8 + 1, 1) : NULL;
        child->buffers[1] = ends, child->buffers[2] = bytes;
    }
    return 0;
}
static const char *back_error(struct ArrowArrayStream *stream) { return (void)stream, NULL; }
static void release_stream(struct ArrowArrayStream *stream) { memset(stream, 0, sizeof *stream); }
static void read_cancel(penstock_read *read) { (void)read; }
static void read_error(penstock_read *read, penstock_error *out) { (void)read, (void)out; }
static void read_close(penstock_read *read) { free(read->ids), free(read->fields), free(read); }

static penstock_status read_back(penstock_destination *destination, const penstock_read_back_request *request,
                                 penstock_read **out, struct ArrowArrayStream *stream, penstock_error *e) {
    const penstock_host *host = destination->host;
    if (!is_thing(request->object)) return fail(e, PENSTOCK_NOT_FOUND, "", "There is no such object.");
    penstock_intent intent = {
        .bucket = {"burst", 5}, .cost = READ_COST(request->n_ids), .kind = PENSTOCK_REQUEST_READ};
    penstock_permit permit = {0};
    while (!permit.granted) {
        penstock_status status = host->acquire(host->ctx, &intent, &permit, e);
        if (status == PENSTOCK_OK && !permit.granted) status = host->pause(host->ctx, permit.wait_ms, e);
        if (status != PENSTOCK_OK) return status;
    }
    penstock_answer answer = {.http_status = 200};
    host->release(host->ctx, permit.ticket, &answer);
    penstock_read *read = calloc(1, sizeof *read);
    read->ids = calloc(request->n_ids + 1, sizeof *read->ids);
    read->fields = calloc(request->n_fields + 1, sizeof *read->fields);
    for (uint32_t i = 0; i < request->n_ids; i++) {
        char digits[32];
        snprintf(digits, sizeof digits, "%.*s", (int)request->ids[i].len, request->ids[i].ptr);
        if (FOUND(atoi(digits))) read->ids[read->n_ids++] = atoi(digits);
    }
    for (; read->n_fields < (int)request->n_fields; read->n_fields++) {
        penstock_str field = request->fields[read->n_fields];
        snprintf(read->fields[read->n_fields], 128, "%.*s", (int)field.len, field.ptr);
    }
    *out = read;
    *stream = (struct ArrowArrayStream){back_schema, back_next, back_error, release_stream, read};
    return PENSTOCK_OK;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static void report(penstock_session *s, uint64_t batch, int64_t row, int32_t status, penstock_status code, int id,
                   const char *message) {
    char text[16];
    penstock_row_result result = {.row = row, .row_status = status, .code = code};
    if (id > 0) result.remote_id = (penstock_str){text, (size_t)snprintf(text, sizeof text, "%d", id)};
    if (code) result.message = (penstock_str){message, strlen(message)};
    for (int i = 0; i < REPORTS(row); i++) s->on_results(s->results_ctx, batch, &result, 1);
}

/* Asks for leave until it is given; the status of acquire or pause otherwise. */
static penstock_status leave(penstock_session *s, uint64_t batch, int64_t row, uint64_t *ticket, penstock_error *e) {
    int32_t kinds[] = {0, PENSTOCK_REQUEST_CREATE, PENSTOCK_REQUEST_UPDATE, 0, PENSTOCK_REQUEST_DELETE};
    penstock_intent intent = {.bucket = {"burst", 5}, .cost = COST(s), .kind = kinds[s->mode], .has_row = 1,
                              .batch_id = batch, .row = row};
    for (;;) {
        penstock_permit permit = {0};
        if (STOPS(s)) return fail(e, PENSTOCK_CANCELLED, "", "The session was aborted.");
        penstock_status status = s->host->acquire(s->host->ctx, &intent, &permit, e);
        if (status != PENSTOCK_OK) return status;
        if (permit.granted) return *ticket = permit.ticket, PENSTOCK_OK;
        status = s->host->pause(s->host->ctx, permit.wait_ms, e);
        if (status != PENSTOCK_OK) return status;
    }
}

static int id_of(const struct ArrowArray *array, int64_t row) {
    const int32_t *ends = array->children[1]->buffers[1];
    char digits[32];
    snprintf(digits, sizeof digits, "%.*s", (int)(ends[row + 1] - ends[row]),
             (const char *)array->children[1]->buffers[2] + ends[row]);
    return atoi(digits);
}

static void send_row(penstock_session *s, const struct ArrowArray *array, uint64_t batch, int64_t row) {
    int32_t status = OUTCOME(row);
    int id = s->mode == PENSTOCK_WRITE_CREATE ? 0 : id_of(array, row);
    for (int times = 0; times < SENDS(row, status); times++) {
        uint64_t ticket = 0;
        penstock_error error = {0};
        if (ACQUIRES(row)) {
            penstock_status refused = leave(s, batch, row, &ticket, &error);
            if (refused) return report(s, batch, row, DENIED_STATUS, refused, 0, DENIED_MESSAGE);
        }
        if (s->mode == PENSTOCK_WRITE_CREATE) id = ++n_records;
        penstock_answer answer = {.http_status = status == PENSTOCK_ROW_UNKNOWN ? 0 : 201};
        if (ACQUIRES(row)) for (int i = 0; i < RELEASES; i++) s->host->release(s->host->ctx, ticket, &answer);
    }
    if (status == PENSTOCK_ROW_UNKNOWN) {
        return report(s, batch, row, status, PENSTOCK_TIMED_OUT, 0, "No answer came in time.");
    }
    if (!FOUND(id)) {
        return report(s, batch, row, PENSTOCK_ROW_REJECTED, PENSTOCK_NOT_FOUND, 0, "There is no such record.");
    }
    if (s->mode == PENSTOCK_WRITE_DELETE) deleted[id] = 1;
    int32_t done[] = {0, PENSTOCK_ROW_CREATED, PENSTOCK_ROW_UPDATED, 0, PENSTOCK_ROW_DELETED};
    report(s, batch, row, done[s->mode], PENSTOCK_OK, id, NULL);
}

static penstock_status begin(penstock_destination *destination, const penstock_write_request *request,
                             penstock_session **out, penstock_error *e) {
    if (!is_thing(request->object)) return fail(e, PENSTOCK_NOT_FOUND, "", "There is no such object.");
    for (int64_t i = 0; i < request->schema->n_children; i++) {
        const char *name = request->schema->children[i]->name;
        if (!strncmp(name, "__penstock_", 11)) continue;
        if (UNKNOWN_FIELD(name)) return fail(e, PENSTOCK_NOT_FOUND, name, "There is no such field to write.");
    }
    penstock_session *s = calloc(1, sizeof *s);
    s->host = destination->host;
    s->on_results = request->on_results, s->results_ctx = request->results_ctx;
    s->mode = request->mode, s->in_flight_max = request->in_flight_max;
    *out = s;
    return PENSTOCK_OK;
}

static penstock_status flush(penstock_session *s, penstock_error *e) {
    (void)e;
    for (int i = 0; i < s->n_batches; i++) {
        waiting *batch = &s->batches[i];
        for (int64_t row = 0; row < batch->array.length; row++) send_row(s, &batch->array, batch->id, row);
        batch->array.release(&batch->array);
    }
    s->n_batches = 0, s->rows = 0;
    return PENSTOCK_OK;
}

static penstock_status submit(penstock_session *s, uint64_t id, struct ArrowArray *batch, penstock_error *e) {
    if (s->n_batches == WAITING_MAX || s->rows + batch->length > AWAITED_MAX(s)) {
        if (KEEPS_WHEN_BUSY) batch->release(batch);
        /* Full: what waits is sent now. */
        flush(s, e);
        return PENSTOCK_BUSY;
    }
    s->batches[s->n_batches].array = *batch;
    s->batches[s->n_batches++].id = id;
    s->rows += batch->length;
    batch->release = NULL;
    return PENSTOCK_OK;
}

static void abort_session(penstock_session *s) { atomic_store(&s->aborted, 1); }
static void end(penstock_session *s) {
    flush(s, NULL);
    free(s);
}

const penstock_connector *penstock_connector_v1(void) {
    static const penstock_destination_api destination = {
        .size = sizeof destination, .open = destination_open, .close = destination_close, .check = destination_check,
        .fields = destination_fields, .limits = destination_limits, .read_back = read_back,
        .read_cancel = read_cancel, .read_error = read_error, .read_close = read_close, .begin = begin,
        .submit = submit, .flush = flush, .abort = abort_session, .end = end,
    };
    static const penstock_connector connector = {
        .size = sizeof connector, .major = PENSTOCK_MAJOR, .minor = PENSTOCK_MINOR,
        .id = "things", .title = "Things", .version = "1.0.0", .summary = "Keeps records in memory.",
        .caps = PENSTOCK_CAP_DESTINATION | PENSTOCK_CAP_DELETE,
        .config_schema = "{\"v\":1,\"type\":\"object\",\"required\":[\"place\"],\"properties\":{\"place\":"
                         "{\"type\":\"string\",\"description\":\"Anything.\",\"examples\":[\"x\"]}}}",
        .objects_json = "{\"v\":1,\"objects\":[{\"id\":\"thing\",\"title\":\"Thing\",\"required_on_create\":[\"name\"],"
                        "\"costs\":{\"create\":3,\"update\":3,\"delete\":2,\"read_by_ids\":5,\"read_one\":1,"
                        "\"read_by_ids_max\":100}}]}",
        .destination = &destination,
    };
    return &connector;
}
