// SPDX-License-Identifier: Apache-2.0
//
// What the floors share: a source hands over rows as cells, a sink does the work. One thread, no more than the work.
#ifndef FLOOR_H
#define FLOOR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { COLUMNS_MAX = 64, MAPPED = 11 /* columns of the companies that are mapped: all but the last */ };

/* One value, borrowed until the sink returns; p NULL: NULL. */
struct cell {
    const unsigned char *p;
    size_t n;
};

/* How the cells of a source are written: as text, or as PostgreSQL's COPY binary has them. */
enum encoding { AS_TEXT, AS_COPY_BINARY };

/* What is done with each row; returns 0, or another value to stop. */
struct sink {
    int (*row)(struct sink *sink, const struct cell *cells, int columns);
    enum encoding encoding;
    uint64_t rows;
};

/* Reads everything that a connection and a query name into the sink; 0, or an exit code after it has said why not. */
typedef int (*read_fn)(const char *connection, const char *query, struct sink *sink);

/* The commands that work on rows, of `csv FILE` or `NAME CONNECTION QUERY`: each program knows one database, so that
 * none pays for the libraries of another. Returns the exit code. */
int floor_main(int count, char **words, const char *name, read_fn read);

/* What the commands use. */
int read_source(char **words, struct sink *sink);
int read_csv(const char *path, struct sink *sink);
int command_json(char **source);
int command_first(const char *state, char **source);
int command_diff(const char *state, char **source);
int command_merge(const char *state, char **source);

/* Says what failed, with errno, and returns 1. */
int complain(const char *what);
/* Says it, and returns 1. */
int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
