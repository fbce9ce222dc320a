// SPDX-License-Identifier: Apache-2.0
//
// A request body per row of the companies, as the API takes it: nine fields, five of them custom ones with codes of 40
// characters. Numbers, dates and texts come as COPY binary or as text.

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "floor.h"

enum { BODY_MAX = 1 << 20 };

struct body {
    struct sink sink;
    uint64_t bytes;
    int is_printed;
    unsigned char text[BODY_MAX];
};

static unsigned char *put(unsigned char *to, const char *text, size_t n) {
    memcpy(to, text, n);
    return to + n;
}

static unsigned char *put_integer(unsigned char *to, int64_t value) {
    unsigned char digits[24], *p = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do *--p = (unsigned char)('0' + rest % 10); while (rest /= 10);
    if (value < 0) *--p = '-';
    return put(to, (char *)p, (size_t)(digits + sizeof digits - p));
}

static unsigned char *put_text(unsigned char *to, struct cell cell) {
    static const char hex[] = "0123456789abcdef";
    *to++ = '"';
    for (size_t i = 0; i < cell.n; i++) {
        unsigned char c = cell.p[i];
        if (c >= 0x20 && c != '"' && c != '\\') *to++ = c;
        else if (c == '"' || c == '\\') *to++ = '\\', *to++ = c;
        else if (c == '\n') *to++ = '\\', *to++ = 'n';
        else to = put(to, "\\u00", 4), *to++ = (unsigned char)hex[c >> 4], *to++ = (unsigned char)hex[c & 15];
    }
    *to++ = '"';
    return to;
}

static int16_t half(const unsigned char *p) { return (int16_t)(p[0] << 8 | p[1]); }

/* numeric of COPY binary: digits of base 10,000, the place of the first one, sign, and decimals to show. */
static unsigned char *put_numeric(unsigned char *to, const unsigned char *p) {
    int digits = half(p), place = half(p + 2), decimals = half(p + 6);
    if ((uint16_t)half(p + 4) == 0x4000) *to++ = '-';
    int64_t whole = 0;
    for (int i = 0; i <= place; i++) whole = whole * 10000 + (i < digits ? half(p + 8 + 2 * i) : 0);
    to = put_integer(to, whole);
    if (decimals == 0) return to;
    *to++ = '.';
    for (int i = place + 1; decimals > 0; i++) {
        int part = i >= 0 && i < digits ? half(p + 8 + 2 * i) : 0;
        for (int unit = 1000; unit > 0 && decimals > 0; unit /= 10, decimals--) {
            *to++ = (unsigned char)('0' + part / unit % 10);
        }
    }
    return to;
}

/* Days since 2000-01-01 as YYYY-MM-DD. */
static unsigned char *put_date(unsigned char *to, int32_t days) {
    int64_t z = (int64_t)days + 10957 + 719468, era = z / 146097;
    int64_t doe = z - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int day = (int)(doy - (153 * mp + 2) / 5 + 1), month = (int)(mp < 10 ? mp + 3 : mp - 9);
    int year = (int)(yoe + era * 400 + (month <= 2));
    unsigned char text[12] = {'"', (unsigned char)('0' + year / 1000), (unsigned char)('0' + year / 100 % 10),
        (unsigned char)('0' + year / 10 % 10), (unsigned char)('0' + year % 10), '-', (unsigned char)('0' + month / 10),
        (unsigned char)('0' + month % 10), '-', (unsigned char)('0' + day / 10), (unsigned char)('0' + day % 10), '"'};
    return put(to, (char *)text, 12);
}

static int32_t word(const unsigned char *p) {
    uint32_t value;
    memcpy(&value, p, 4);
    return (int32_t)ntohl(value);
}

static unsigned char *put_value(unsigned char *to, struct cell cell, char kind, enum encoding encoding) {
    if (!cell.p) return put(to, "null", 4);
    if (kind == 't' || (encoding == AS_TEXT && kind == 'd')) return put_text(to, cell);
    if (encoding == AS_TEXT) return put(to, (const char *)cell.p, cell.n);
    if (kind == 'i') return put_integer(to, word(cell.p));
    if (kind == 'd') return put_date(to, word(cell.p));
    return put_numeric(to, cell.p);
}

/* Column, kind and what stands before the value. */
static const struct { int column; char kind; const char *before; } fields[] = {
    {2, 't', "{\"name\":"}, {3, 't', ",\"website\":"}, {4, 't', ",\"address\":{\"value\":"},
    {7, 'i', "},\"employee_count\":"},
    {1, 't', ",\"custom_fields\":{\"0f3c1a52b7d94e6f8a1c0d2e4b6f8a9c1d3e5f70\":"},
    {5, 't', ",\"1f3c1a52b7d94e6f8a1c0d2e4b6f8a9c1d3e5f71\":"},
    {6, 't', ",\"2f3c1a52b7d94e6f8a1c0d2e4b6f8a9c1d3e5f72\":"},
    {8, 'n', ",\"3f3c1a52b7d94e6f8a1c0d2e4b6f8a9c1d3e5f73\":"},
    {10, 'd', ",\"4f3c1a52b7d94e6f8a1c0d2e4b6f8a9c1d3e5f74\":"}};

static int body_row(struct sink *sink, const struct cell *cells, int columns) {
    struct body *body = (struct body *)sink;
    unsigned char *to = body->text;
    size_t room = 1024;
    for (int i = 0; i < columns; i++) room += 6 * cells[i].n;
    if (columns < MAPPED || room > BODY_MAX) return refuse("these are not the companies");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        to = put(to, fields[i].before, strlen(fields[i].before));
        to = put_value(to, cells[fields[i].column], fields[i].kind, sink->encoding);
    }
    to = put(to, "}}\n", 3);
    body->bytes += (uint64_t)(to - body->text);
    if (body->is_printed) fwrite(body->text, (size_t)(to - body->text), 1, stdout);
    return 0;
}

int command_json(char **source) {
    static struct body body = {.sink = {.row = body_row}};
    /* For tests: the bodies themselves. */
    body.is_printed = getenv("FLOOR_PRINT") != NULL;
    int failed = read_source(source, &body.sink);
    if (!failed) fprintf(stderr, "%llu rows, %llu bytes\n", (unsigned long long)body.sink.rows,
                         (unsigned long long)body.bytes);
    return failed;
}
