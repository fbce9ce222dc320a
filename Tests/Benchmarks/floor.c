// SPDX-License-Identifier: Apache-2.0
//
// What the work costs at the least: single-threaded programs that do nothing but the work, and a stopwatch that is
// small enough not to show in what it measures.
//
//   floor csv FILE            cut the file into fields by RFC 4180, one byte at a time
//   floor sqlite FILE TABLE   step through all rows and touch every column
//   floor time OUT COMMAND…   run the command; append its wall time, CPU time and peak memory to OUT as JSON

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum state { FIELD_START, UNQUOTED, QUOTED, QUOTE_SEEN };

struct scan {
    enum state state;
    uint64_t fields;
    uint64_t records;
    uint64_t bytes;
};

static int complain(const char *what) {
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    return 1;
}

static void scan_bytes(struct scan *scan, const unsigned char *bytes, size_t count) {
    enum state state = scan->state;
    for (size_t index = 0; index < count; index++) {
        unsigned char byte = bytes[index];
        if (state == QUOTED) {
            if (byte == '"') state = QUOTE_SEEN; else scan->bytes++;
        } else if (byte == ',' || byte == '\n') {
            scan->fields++;
            if (byte == '\n') scan->records++;
            state = FIELD_START;
        } else if (byte == '"' && state == FIELD_START) {
            state = QUOTED;
        } else if (byte == '"' && state == QUOTE_SEEN) {
            scan->bytes++;
            state = QUOTED;
        } else if (byte != '\r') {
            scan->bytes++;
            state = UNQUOTED;
        }
    }
    scan->state = state;
}

static int scan_csv(const char *path) {
    static unsigned char buffer[1 << 18];
    struct scan scan = {FIELD_START, 0, 0, 0};
    int file = open(path, O_RDONLY);
    if (file < 0) return complain(path);
    ssize_t count;
    while ((count = read(file, buffer, sizeof buffer)) > 0) scan_bytes(&scan, buffer, (size_t)count);
    if (count < 0) return complain(path);
    close(file);
    printf("%llu records, %llu fields, %llu bytes\n", (unsigned long long)scan.records,
           (unsigned long long)scan.fields, (unsigned long long)scan.bytes);
    return 0;
}

static int step_sqlite(const char *path, const char *table) {
    sqlite3 *database;
    sqlite3_stmt *statement;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) return complain(path);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "floor: %s\n", sqlite3_errmsg(database));
        return 1;
    }
    int columns = sqlite3_column_count(statement);
    uint64_t rows = 0, bytes = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        rows++;
        for (int column = 0; column < columns; column++) {
            switch (sqlite3_column_type(statement, column)) {
            case SQLITE_NULL: break;
            case SQLITE_INTEGER: bytes += (uint64_t)sqlite3_column_int64(statement, column) & 1; break;
            case SQLITE_FLOAT: bytes += sqlite3_column_double(statement, column) != 0; break;
            default:
                if (sqlite3_column_text(statement, column)) bytes += (uint64_t)sqlite3_column_bytes(statement, column);
            }
        }
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    sqlite3_free(sql);
    printf("%llu rows, %llu\n", (unsigned long long)rows, (unsigned long long)bytes);
    return 0;
}

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

static int time_command(const char *out, char **command) {
    struct timespec start, end;
    struct rusage usage;
    int status;
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid_t child = fork();
    if (child < 0) return complain("fork");
    if (child == 0) {
        execvp(command[0], command);
        _exit(complain(command[0]));
    }
    while (wait4(child, &status, 0, &usage) < 0) {
        if (errno != EINTR) return complain("wait4");
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    FILE *file = fopen(out, "a");
    if (!file) return complain(out);
    fprintf(file, "{\"wall\": %.6f, \"user\": %.6f, \"system\": %.6f, \"rss_kib\": %ld, \"exit\": %d}\n",
            (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
            seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int count, char **words) {
    if (count == 3 && strcmp(words[1], "csv") == 0) return scan_csv(words[2]);
    if (count == 4 && strcmp(words[1], "sqlite") == 0) return step_sqlite(words[2], words[3]);
    if (count > 3 && strcmp(words[1], "time") == 0) return time_command(words[2], words + 3);
    fprintf(stderr, "usage: floor csv FILE | sqlite FILE TABLE | time OUT COMMAND...\n");
    return 64;
}
