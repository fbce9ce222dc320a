// SPDX-License-Identifier: Apache-2.0
//
// What the work costs at the least: single-threaded commands that do nothing but the work.

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "floor.h"

static const char usage[] =
    "usage: %s COMMAND\n"
    "  read SOURCE             touch every cell\n"
    "  json SOURCE             a JSON body per row, in a buffer\n"
    "  first STATE SOURCE      a digest per row, written durably\n"
    "  diff STATE SOURCE       compare with that: a table in memory\n"
    "  merge STATE SOURCE      compare with that: both sorted by the first column\n"
    "SOURCE: csv FILE | %s CONNECTION QUERY\n";

/* The database that this program knows. */
static const char *database;
static read_fn read_database;

int complain(const char *what) { return refuse("%s: %s", what, strerror(errno)); }

int refuse(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("floor: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return 1;
}

int read_source(char **words, struct sink *sink) {
    int count = 0;
    while (words[count]) count++;
    if (count == 2 && strcmp(words[0], "csv") == 0) return read_csv(words[1], sink);
    if (count == 3 && strcmp(words[0], database) == 0) return read_database(words[1], words[2], sink);
    return refuse("the source is csv FILE, or %s CONNECTION QUERY", database);
}

struct touch {
    struct sink sink;
    uint64_t cells, bytes;
};

static int touch_row(struct sink *sink, const struct cell *cells, int columns) {
    struct touch *touch = (struct touch *)sink;
    for (int i = 0; i < columns; i++) {
        if (!cells[i].p) continue;
        touch->cells++;
        touch->bytes += cells[i].n;
    }
    return 0;
}

static int command_read(char **source) {
    struct touch touch = {.sink = {.row = touch_row}};
    int failed = read_source(source, &touch.sink);
    if (failed) return failed;
    printf("%llu rows, %llu values, %llu bytes\n", (unsigned long long)touch.sink.rows,
           (unsigned long long)touch.cells, (unsigned long long)touch.bytes);
    return 0;
}

int floor_main(int count, char **words, const char *name, read_fn read) {
    const char *command = count > 1 ? words[1] : "";
    database = name, read_database = read;
    if (count > 2 && strcmp(command, "read") == 0) return command_read(words + 2);
    if (count > 2 && strcmp(command, "json") == 0) return command_json(words + 2);
    if (count > 3 && strcmp(command, "first") == 0) return command_first(words[2], words + 3);
    if (count > 3 && strcmp(command, "diff") == 0) return command_diff(words[2], words + 3);
    if (count > 3 && strcmp(command, "merge") == 0) return command_merge(words[2], words + 3);
    fprintf(stderr, usage, words[0], name);
    return 64;
}
