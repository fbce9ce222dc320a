// SPDX-License-Identifier: Apache-2.0
//
// Rows of PostgreSQL by COPY binary, as libpq hands them over.

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "floor.h"

/* The cells of one row of COPY binary; the number of them, -1 at the trailer. */
static int copy_cells(const char *row, struct cell *cells) {
    uint16_t count;
    memcpy(&count, row, 2);
    int columns = (int16_t)ntohs(count);
    const unsigned char *p = (const unsigned char *)row + 2;
    for (int i = 0; i < columns; i++) {
        uint32_t word;
        memcpy(&word, p, 4);
        int32_t length = (int32_t)ntohl(word);
        p += 4;
        cells[i] = (struct cell){length < 0 ? NULL : p, length < 0 ? 0 : (size_t)length};
        if (length > 0) p += length;
    }
    return columns;
}

static int read_postgres(const char *conninfo, const char *query, struct sink *sink) {
    struct cell cells[COLUMNS_MAX];
    PGconn *connection = PQconnectdb(conninfo);
    if (PQstatus(connection) != CONNECTION_OK) return refuse("%s", PQerrorMessage(connection));
    size_t room = strlen(query) + 64;
    char *sql = malloc(room);
    snprintf(sql, room, "COPY (%s) TO STDOUT (FORMAT binary)", query);
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COPY_OUT) return refuse("%s", PQerrorMessage(connection));
    if (PQnfields(result) > COLUMNS_MAX) return refuse("more than %d columns", COLUMNS_MAX);
    PQclear(result);
    char *row;
    int length, skip = 19; /* the header stands before the first row */
    sink->encoding = AS_COPY_BINARY;
    while ((length = PQgetCopyData(connection, &row, 0)) > 0) {
        int columns = copy_cells(row + skip, cells);
        skip = 0;
        if (columns >= 0) {
            sink->rows++;
            if (sink->row(sink, cells, columns)) return 1;
        }
        PQfreemem(row);
    }
    result = PQgetResult(connection);
    if (length != -1 || PQresultStatus(result) != PGRES_COMMAND_OK) return refuse("%s", PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
    free(sql);
    return 0;
}

int main(int count, char **words) { return floor_main(count, words, "postgres", read_postgres); }
