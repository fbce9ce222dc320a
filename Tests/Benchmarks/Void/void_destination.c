// SPDX-License-Identifier: Apache-2.0
//
// A destination that answers at once and keeps nothing: what is left of a run is Penstock's own work. Every row asks
// for leave as a request to an API would, and costs as much; with `asks: false` only creates do, which must. One thread
// a session sends; it takes the rows in order.

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "penstock.h"

enum { WAITING_MAX = 256, RESULTS_MAX = 256 };

struct penstock_destination { const penstock_host *host; int asks; };
struct penstock_read { int unused; };

struct waiting { struct ArrowArray array; uint64_t id; };
struct penstock_session {
    const penstock_host *host;
    penstock_results_fn on_results;
    void *results_ctx;
    int32_t mode, aborted, ended;
    int remote_id_column, asks;
    int64_t rows, rows_max;          /* taken over and without a result; the most of them */
    struct waiting batches[WAITING_MAX];
    unsigned head, count;
    uint64_t batch;                  /* the one that is being sent */
    penstock_row_result results[RESULTS_MAX];
    char ids[RESULTS_MAX][24];
    uint32_t n_results;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* Ids of created records; one session creates at a time. */
static uint64_t created;

static penstock_status fail(penstock_error *e, penstock_status code, const char *field, const char *message) {
    if (e) {
        e->code = code;
        snprintf(e->field, sizeof e->field, "%s", field);
        snprintf(e->message, sizeof e->message, "%s", message);
    }
    return code;
}

static penstock_status give(penstock_text *out, const char *json) {
    *out = (penstock_text){json, strlen(json), NULL, NULL};
    return PENSTOCK_OK;
}

/* ---- the connection ---------------------------------------------------------------------------------------- */

static int is_company(penstock_str object) { return object.len == 7 && !memcmp(object.ptr, "company", 7); }

static penstock_status destination_open(const penstock_connector *connector, const penstock_open_args *args,
                                        penstock_destination **out, penstock_error *e) {
    (void)connector;
    *out = calloc(1, sizeof **out);
    if (!*out) return fail(e, PENSTOCK_NO_MEMORY, "", "There is no memory.");
    (*out)->host = args->host;
    (*out)->asks = !memmem(args->config_json.ptr, args->config_json.len, "\"asks\":false", 12);
    return PENSTOCK_OK;
}

static void destination_close(penstock_destination *destination) { free(destination); }

static void free_text(penstock_text *text) { memset(text, 0, sizeof *text); }

static penstock_status destination_check(penstock_destination *destination, penstock_text *out, penstock_error *e) {
    (void)destination, (void)e;
    give(out, "{\"v\":1,\"steps\":[{\"id\":\"network\",\"message\":\"There is nothing to reach.\"}]}");
    return out->release = free_text, PENSTOCK_OK;
}

static penstock_status destination_fields(penstock_destination *destination, penstock_str object,
                                          const penstock_str *options_of, uint32_t n_options_of, penstock_text *out,
                                          penstock_error *e) {
    (void)destination, (void)options_of, (void)n_options_of;
    if (!is_company(object)) return fail(e, PENSTOCK_NOT_FOUND, "", "There is no such object.");
    give(out,
         "{\"v\":1,\"fields\":[{\"key\":\"id\",\"kind\":\"id\"},"
         "{\"key\":\"name\",\"kind\":\"text\",\"required_on_create\":true,\"length_max\":255},"
         "{\"key\":\"website\",\"kind\":\"text\",\"clearable\":true},{\"key\":\"address\",\"kind\":\"address\"},"
         "{\"key\":\"employee_count\",\"kind\":\"integer\",\"clearable\":true},"
         "{\"key\":\"customer_key\",\"kind\":\"text\"},{\"key\":\"notes\",\"kind\":\"text\",\"clearable\":true},"
         "{\"key\":\"segment\",\"kind\":\"option\",\"options\":[{\"id\":\"1\",\"label\":\"SMB\"},"
         "{\"id\":\"2\",\"label\":\"Mid\"},{\"id\":\"3\",\"label\":\"Enterprise\"}]},"
         "{\"key\":\"arr_eur\",\"kind\":\"number\"},{\"key\":\"is_active\",\"kind\":\"boolean\"},"
         "{\"key\":\"customer_since\",\"kind\":\"date\"}]}");
    return out->release = free_text, PENSTOCK_OK;
}

static penstock_status destination_limits(penstock_destination *destination, penstock_text *out, penstock_error *e) {
    (void)destination, (void)e;
    give(out, "{\"v\":1,\"limits\":[]}");
    return out->release = free_text, PENSTOCK_OK;
}

static penstock_status read_back(penstock_destination *destination, const penstock_read_back_request *request,
                                 penstock_read **out, struct ArrowArrayStream *stream, penstock_error *e) {
    (void)destination, (void)request, (void)out, (void)stream;
    return fail(e, PENSTOCK_UNSUPPORTED, "", "Nothing is kept, so nothing can be read back.");
}
static void read_cancel(penstock_read *read) { (void)read; }
static void read_error(penstock_read *read, penstock_error *out) { (void)read, (void)out; }
static void read_close(penstock_read *read) { (void)read; }

/* ---- sending ------------------------------------------------------------------------------------------------ */

static void report(struct penstock_session *s) {
    if (s->n_results) s->on_results(s->results_ctx, s->batch, s->results, s->n_results);
    s->n_results = 0;
}

/* Asks for leave until it is given; what is done already is reported before it waits. */
static penstock_status leave(struct penstock_session *s, int64_t row, penstock_error *e) {
    penstock_intent intent = {
        .bucket = {"burst", 5}, .cost = 5, .has_row = 1, .batch_id = s->batch, .row = row,
        .kind = s->mode == PENSTOCK_WRITE_CREATE ? PENSTOCK_REQUEST_CREATE : PENSTOCK_REQUEST_UPDATE};
    for (;;) {
        penstock_permit permit = {0};
        if (__atomic_load_n(&s->aborted, __ATOMIC_RELAXED)) return fail(e, PENSTOCK_CANCELLED, "", "It was aborted.");
        penstock_status status = s->host->acquire(s->host->ctx, &intent, &permit, e);
        if (status != PENSTOCK_OK) return status;
        if (permit.granted) {
            penstock_answer answer = {.http_status = 200};
            s->host->release(s->host->ctx, permit.ticket, &answer);
            return PENSTOCK_OK;
        }
        report(s);
        status = s->host->pause(s->host->ctx, permit.wait_ms, e);
        if (status != PENSTOCK_OK) return status;
    }
}

static void send_row(struct penstock_session *s, const struct ArrowArray *array, int64_t row) {
    penstock_error error = {0};
    penstock_status refused = s->asks ? leave(s, row, &error) : PENSTOCK_OK;
    if (s->n_results == RESULTS_MAX) report(s);
    uint32_t at = s->n_results++;
    penstock_row_result *result = &s->results[at];
    *result = (penstock_row_result){.row = row, .http_status = 200};
    if (refused) {
        *result = (penstock_row_result){.row = row, .row_status = PENSTOCK_ROW_NOT_TRIED, .code = refused};
        result->message = (penstock_str){"The row was not tried.", 22};
        return report(s);
    }
    result->row_status = s->mode == PENSTOCK_WRITE_CREATE ? PENSTOCK_ROW_CREATED : PENSTOCK_ROW_UPDATED;
    if (s->mode == PENSTOCK_WRITE_CREATE) {
        int n = snprintf(s->ids[at], sizeof s->ids[at], "%llu", (unsigned long long)++created);
        result->remote_id = (penstock_str){s->ids[at], (size_t)n};
        return;
    }
    const struct ArrowArray *column = array->children[s->remote_id_column];
    const int32_t *ends = (const int32_t *)column->buffers[1] + column->offset + array->offset;
    const char *text = (const char *)column->buffers[2];
    result->remote_id = (penstock_str){text + ends[row], (size_t)(ends[row + 1] - ends[row])};
}

static void *send_all(void *context) {
    struct penstock_session *s = context;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->count == 0 && !s->ended) pthread_cond_wait(&s->changed, &s->lock);
        if (s->count == 0) break;
        struct waiting *batch = &s->batches[s->head % WAITING_MAX];
        pthread_mutex_unlock(&s->lock);
        s->batch = batch->id;
        for (int64_t row = 0; row < batch->array.length; row++) send_row(s, &batch->array, row);
        report(s);
        int64_t rows = batch->array.length;
        batch->array.release(&batch->array);
        pthread_mutex_lock(&s->lock);
        s->head++, s->count--, s->rows -= rows;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the session -------------------------------------------------------------------------------------------- */

static penstock_status begin(penstock_destination *destination, const penstock_write_request *request,
                             penstock_session **out, penstock_error *e) {
    if (!is_company(request->object)) return fail(e, PENSTOCK_NOT_FOUND, "", "There is no such object.");
    penstock_session *s = calloc(1, sizeof *s);
    if (!s) return fail(e, PENSTOCK_NO_MEMORY, "", "There is no memory.");
    s->host = destination->host;
    s->on_results = request->on_results, s->results_ctx = request->results_ctx;
    s->mode = request->mode;
    s->asks = destination->asks || s->mode == PENSTOCK_WRITE_CREATE;
    s->rows_max = 4 * (int64_t)request->in_flight_max;
    for (int64_t i = 0; i < request->schema->n_children; i++) {
        if (!strcmp(request->schema->children[i]->name, "__penstock_remote_id")) s->remote_id_column = (int)i;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    /* A thread of a connector has all signals blocked: they are the host's. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&s->thread, NULL, send_all, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        free(s);
        return fail(e, PENSTOCK_NO_MEMORY, "", "There is no thread.");
    }
    *out = s;
    return PENSTOCK_OK;
}

static penstock_status submit(penstock_session *s, uint64_t id, struct ArrowArray *batch, penstock_error *e) {
    (void)e;
    pthread_mutex_lock(&s->lock);
    int is_full = s->count == WAITING_MAX || (s->rows > 0 && s->rows + batch->length > s->rows_max);
    if (!is_full) {
        s->batches[(s->head + s->count++) % WAITING_MAX] = (struct waiting){*batch, id};
        s->rows += batch->length;
        batch->release = NULL;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return is_full ? PENSTOCK_BUSY : PENSTOCK_OK;
}

static penstock_status flush(penstock_session *s, penstock_error *e) {
    (void)e;
    pthread_mutex_lock(&s->lock);
    while (s->count) pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return PENSTOCK_OK;
}

static void abort_session(penstock_session *s) { __atomic_store_n(&s->aborted, 1, __ATOMIC_RELAXED); }

static void end(penstock_session *s) {
    pthread_mutex_lock(&s->lock);
    s->ended = 1;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
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
        .id = "void", .title = "Void", .version = "1.0.0", .summary = "Takes everything and keeps nothing.",
        .caps = PENSTOCK_CAP_DESTINATION,
        .config_schema = "{\"v\":1,\"type\":\"object\",\"required\":[],\"properties\":{\"place\":{\"type\":\"string\","
                         "\"default\":\"nowhere\",\"description\":\"A name, to tell two of them apart.\"},"
                         "\"asks\":{\"type\":\"boolean\",\"default\":true,"
                         "\"description\":\"Whether updates ask for leave.\"}}}",
        .objects_json = "{\"v\":1,\"objects\":[{\"id\":\"company\",\"title\":\"Company\","
                        "\"required_on_create\":[\"name\"],\"rows_at_once\":16384,\"costs\":{\"create\":5,\"update\":5}}]}",
        .destination = &destination,
    };
    return &connector;
}
