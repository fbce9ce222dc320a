// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>

// sqlite3_db_config is variadic, which Swift cannot call; this is its form for switches that are on (1) or off (0).
static inline int penstock_sqlite_switch(sqlite3 *db, int option, int on) {
    return sqlite3_db_config(db, option, on, (int *)0);
}
