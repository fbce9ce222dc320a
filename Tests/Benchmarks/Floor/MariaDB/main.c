// SPDX-License-Identifier: Apache-2.0
//
// Rows of MariaDB, unbuffered, as its client library hands them over.

#include <mysql.h>

#include "floor.h"

static int read_mariadb(const char *socket, const char *query, struct sink *sink) {
    struct cell cells[COLUMNS_MAX];
    MYSQL *connection = mysql_init(NULL);
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(connection, NULL, "root", NULL, "bench", 0, socket, 0) ||
        mysql_query(connection, query)) {
        return refuse("%s", mysql_error(connection));
    }
    MYSQL_RES *result = mysql_use_result(connection);
    if (!result) return refuse("%s", mysql_error(connection));
    int columns = (int)mysql_num_fields(result);
    if (columns > COLUMNS_MAX) return refuse("more than %d columns", COLUMNS_MAX);
    MYSQL_ROW row;
    sink->encoding = AS_TEXT;
    while ((row = mysql_fetch_row(result))) {
        unsigned long *lengths = mysql_fetch_lengths(result);
        for (int i = 0; i < columns; i++) cells[i] = (struct cell){(const unsigned char *)row[i], lengths[i]};
        sink->rows++;
        if (sink->row(sink, cells, columns)) return 1;
    }
    if (mysql_errno(connection)) return refuse("%s", mysql_error(connection));
    mysql_free_result(result);
    mysql_close(connection);
    return 0;
}

int main(int count, char **words) { return floor_main(count, words, "mariadb", read_mariadb); }
