// SPDX-License-Identifier: Apache-2.0
#include "crashdisk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { WRITE, TRUNCATE, SYNC, REMOVE, NOTE };

struct entry {
    enum kind kind;
    char *path;
    int64_t offset;  // of a write; the size of a truncation; the number of a note; whether a removal is on disk
    int size;
    unsigned char *bytes;
};

struct file {
    sqlite3_file base;
    char *path;  // NULL where the file is not watched
    sqlite3_file *real;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries;
static int length, room;
static char *watched, *lie;
static sqlite3_vfs *below, above;
static sqlite3_io_methods methods;

static int ends_with(const char *text, const char *end) {
    size_t count = strlen(text), tail = strlen(end);
    return count >= tail && strcmp(text + count - tail, end) == 0;
}

static void add(enum kind kind, const char *path, int64_t offset, const void *bytes, int size) {
    pthread_mutex_lock(&lock);
    if (length == room) entries = realloc(entries, sizeof *entries * (size_t)(room = room ? room * 2 : 1024));
    struct entry *entry = &entries[length++];
    *entry = (struct entry){kind, path ? strdup(path) : NULL, offset, size, NULL};
    if (bytes) entry->bytes = memcpy(malloc((size_t)size + 1), bytes, (size_t)size);
    pthread_mutex_unlock(&lock);
}

// The methods of a file: each passes through to the real one.

#define REAL(f) (((struct file *)(f))->real)
#define PASS(f, method, ...) REAL(f)->pMethods->method(REAL(f), ##__VA_ARGS__)

static int close_file(sqlite3_file *f) {
    int code = PASS(f, xClose);
    free(((struct file *)f)->path);
    sqlite3_free(REAL(f));
    return code;
}
static int read_file(sqlite3_file *f, void *b, int n, sqlite3_int64 o) { return PASS(f, xRead, b, n, o); }
static int write_file(sqlite3_file *f, const void *bytes, int size, sqlite3_int64 offset) {
    const char *path = ((struct file *)f)->path;
    int code = PASS(f, xWrite, bytes, size, offset);
    if (code == SQLITE_OK && path) add(WRITE, path, offset, bytes, size);
    return code;
}
static int truncate_file(sqlite3_file *f, sqlite3_int64 size) {
    const char *path = ((struct file *)f)->path;
    int code = PASS(f, xTruncate, size);
    if (code == SQLITE_OK && path) add(TRUNCATE, path, size, NULL, 0);
    return code;
}
static int sync_file(sqlite3_file *f, int flags) {
    const char *path = ((struct file *)f)->path;
    int code = PASS(f, xSync, flags);
    if (code == SQLITE_OK && path && !(lie && ends_with(path, lie))) add(SYNC, path, 0, NULL, 0);
    return code;
}
static int file_size(sqlite3_file *f, sqlite3_int64 *size) { return PASS(f, xFileSize, size); }
static int lock_file(sqlite3_file *f, int level) { return PASS(f, xLock, level); }
static int unlock_file(sqlite3_file *f, int level) { return PASS(f, xUnlock, level); }
static int is_reserved(sqlite3_file *f, int *is) { return PASS(f, xCheckReservedLock, is); }
static int control(sqlite3_file *f, int op, void *value) { return PASS(f, xFileControl, op, value); }
static int sector_size(sqlite3_file *f) { return PASS(f, xSectorSize); }
static int characteristics(sqlite3_file *f) { return PASS(f, xDeviceCharacteristics); }
static int shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return PASS(f, xShmMap, page, size, extend, out);
}
static int shm_lock(sqlite3_file *f, int offset, int n, int flags) { return PASS(f, xShmLock, offset, n, flags); }
static void shm_barrier(sqlite3_file *f) { PASS(f, xShmBarrier); }
static int shm_unmap(sqlite3_file *f, int removes) { return PASS(f, xShmUnmap, removes); }

// The methods of the file system.

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out) {
    (void)vfs;
    struct file *file = (struct file *)f;
    memset(file, 0, sizeof *file);
    file->real = sqlite3_malloc(below->szOsFile);
    if (!file->real) return SQLITE_NOMEM;
    memset(file->real, 0, (size_t)below->szOsFile);
    int code = below->xOpen(below, name, file->real, flags, out);
    if (code != SQLITE_OK) {
        sqlite3_free(file->real);
        return code;
    }
    pthread_mutex_lock(&lock);
    if (name && watched && strncmp(name, watched, strlen(watched)) == 0) file->path = strdup(name);
    pthread_mutex_unlock(&lock);
    f->pMethods = &methods;
    return SQLITE_OK;
}

static int remove_file(sqlite3_vfs *vfs, const char *name, int syncs) {
    (void)vfs;
    int code = below->xDelete(below, name, syncs);
    pthread_mutex_lock(&lock);
    int isWatched = watched && strncmp(name, watched, strlen(watched)) == 0;
    pthread_mutex_unlock(&lock);
    if (code == SQLITE_OK && isWatched) add(REMOVE, name, syncs != 0, NULL, 0);
    return code;
}

int crashdisk_install(void) {
    if (below) return SQLITE_OK;
    below = sqlite3_vfs_find(NULL);
    methods = (sqlite3_io_methods){
        2, close_file, read_file, write_file, truncate_file, sync_file, file_size, lock_file, unlock_file, is_reserved,
        control, sector_size, characteristics, shm_map, shm_lock, shm_barrier, shm_unmap, NULL, NULL,
    };
    above = *below;
    above.zName = "crashdisk";
    above.szOsFile = sizeof(struct file);
    above.xOpen = open_file;
    above.xDelete = remove_file;
    return sqlite3_vfs_register(&above, 1);
}

void crashdisk_watch(const char *prefix) {
    pthread_mutex_lock(&lock);
    for (int place = 0; place < length; place++) {
        free(entries[place].path);
        free(entries[place].bytes);
    }
    length = 0;
    free(watched);
    watched = prefix ? strdup(prefix) : NULL;
    pthread_mutex_unlock(&lock);
}

void crashdisk_lie(const char *suffix) {
    free(lie);
    lie = suffix ? strdup(suffix) : NULL;
}

void crashdisk_note(int64_t number) { add(NOTE, NULL, number, NULL, 0); }

int crashdisk_length(void) { return length; }

int crashdisk_is_sync(int position) { return entries[position].kind == SYNC; }

int64_t crashdisk_noted(int position) {
    int64_t number = 0;
    for (int place = 0; place < position; place++) {
        if (entries[place].kind == NOTE) number = entries[place].offset;
    }
    return number;
}

// Images.

struct image {
    unsigned char *bytes;
    int64_t size, room;
    int exists;
};

static uint64_t chance(uint64_t *seed) {
    *seed += 0x9e3779b97f4a7c15;
    uint64_t mixed = (*seed ^ (*seed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

static void resize(struct image *image, int64_t size) {
    if (size > image->room) {
        image->bytes = realloc(image->bytes, (size_t)size * 2);
        image->room = size * 2;
    }
    if (size > image->size) memset(image->bytes + image->size, 0, (size_t)(size - image->size));
    image->size = size;
}

// Applies one entry; of a write, only the sectors that `torn` leaves.
static void apply(struct image *image, const struct entry *entry, uint64_t *torn) {
    image->exists = entry->kind != REMOVE;
    if (entry->kind == REMOVE) resize(image, 0);
    if (entry->kind == TRUNCATE) resize(image, entry->offset);
    if (entry->kind != WRITE) return;
    if (entry->offset + entry->size > image->size) resize(image, entry->offset + entry->size);
    for (int start = 0; start < entry->size;) {
        // Sectors of the disk, not of the write.
        int count = 512 - (int)((entry->offset + start) % 512);
        if (count > entry->size - start) count = entry->size - start;
        if (!torn || chance(torn) & 1) memcpy(image->bytes + entry->offset + start, entry->bytes + start, (size_t)count);
        start += count;
    }
}

int crashdisk_image(const char *path, int position, int mode, uint64_t seed, const char *target) {
    struct image image = {0};
    int *loose = malloc(sizeof *loose * (size_t)(position + 1)), count = 0;
    for (int place = 0; place < position; place++) {
        const struct entry *entry = &entries[place];
        if (!entry->path || strcmp(entry->path, path) != 0) continue;
        if (entry->kind == SYNC || (entry->kind == REMOVE && entry->offset)) {
            for (int index = 0; index < count; index++) apply(&image, &entries[loose[index]], NULL);
            count = 0;
            if (entry->kind == REMOVE) apply(&image, entry, NULL);
        } else {
            loose[count++] = place;
        }
    }
    if (mode == CRASHDISK_REORDER) {
        for (int index = count - 1; index > 0; index--) {
            int other = (int)(chance(&seed) % (uint64_t)(index + 1)), kept = loose[index];
            loose[index] = loose[other];
            loose[other] = kept;
        }
    }
    for (int index = 0; index < count; index++) {
        int isKept = mode == CRASHDISK_KEEP || mode == CRASHDISK_TORN || (mode != CRASHDISK_DROP && chance(&seed) & 1);
        if (isKept) apply(&image, &entries[loose[index]], mode == CRASHDISK_TORN ? &seed : NULL);
    }
    int result = image.exists;
    if (image.exists) {
        FILE *file = fopen(target, "wb");
        if (!file || fwrite(image.bytes, 1, (size_t)image.size, file) != (size_t)image.size) result = -1;
        if (file && fclose(file) != 0) result = -1;
    }
    free(image.bytes);
    free(loose);
    return result;
}
