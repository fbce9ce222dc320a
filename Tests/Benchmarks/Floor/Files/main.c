// SPDX-License-Identifier: Apache-2.0
//
// CSV and SQLite files, the rows that are measured with, and the stopwatch.

#include <sqlite3.h>
#include <string.h>

#include "files.h"
#include "floor.h"

static int sqlite_failed(sqlite3 *database, const char *path) {
    return refuse("%s: %s", path, sqlite3_errmsg(database));
}

static int read_sqlite(const char *path, const char *query, struct sink *sink) {
    sqlite3 *database;
    sqlite3_stmt *statement;
    struct cell cells[COLUMNS_MAX];
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) return sqlite_failed(database, path);
    if (sqlite3_prepare_v2(database, query, -1, &statement, NULL) != SQLITE_OK) return sqlite_failed(database, path);
    int columns = sqlite3_column_count(statement), step;
    if (columns > COLUMNS_MAX) return refuse("more than %d columns", COLUMNS_MAX);
    sink->encoding = AS_TEXT;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < columns; i++) {
            cells[i].p = sqlite3_column_text(statement, i);
            cells[i].n = (size_t)sqlite3_column_bytes(statement, i);
        }
        sink->rows++;
        if (sink->row(sink, cells, columns)) return 1;
    }
    if (step != SQLITE_DONE) return sqlite_failed(database, path);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return 0;
}

int main(int count, char **words) {
    const char *command = count > 1 ? words[1] : "";
    if (count > 2 && strcmp(command, "companies") == 0) return command_companies(words + 2);
    if (count == 4 && strcmp(command, "load-sqlite") == 0) return command_load_sqlite(words[2], words[3]);
    if (count > 3 && strcmp(command, "time") == 0) return command_time(words[2], words + 3);
    return floor_main(count, words, "sqlite", read_sqlite);
}
