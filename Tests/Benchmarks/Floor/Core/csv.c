// SPDX-License-Identifier: Apache-2.0
//
// CSV by RFC 4180, one byte at a time: fields are cut where they lie, quoted ones are unescaped in place.

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floor.h"

enum { BUFFER = 1 << 20 };

/* A record from `start` on: where the next one starts, or NULL where its end is not in the buffer. An unquoted empty
 * field is NULL. */
static unsigned char *cut(unsigned char *start, unsigned char *end, struct cell *cells, int *columns) {
    unsigned char *p = start;
    for (int column = 0; column < COLUMNS_MAX; column++) {
        unsigned char *field = p, *to = p;
        if (p < end && *p == '"') {
            field = to = ++p;
            for (;;) {
                while (p < end && *p != '"') *to++ = *p++;
                if (p + 1 >= end) return NULL;
                if (p[1] != '"') break;
                *to++ = '"';
                p += 2;
            }
            p++;
            cells[column] = (struct cell){field, (size_t)(to - field)};
        } else {
            while (p < end && *p != ',' && *p != '\n') p++;
            if (p == end) return NULL;
            cells[column] = (struct cell){p == field ? NULL : field, (size_t)(p - field)};
        }
        *columns = column + 1;
        if (*p++ == '\n') return p;
    }
    return NULL;
}

/* Whether the record from `start` on ends in the buffer; looked at first, since cutting changes it. */
static int is_whole(const unsigned char *start, const unsigned char *end) {
    int quoted = 0;
    for (; start < end; start++) {
        if (*start == '"') quoted = !quoted;
        else if (*start == '\n' && !quoted) return 1;
    }
    return 0;
}

int read_csv(const char *path, struct sink *sink) {
    static unsigned char buffer[BUFFER];
    struct cell cells[COLUMNS_MAX];
    int columns, is_header = 1, file = open(path, O_RDONLY);
    size_t kept = 0;
    ssize_t count;
    if (file < 0) return complain(path);
    sink->encoding = AS_TEXT;
    while ((count = read(file, buffer + kept, BUFFER - kept)) > 0) {
        unsigned char *p = buffer, *end = buffer + kept + count;
        /* Only the last records of a buffer may be cut off: the others need no second look. */
        unsigned char *sure = end - buffer > 1 << 16 ? end - (1 << 16) : buffer;
        while (p < end && (p < sure || is_whole(p, end))) {
            p = cut(p, end, cells, &columns);
            if (!p) return refuse("%s: a record of more than 64 KiB", path);
            if (is_header) {
                is_header = 0;
                continue;
            }
            sink->rows++;
            if (sink->row(sink, cells, columns)) return 1;
        }
        kept = (size_t)(end - p);
        memmove(buffer, p, kept);
    }
    close(file);
    if (count < 0) return complain(path);
    return kept ? refuse("%s: the last record has no end", path) : 0;
}
