// SPDX-License-Identifier: Apache-2.0
//
// The floor of a FULL sync: a key and a digest of 128 bits per row, kept in a flat file of 32 bytes a row, and compared
// with what is kept there: by a table in memory, or by merging where both are sorted by the key.

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

struct known { uint64_t key, digest[2], remote; };

/* Two lanes of multiply and fold, 16 bytes at a time, over all mapped cells but the first, which is the key. */
static inline uint64_t fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static void digest_row(const struct cell *cells, int columns, uint64_t out[2]) {
    uint64_t a = 0x9E3779B97F4A7C15u, b = 0xD1342543DE82EF95u;
    for (int i = 1; i < columns && i < MAPPED; i++) {
        const unsigned char *p = cells[i].p;
        size_t n = cells[i].n;
        uint64_t words[2];
        a = fold(a ^ (p ? n : UINT64_MAX), 0xBF58476D1CE4E5B9u);
        for (; n >= 16; p += 16, n -= 16) {
            memcpy(words, p, 16);
            a = fold(words[0] ^ a, words[1] ^ 0xA0761D6478BD642Fu);
            b = fold(words[1] ^ b, words[0] ^ 0xE7037ED1A0B428DBu);
        }
        if (n == 0) continue;
        memset(words, 0, 16);
        memcpy(words, p, n);
        a = fold(words[0] ^ a, words[1] ^ 0xA0761D6478BD642Fu);
        b = fold(words[1] ^ b, words[0] ^ 0xE7037ED1A0B428DBu);
    }
    out[0] = a, out[1] = b;
}

static uint64_t key_of(struct cell cell, enum encoding encoding) {
    uint64_t key = 0;
    if (encoding == AS_TEXT) {
        for (size_t i = 0; i < cell.n; i++) key = key * 10 + (uint64_t)(cell.p[i] - '0');
        return key;
    }
    memcpy(&key, cell.p, 8);
    return __builtin_bswap64(key);
}

/* ---- the first sync ----------------------------------------------------------------------------------------- */

struct first {
    struct sink sink;
    int file;
    size_t waiting;
    struct known rows[4096];
};

static int write_out(struct first *first, int is_last) {
    size_t n = first->waiting * sizeof *first->rows;
    first->waiting = 0;
    if (write(first->file, first->rows, n) != (ssize_t)n) return complain("the state");
    /* On disk at the end, and every 65,536 rows. */
    if ((is_last || first->sink.rows % 65536 == 0) && fdatasync(first->file)) return complain("the state");
    return 0;
}

static int first_row(struct sink *sink, const struct cell *cells, int columns) {
    struct first *first = (struct first *)sink;
    struct known *row = &first->rows[first->waiting++];
    row->key = key_of(cells[0], sink->encoding);
    row->remote = sink->rows;
    digest_row(cells, columns, row->digest);
    return first->waiting == 4096 ? write_out(first, 0) : 0;
}

int command_first(const char *state, char **source) {
    static struct first first = {.sink = {.row = first_row}};
    first.file = open(state, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (first.file < 0) return complain(state);
    int failed = read_source(source, &first.sink);
    if (!failed) failed = write_out(&first, 1);
    close(first.file);
    if (!failed) printf("%llu rows\n", (unsigned long long)first.sink.rows);
    return failed;
}

/* ---- a table in memory -------------------------------------------------------------------------------------- */

struct slot { uint64_t key, digest[2]; };
struct diff {
    struct sink sink;
    struct slot *slots;
    uint64_t room, known, met, changed, created;
    FILE *file;
    struct known next;
    int has_next;
};

static uint64_t place(const struct diff *diff, uint64_t key) {
    return (uint64_t)(((unsigned __int128)(key * 0x9E3779B97F4A7C15u) * diff->room) >> 64);
}

static struct slot *slot_of(struct diff *diff, uint64_t key) {
    uint64_t at = place(diff, key);
    while (diff->slots[at].key && diff->slots[at].key != key) at = at + 1 == diff->room ? 0 : at + 1;
    return &diff->slots[at];
}

static int load_state(struct diff *diff, const char *path) {
    struct stat status;
    struct known row;
    diff->file = fopen(path, "r");
    if (!diff->file || fstat(fileno(diff->file), &status)) return complain(path);
    diff->known = (uint64_t)status.st_size / sizeof row;
    diff->room = diff->known + diff->known / 2 + 16;
    diff->slots = calloc(diff->room, sizeof *diff->slots);
    if (!diff->slots) return complain("the table");
    while (fread(&row, sizeof row, 1, diff->file) == 1) {
        struct slot *slot = slot_of(diff, row.key);
        slot->key = row.key;
        memcpy(slot->digest, row.digest, sizeof row.digest);
    }
    fclose(diff->file);
    return 0;
}

static int diff_row(struct sink *sink, const struct cell *cells, int columns) {
    struct diff *diff = (struct diff *)sink;
    uint64_t digest[2];
    struct slot *slot = slot_of(diff, key_of(cells[0], sink->encoding));
    digest_row(cells, columns, digest);
    if (!slot->key) diff->created++;
    else if (diff->met++, memcmp(slot->digest, digest, sizeof digest)) diff->changed++;
    return 0;
}

static int tell(const struct diff *diff) {
    printf("%llu rows, %llu created, %llu changed, %llu removed\n", (unsigned long long)diff->sink.rows,
           (unsigned long long)diff->created, (unsigned long long)diff->changed,
           (unsigned long long)(diff->known - diff->met));
    return 0;
}

int command_diff(const char *state, char **source) {
    struct diff diff = {.sink = {.row = diff_row}};
    int failed = load_state(&diff, state);
    if (!failed) failed = read_source(source, &diff.sink);
    return failed ? failed : tell(&diff);
}

/* ---- a merge ------------------------------------------------------------------------------------------------- */

static void step(struct diff *diff) {
    diff->has_next = fread(&diff->next, sizeof diff->next, 1, diff->file) == 1;
    diff->known += (uint64_t)diff->has_next;
}

static int merge_row(struct sink *sink, const struct cell *cells, int columns) {
    struct diff *diff = (struct diff *)sink;
    uint64_t digest[2], key = key_of(cells[0], sink->encoding);
    digest_row(cells, columns, digest);
    while (diff->has_next && diff->next.key < key) step(diff);
    if (!diff->has_next || diff->next.key != key) return diff->created++, 0;
    diff->met++;
    if (memcmp(diff->next.digest, digest, sizeof digest)) diff->changed++;
    step(diff);
    return 0;
}

int command_merge(const char *state, char **source) {
    struct diff diff = {.sink = {.row = merge_row}, .file = fopen(state, "r")};
    if (!diff.file) return complain(state);
    step(&diff);
    int failed = read_source(source, &diff.sink);
    while (diff.has_next) step(&diff);
    return failed ? failed : tell(&diff);
}
