// SPDX-License-Identifier: Apache-2.0
//
// Companies to measure with, the same for the same number every time: bigint, five texts with quotes, line ends and
// NULLs, a segment, int, numeric(14,2), bool, date, timestamp with time zone; about 179 bytes a row as CSV.

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "floor.h"

static const char *const words[] = {
    "Nordic",  "Harbour", "Quartz",  "Lumen",  "Atlas", "Copper",  "Meridian", "Silent", "Rapid",   "Alpine", "Coastal",
    "Ember",   "Granite", "Hollow",  "Iron",   "Juniper", "Kestrel", "Larch",  "Maple",  "Nimbus",  "Orchard",
    "Prairie", "Quarry",  "Ridge",   "Summit", "Timber", "Umber",   "Valley",  "Willow", "Zephyr",  "Café",
    "Österberg"};
static const char *const forms[] = {"GmbH", "AB", "Ltd, London", "Sons", "SpA", "\"\"Best\"\" Oy"};
static const char *const notes[] = {
    "Calls their product \"\"the box\"\".", "Two sites.\nSecond one in the port.", "Pays late, but pays.",
    "Said: \"\"no mail before 10\"\", twice.\nThen: \"\"call\"\".",
    "Renewal in spring; ask for the new contact, please."};
static const char *const segments[] = {"SMB", "Mid", "Enterprise"};

static uint64_t state;

/* splitmix64, and a number below `limit`. */
static uint64_t below(uint64_t limit) {
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (uint64_t)(((unsigned __int128)z * limit) >> 64);
}

#define ONE_OF(list) list[below(sizeof list / sizeof *list)]

static void put_row(FILE *out, uint64_t id, int is_changed) {
    state = id * 0xD1342543DE82EF95u;
    fprintf(out, "%llu,C-%08llu,\"%s", (unsigned long long)id, (unsigned long long)id, ONE_OF(words));
    fprintf(out, " %s", ONE_OF(words));
    fprintf(out, " %s\",", ONE_OF(forms));
    if (below(10)) fprintf(out, "https://www.%s-%llu.example", segments[below(3)], (unsigned long long)id);
    fputc(',', out);
    if (below(5)) fprintf(out, "\"%d %s Street, ", (int)below(199) + 1, ONE_OF(words)),
        fprintf(out, "%05d %s\"", (int)below(90000) + 10000, ONE_OF(words));
    fputc(',', out);
    if (below(5) > 1) fprintf(out, "\"%s\"", ONE_OF(notes));
    fprintf(out, ",%s,", ONE_OF(segments));
    if (below(10)) fprintf(out, "%d", (int)below(90000) + 1);
    /* The change is in a column that is mapped. */
    fprintf(out, ",%d.%02d", (int)below(1000000) + is_changed, (int)below(100));
    fprintf(out, ",%s,%d-", below(2) ? "true" : "false", (int)below(36) + 1990);
    fprintf(out, "%02d-%02d,2025-", (int)below(12) + 1, (int)below(28) + 1);
    fprintf(out, "%02d-%02d ", (int)below(12) + 1, (int)below(28) + 1);
    fprintf(out, "%02d:%02d:", (int)below(24), (int)below(60));
    fprintf(out, "%02d+00:00\n", (int)below(60));
}

int command_companies(char **arguments) {
    uint64_t rows = strtoull(arguments[0], NULL, 10);
    uint64_t every = arguments[1] ? strtoull(arguments[1], NULL, 10) : 0;
    static char buffer[1 << 18];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    puts("id,customer_key,name,website,address,notes,segment,employees,arr_eur,is_active,customer_since,updated_at");
    for (uint64_t id = 1; id <= rows; id++) put_row(stdout, id, every && id % every == 0);
    return fflush(stdout) || ferror(stdout) ? complain("standard output") : 0;
}

struct load {
    struct sink sink;
    sqlite3 *database;
    sqlite3_stmt *insert;
};

static int load_row(struct sink *sink, const struct cell *cells, int columns) {
    struct load *load = (struct load *)sink;
    for (int i = 0; i < columns; i++) {
        const char *text = (const char *)cells[i].p;
        int n = (int)cells[i].n;
        /* The columns' affinity makes numbers of the texts of numbers; a bool is an integer. */
        if (text && i == 9) sqlite3_bind_int(load->insert, i + 1, *text == 't');
        else if (text && i == 11) sqlite3_bind_text(load->insert, i + 1, text, 19, SQLITE_STATIC);
        else if (text) sqlite3_bind_text(load->insert, i + 1, text, n, SQLITE_STATIC);
        else sqlite3_bind_null(load->insert, i + 1);
    }
    sqlite3_step(load->insert);
    return sqlite3_reset(load->insert) == SQLITE_OK ? 0 : refuse("%s", sqlite3_errmsg(load->database));
}

int command_load_sqlite(const char *csv, const char *path) {
    struct load load = {.sink = {.row = load_row}};
    static const char table[] =
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
        "CREATE TABLE companies (id INTEGER PRIMARY KEY, customer_key TEXT, name TEXT NOT NULL, website TEXT,"
        " address TEXT, notes TEXT, segment TEXT, employees INTEGER, arr_eur DECIMAL(14,2), is_active BOOLEAN,"
        " customer_since DATE, updated_at TIMESTAMP); BEGIN";
    if (sqlite3_open(path, &load.database) != SQLITE_OK ||
        sqlite3_exec(load.database, table, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(load.database, "INSERT INTO companies VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", -1, &load.insert,
                           NULL) != SQLITE_OK) {
        return refuse("%s: %s", path, sqlite3_errmsg(load.database));
    }
    int failed = read_csv(csv, &load.sink);
    sqlite3_finalize(load.insert);
    if (!failed && sqlite3_exec(load.database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        failed = refuse("%s: %s", path, sqlite3_errmsg(load.database));
    }
    sqlite3_close(load.database);
    return failed;
}
