// SPDX-License-Identifier: Apache-2.0
// A disk that can be looked at as it would be after a power loss: SQLite's own file system, with a log of everything
// that is written. Files outside of the watched folder pass through unseen. Functions may be called from any thread.
#ifndef CRASHDISK_H
#define CRASHDISK_H

#include <stdint.h>

// What is lost of the writes that no sync has covered.
enum {
    CRASHDISK_KEEP = 0,     // nothing: the process was killed, the machine went on
    CRASHDISK_DROP = 1,     // all of them
    CRASHDISK_SUBSET = 2,   // some of them, by chance
    CRASHDISK_TORN = 3,     // some of their 512-byte sectors, by chance
    CRASHDISK_REORDER = 4,  // some of them, and the rest arrived in another order
    CRASHDISK_MODES = 5,
};

// Makes the logging file system SQLite's default one; 0, or SQLite's error.
int crashdisk_install(void);

// Empties the log and watches the files whose paths begin with `prefix`; NULL watches nothing.
void crashdisk_watch(const char *prefix);

// Whether syncs of files whose names end with `suffix` do nothing, on a disk that promises what it does not keep;
// NULL for an honest disk.
void crashdisk_lie(const char *suffix);

// Notes that everything up to `number` was promised to be on disk.
void crashdisk_note(int64_t number);

// How many entries the log has: writes, truncations, syncs, removals, notes.
int crashdisk_length(void);

// Whether entry `position` is a sync.
int crashdisk_is_sync(int position);

// The last number noted before `position`.
int64_t crashdisk_noted(int position);

// Writes to `target` what the file `path` holds if the power goes before entry `position`.
// Returns 1, 0 where there is no such file then, -1 on an error.
int crashdisk_image(const char *path, int position, int mode, uint64_t seed, const char *target);

#endif
