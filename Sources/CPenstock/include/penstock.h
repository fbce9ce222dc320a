// SPDX-License-Identifier: Apache-2.0
// The contract between Penstock and a connector, major version 1. C11 and C++17, no dependency.
// docs/reference/abi.md explains it; this file decides.
//
// Tags:    [any]     callable from any thread, concurrently.
//          [serial]  the host never overlaps two calls on one handle; the thread may differ from call to call.
//          [cancel]  any thread, any time while the handle is alive; never blocks; may be repeated.
// Growth:  function tables (penstock_host, penstock_connector, *_api) start with their size and grow at the end
//          only; look at an appended or optional slot with PENSTOCK_HAS. All other structs are frozen: what is
//          added later takes over their reserved words, which are zero until then.
// Memory:  inputs are borrowed until the call returns, unless marked [moved]. Outputs are zeroed by the caller,
//          stay zeroed on failure, and are given back through their own release. Nobody frees the other's memory.
// Errors:  a call that fails returns a status other than PENSTOCK_OK and fills the error, whose texts are inline.
//          No exception, longjmp or signal crosses.
#ifndef PENSTOCK_H
#define PENSTOCK_H

#include <stddef.h>
#include <stdint.h>

#include "arrow_c_data.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PENSTOCK_MAJOR 1
#define PENSTOCK_MINOR 0
#define PENSTOCK_ENTRY_SYMBOL "penstock_connector_v1"

#if defined(__GNUC__)
#define PENSTOCK_EXPORT __attribute__((visibility("default")))
#else
#define PENSTOCK_EXPORT
#endif

/* Whether table `p` of type `T` is long enough to have slot `f`, and has it filled. */
#define PENSTOCK_HAS(T, p, f) ((p)->size >= offsetof(T, f) + sizeof((p)->f) && (p)->f != 0)

/* ---- texts, values, errors ------------------------------------------------------------------------------ */

/* A borrowed text: UTF-8, not necessarily ended by NUL. ptr NULL: absent. */
typedef struct penstock_str {
    const char *ptr;
    size_t len;
} penstock_str;

/* An owned text, an output: the taker calls release once, from any thread, after any handle was closed. */
typedef struct penstock_text {
    const char *ptr;
    size_t len;
    void (*release)(struct penstock_text *);
    void *owner;
} penstock_text;

/* What became of a call, chosen by who must act. Codes are only ever added; treat others as INTERNAL. */
typedef int32_t penstock_status;
enum {
    PENSTOCK_OK = 0,
    PENSTOCK_UNSUPPORTED = 1,      /* this connector cannot do that at all */
    PENSTOCK_BAD_CONFIG = 2,       /* the connection's settings are wrong */
    PENSTOCK_BAD_REQUEST = 3,      /* the host asked for what the contract forbids, or a query is wrong */
    PENSTOCK_UNAUTHORIZED = 4,     /* the credential was refused */
    PENSTOCK_FORBIDDEN = 5,        /* the credential is good but lacks the right */
    PENSTOCK_NOT_FOUND = 6,        /* no such table, file, object, field or column */
    PENSTOCK_CONFLICT = 7,         /* somebody else changed it first */
    PENSTOCK_BAD_DATA = 8,         /* the data are at fault */
    PENSTOCK_UNAVAILABLE = 9,      /* the other side cannot be reached or has a fault of its own */
    PENSTOCK_RATE_LIMITED = 10,    /* too many requests for the moment */
    PENSTOCK_QUOTA_SPENT = 11,     /* the budget is used up until it is reset */
    PENSTOCK_TIMED_OUT = 12,       /* no answer within the time allowed */
    PENSTOCK_CANCELLED = 13,       /* the operation was cancelled */
    PENSTOCK_BUSY = 14,            /* flow control: the window is full, try again after a result */
    PENSTOCK_SCHEMA_CHANGED = 15,  /* the columns or fields are not what they were */
    PENSTOCK_BROKEN = 16,          /* this handle is of no more use: close it and open another */
    PENSTOCK_NO_MEMORY = 17,
    PENSTOCK_INTERNAL = 18,        /* a fault of the connector itself */
    PENSTOCK_CONTRACT_BREACH = 19  /* the connector or the host did not keep to this contract */
};

/* Why a call failed. Texts are UTF-8 ended by NUL, cut at a character. No secrets in any of them. */
typedef struct penstock_error {
    penstock_status code;
    int32_t has_retry_after;       /* 1: retry_after_ms says how long to wait */
    int64_t retry_after_ms;
    char vendor_code[64];          /* the other side's own code: an SQLSTATE, an API's slug */
    char field[128];               /* the setting, column or field at fault */
    char message[512];             /* one sentence for the person who runs the sync */
    char detail[1024];             /* more, for the operator's log */
    uint64_t reserved[4];
} penstock_error;

/* One typed scalar. */
typedef struct penstock_value {
    int32_t kind;                  /* PENSTOCK_VALUE_… */
    int32_t reserved;
    int64_t i64;                   /* BOOL, INT64, DATE, TIME, TIMESTAMP, INSTANT; UINT64 as its bits */
    double f64;                    /* FLOAT64 */
    penstock_str text;             /* DECIMAL, TEXT, JSON; the bytes of BYTES */
} penstock_value;
enum {
    PENSTOCK_VALUE_NULL = 0,
    PENSTOCK_VALUE_BOOL = 1,
    PENSTOCK_VALUE_INT64 = 2,
    PENSTOCK_VALUE_UINT64 = 3,
    PENSTOCK_VALUE_FLOAT64 = 4,
    PENSTOCK_VALUE_DECIMAL = 5,
    PENSTOCK_VALUE_TEXT = 6,
    PENSTOCK_VALUE_BYTES = 7,
    PENSTOCK_VALUE_DATE = 8,       /* days since 1970-01-01 */
    PENSTOCK_VALUE_TIME = 9,       /* microseconds since midnight */
    PENSTOCK_VALUE_TIMESTAMP = 10, /* microseconds since 1970-01-01T00:00:00, no zone */
    PENSTOCK_VALUE_INSTANT = 11,   /* microseconds since 1970-01-01T00:00:00Z */
    PENSTOCK_VALUE_JSON = 12
};

/* ---- what the host offers ------------------------------------------------------------------------------- */

enum {
    PENSTOCK_LOG_TRACE = 0,
    PENSTOCK_LOG_DEBUG = 1,
    PENSTOCK_LOG_INFO = 2,
    PENSTOCK_LOG_WARNING = 3,
    PENSTOCK_LOG_ERROR = 4
};
enum { PENSTOCK_CLOCK_MONOTONIC = 0, PENSTOCK_CLOCK_WALL = 1 };
enum {
    PENSTOCK_REQUEST_READ = 0,     /* changes nothing */
    PENSTOCK_REQUEST_CREATE = 1,   /* sent twice it creates two */
    PENSTOCK_REQUEST_UPDATE = 2,   /* may be repeated */
    PENSTOCK_REQUEST_DELETE = 3    /* may be repeated */
};

/* A request that is about to be sent. */
typedef struct penstock_intent {
    penstock_str bucket;           /* the limit it falls under, for example "burst" */
    int64_t cost;                  /* of the daily budget */
    int32_t kind;                  /* PENSTOCK_REQUEST_… */
    int32_t has_row;               /* 1: it writes row `row` of batch `batch_id` */
    uint64_t batch_id;
    int64_t row;
    int64_t timeout_ms;            /* the longest that the request may be on its way; 0: not known */
    uint64_t reserved[3];
} penstock_intent;

/* The host's answer to an intent. */
typedef struct penstock_permit {
    int32_t granted;               /* 1: send now; 0: ask again after wait_ms */
    int32_t reserved0;
    uint64_t ticket;               /* when granted: give it back with the answer */
    int64_t wait_ms;
    uint64_t reserved[2];
} penstock_permit;

/* What came of a request. */
typedef struct penstock_answer {
    int32_t http_status;           /* 0: no answer was read */
    int32_t never_sent;            /* 1: it provably never left this machine */
    int32_t has_retry_after;
    int32_t is_blocked;            /* 1: the other side has shut this machine out for a while */
    int64_t retry_after_ms;        /* how long the other side asks to wait */
    int64_t server_time_ms;        /* the other side's clock when it answered, since 1970; 0: not known */
    uint64_t reserved[1];
} penstock_answer;

/* A limit of the other side. Numbers are -1 where unknown. */
typedef struct penstock_rate_limit {
    penstock_str bucket;
    int64_t limit, remaining, window_ms, resets_in_ms;
    uint64_t reserved[2];
} penstock_rate_limit;

/* One table per opened connection; usable until the connection's close returns. Every `out_error` may be NULL. */
typedef struct penstock_host {
    uint32_t size;
    uint16_t major, minor;
    void *ctx;                     /* first argument of every call below */
    const char *name, *version;    /* "penstock", and the version of the contract as text */

    /* [any] fields_json: one object with texts as values, or absent. */
    void (*log)(void *ctx, int32_t level, penstock_str message, penstock_str fields_json);
    /* [any] 1 once the work on this connection is to stop; cheap, ask once per batch or request. */
    int32_t (*cancelled)(void *ctx);
    /* [any] Milliseconds of PENSTOCK_CLOCK_…; the wall clock counts from 1970-01-01T00:00:00Z. */
    int64_t (*now_ms)(void *ctx, int32_t clock);
    /* [any] Waits; PENSTOCK_CANCELLED early, once cancelled. */
    penstock_status (*pause)(void *ctx, int64_t ms, penstock_error *out_error);
    /* [any] For display; total -1: unknown. */
    void (*progress)(void *ctx, int64_t done, int64_t total, penstock_str note);
    /* [any] Before every request. Never waits for a free slot: see penstock_permit. PENSTOCK_QUOTA_SPENT and
     * PENSTOCK_CANCELLED: the row is not tried. */
    penstock_status (*acquire)(void *ctx, const penstock_intent *intent, penstock_permit *out_permit,
                               penstock_error *out_error);
    /* [any] Exactly once per granted ticket, whatever came of the request. */
    void (*release)(void *ctx, uint64_t ticket, const penstock_answer *answer);
    /* [any] What the other side says about its limits. */
    void (*rate_limit)(void *ctx, const penstock_rate_limit *limit);
    /* [any] Stores a rotated credential before it is used; compare and swap on `expected` (0: the revision the
     * connection was opened with). OK: durable, under *out_revision. PENSTOCK_CONFLICT: somebody was faster;
     * *out_latest is theirs, under *out_revision, and yours to release. */
    penstock_status (*save_credential)(void *ctx, uint64_t expected, penstock_str credential_json,
                                       uint64_t *out_revision, penstock_text *out_latest,
                                       penstock_error *out_error);
    /* [any] Waits until nobody else on this machine renews the credential, and keeps them from it until
     * unlock_credential; around the request that renews, and save_credential. Where somebody has stored one since
     * `known` (0: the revision the connection was opened with), *out_latest is it, under *out_revision, and yours to
     * release; else it is absent. Other than OK: not held. */
    penstock_status (*lock_credential)(void *ctx, uint64_t known, uint64_t *out_revision, penstock_text *out_latest,
                                       penstock_error *out_error);
    /* [any] Once per lock_credential that returned OK. */
    void (*unlock_credential)(void *ctx);
} penstock_host;

/* ---- what a connector offers ---------------------------------------------------------------------------- */

#define PENSTOCK_CAP_SOURCE (1ull << 0)
#define PENSTOCK_CAP_DESTINATION (1ull << 1)
#define PENSTOCK_CAP_QUERY (1ull << 2)        /* reads a query, not only named objects */
#define PENSTOCK_CAP_LOWER_BOUND (1ull << 3)  /* honours penstock_read_request.bound */
#define PENSTOCK_CAP_ORDER (1ull << 4)        /* honours penstock_read_request.order */
#define PENSTOCK_CAP_PREPARE (1ull << 5)      /* creates a marker field on request */
#define PENSTOCK_CAP_DELETE (1ull << 6)       /* deletes records */
#define PENSTOCK_CAP_ROTATES_CREDENTIAL (1ull << 7)
#define PENSTOCK_CAP_LOCAL (1ull << 8)        /* reads files of this machine; projects are checked against it offline */

typedef struct penstock_source penstock_source;            /* an open source connection */
typedef struct penstock_destination penstock_destination;  /* an open destination connection */
typedef struct penstock_read penstock_read;                /* a read in progress */
typedef struct penstock_session penstock_session;          /* rows on their way */
typedef struct penstock_source_api penstock_source_api;
typedef struct penstock_destination_api penstock_destination_api;

/* Everything here is static: it stays valid and unchanged for as long as the process lives. */
typedef struct penstock_connector {
    uint32_t size;
    uint16_t major, minor;                    /* PENSTOCK_MAJOR, PENSTOCK_MINOR of this header */
    void *owner;                              /* the connector's own; the host leaves it alone */
    const char *id;                           /* lower case, as in project files: "jsonl" */
    const char *title;                        /* for people: "My CRM" */
    const char *version;                      /* the connector's own: "1.0.2" */
    const char *summary;                      /* one sentence */
    uint64_t caps;                            /* PENSTOCK_CAP_… */
    const char *config_schema;                /* JSON: the settings */
    const char *objects_json;                 /* JSON: what can be written; NULL for a mere source */
    const penstock_source_api *source;        /* NULL without PENSTOCK_CAP_SOURCE */
    const penstock_destination_api *destination;
} penstock_connector;

typedef struct penstock_open_args {
    const penstock_host *host;
    penstock_str config_json;                 /* one object: references resolved, defaults filled in */
    uint64_t reserved[4];
} penstock_open_args;

/* ---- source --------------------------------------------------------------------------------------------- */

enum { PENSTOCK_TARGET_OBJECT = 1, PENSTOCK_TARGET_QUERY = 2 };

typedef struct penstock_read_request {
    int32_t target_kind;                      /* PENSTOCK_TARGET_… */
    int32_t bound_inclusive;                  /* 1: rows with exactly the bound's value are read */
    penstock_str target;                      /* the object's id, or the query */
    const penstock_str *columns;              /* n_columns 0: all */
    const penstock_str *order;                /* ascending */
    uint32_t n_columns, n_order;
    penstock_str bound_column;                /* absent: no lower bound */
    penstock_value bound;                     /* of the column's type; bind it, never splice it into a query */
    int64_t batch_rows;                       /* the most rows a batch may have */
    int64_t batch_bytes;                      /* about how many bytes a batch may have */
    int64_t rows_max;                         /* the most rows to read at all; -1: no limit */
    int32_t ignores_writers;                  /* 1: the host does not look at penstock.open_writers */
    int32_t reserved0;
    uint64_t reserved[3];
} penstock_read_request;

struct penstock_source_api {
    uint32_t size;
    uint32_t reserved;
    /* [any] Local and cheap: the network is first used by a later call. */
    penstock_status (*open)(const penstock_connector *connector, const penstock_open_args *args,
                            penstock_source **out_source, penstock_error *out_error);
    /* [serial] The host has closed every read of it before. */
    void (*close)(penstock_source *source);
    /* [serial] Tries the connection step by step; writes nothing. A refusal is a step, not a failure of this. */
    penstock_status (*check)(penstock_source *source, penstock_text *out_report_json, penstock_error *out_error);
    /* [serial] n_ids 0: everything; otherwise at least these objects. Columns may be left out: the host then asks
     * describe for those it needs. */
    penstock_status (*discover)(penstock_source *source, const penstock_str *ids, uint32_t n_ids,
                                penstock_text *out_catalog_json, penstock_error *out_error);
    /* [serial] The columns that read would deliver, without reading rows. */
    penstock_status (*describe)(penstock_source *source, const penstock_read_request *request,
                                struct ArrowSchema *out_schema, penstock_error *out_error);
    /* [serial] Starts reading one snapshot. The calls on *out_stream are [serial] with each other. */
    penstock_status (*read)(penstock_source *source, const penstock_read_request *request,
                            penstock_read **out_read, struct ArrowArrayStream *out_stream,
                            penstock_error *out_error);
    /* [cancel] Makes the running or next call of the stream's get_next end with ECANCELED. */
    void (*read_cancel)(penstock_read *read);
    /* [serial] Why the last call on the stream returned other than 0. */
    void (*read_error)(penstock_read *read, penstock_error *out_error);
    /* [serial] After the stream's release; both return within a second, however much was left to read. */
    void (*read_close)(penstock_read *read);
};

/* ---- destination ---------------------------------------------------------------------------------------- */

enum { PENSTOCK_SELECT_IDS = 1, PENSTOCK_SELECT_CHANGED_SINCE = 2, PENSTOCK_SELECT_ALL = 3 };

typedef struct penstock_read_back_request {
    penstock_str object;
    int32_t selection;                        /* PENSTOCK_SELECT_… */
    uint32_t n_ids, n_fields;
    uint32_t reserved0;
    const penstock_str *ids;
    int64_t changed_since_ms;                 /* since 1970-01-01T00:00:00Z; the host rounds down to seconds */
    const penstock_str *fields;               /* besides the id */
    uint64_t reserved[4];
} penstock_read_back_request;

enum { PENSTOCK_WRITE_CREATE = 1, PENSTOCK_WRITE_UPDATE = 2, PENSTOCK_WRITE_DELETE = 4 };

enum {
    PENSTOCK_ROW_CREATED = 1,
    PENSTOCK_ROW_UPDATED = 2,
    PENSTOCK_ROW_UNCHANGED = 3,
    PENSTOCK_ROW_DELETED = 4,
    PENSTOCK_ROW_REJECTED = 16,               /* the row is at fault and was refused */
    PENSTOCK_ROW_RETRY = 17,                  /* provably not applied: safe to send again */
    PENSTOCK_ROW_UNKNOWN = 18,                /* may have been applied: look before sending again */
    PENSTOCK_ROW_NOT_TRIED = 19               /* never sent */
};

/* What became of one row. */
typedef struct penstock_row_result {
    int64_t row;                              /* in its batch, from 0 */
    int32_t row_status;                       /* PENSTOCK_ROW_… */
    penstock_status code;                     /* why, from REJECTED on; else PENSTOCK_OK */
    int32_t http_status;                      /* or 0 */
    int32_t has_retry_after;
    int64_t retry_after_ms;
    penstock_str remote_id;                   /* the record's id, or absent */
    penstock_str field, vendor_code, message, detail;   /* as in penstock_error */
    uint64_t reserved[4];
} penstock_row_result;

/* Called by the connector from any thread, but never twice at once for one session, between begin and the return
 * of end. The host copies and returns at once; it does not call back into the connector. */
typedef void (*penstock_results_fn)(void *results_ctx, uint64_t batch_id, const penstock_row_result *results,
                                    uint32_t n_results);

typedef struct penstock_write_request {
    penstock_str object;
    int32_t mode;                             /* PENSTOCK_WRITE_… */
    uint32_t in_flight_max;                   /* the most rows that may be on their way at once */
    const struct ArrowSchema *schema;         /* of every batch; columns are named by field key */
    penstock_results_fn on_results;
    void *results_ctx;
    uint64_t reserved[4];
} penstock_write_request;

struct penstock_destination_api {
    uint32_t size;
    uint32_t reserved;
    penstock_status (*open)(const penstock_connector *connector, const penstock_open_args *args,
                            penstock_destination **out_destination, penstock_error *out_error);   /* [any] */
    /* [serial] The host has closed every read and ended every session of it before. */
    void (*close)(penstock_destination *destination);
    penstock_status (*check)(penstock_destination *destination, penstock_text *out_report_json,
                             penstock_error *out_error);                                       /* [serial] */
    /* [serial] options_of: fields whose options are needed although they cost extra. */
    penstock_status (*fields)(penstock_destination *destination, penstock_str object,
                              const penstock_str *options_of, uint32_t n_options_of,
                              penstock_text *out_fields_json, penstock_error *out_error);
    /* [serial] Without asking the other side. */
    penstock_status (*limits)(penstock_destination *destination, penstock_text *out_limits_json,
                              penstock_error *out_error);
    /* [serial] As read of a source; the first column is "id", the others are the request's fields. */
    penstock_status (*read_back)(penstock_destination *destination, const penstock_read_back_request *request,
                                 penstock_read **out_read, struct ArrowArrayStream *out_stream,
                                 penstock_error *out_error);
    void (*read_cancel)(penstock_read *read);                            /* [cancel] */
    void (*read_error)(penstock_read *read, penstock_error *out_error);  /* [serial] */
    void (*read_close)(penstock_read *read);                             /* [serial] */
    /* [serial] Checks the columns: what cannot be written fails here and not row by row. Sends nothing. */
    penstock_status (*begin)(penstock_destination *destination, const penstock_write_request *request,
                             penstock_session **out_session, penstock_error *out_error);
    /* [serial] OK takes the batch over [moved]: each of its rows gets exactly one result. PENSTOCK_BUSY and every
     * other status leave it with the host. */
    penstock_status (*submit)(penstock_session *session, uint64_t batch_id, struct ArrowArray *batch,
                              penstock_error *out_error);
    /* [serial] Returns once every row taken over has its result. */
    penstock_status (*flush)(penstock_session *session, penstock_error *out_error);
    /* [cancel] Stops sending; what is on its way is awaited, the rest is reported NOT_TRIED. */
    void (*abort)(penstock_session *session);
    /* [serial] After flush or abort; every row has its result and on_results is not called any more once it
     * returns. */
    void (*end)(penstock_session *session);
    /* [serial] Optional, with PENSTOCK_CAP_PREPARE: makes sure there is a text field with this label, and returns
     * its key. */
    penstock_status (*prepare)(penstock_destination *destination, penstock_str object, penstock_str label,
                               penstock_text *out_key, penstock_error *out_error);
};

/* ---- the entry ------------------------------------------------------------------------------------------ */

/* The one exported symbol. [any] Pure and quick: no input or output, no threads; the same pointer every time. */
PENSTOCK_EXPORT const penstock_connector *penstock_connector_v1(void);

#ifdef __cplusplus
}
#endif

#endif /* PENSTOCK_H */
