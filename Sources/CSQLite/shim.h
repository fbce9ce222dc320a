// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <sqlite3.h>
#include <stdint.h>
#include <sys/types.h>

// sqlite3_db_config is variadic, which Swift cannot call; this is its form for switches that are on (1) or off (0).
static inline int penstock_sqlite_switch(sqlite3 *db, int option, int on) {
    return sqlite3_db_config(db, option, on, (int *)0);
}

// Reads up to `count` bytes at `offset` of the main file of an open connection, `file`, by the descriptor that SQLite
// has: closing another one would drop the locks of this process. Returns how many there were, or -1 with errno.
static inline ssize_t penstock_sqlite_read(void *file, void *bytes, size_t count, int64_t offset) {
    sqlite3_file *open = 0;
    sqlite3_int64 size = 0;
    errno = EIO;
    if (sqlite3_file_control((sqlite3 *)file, "main", SQLITE_FCNTL_FILE_POINTER, &open) != SQLITE_OK || !open->pMethods ||
        open->pMethods->xFileSize(open, &size) != SQLITE_OK)
        return -1;
    if (offset >= size) return 0;
    if ((sqlite3_int64)count > size - offset) count = (size_t)(size - offset);
    return open->pMethods->xRead(open, bytes, (int)count, offset) == SQLITE_OK ? (ssize_t)count : -1;
}
