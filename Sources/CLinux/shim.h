// SPDX-License-Identifier: Apache-2.0
// What Swift's Glibc module does not show of the kernel, and a digest of whole files that is fast in any build.
#include <fcntl.h>
#include <linux/stat.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// Fills in device, inode and time of birth of what `path` leads to; a file system without times of birth gives 0.
// Returns 0, or -1 with errno.
static inline int penstock_identity(const char *path, uint64_t numbers[4]) {
    struct statx status;
    memset(&status, 0, sizeof status);
    if (syscall(SYS_statx, AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &status) != 0) return -1;
    numbers[0] = ((uint64_t)status.stx_dev_major << 32) | status.stx_dev_minor;
    numbers[1] = status.stx_ino;
    numbers[2] = (uint64_t)status.stx_btime.tv_sec;
    numbers[3] = status.stx_btime.tv_nsec;
    return 0;
}

int mkostemp(char *path, int flags);

// Makes a file for this user alone, with a name in place of the six X at the end of `path`; no program that is started
// meanwhile inherits it. Returns its descriptor, or -1 with errno.
static inline int penstock_temporary_file(char *path) { return mkostemp(path, O_CLOEXEC); }

// The kind of file system that `path` lies on, or 0 where that cannot be told.
static inline uint64_t penstock_file_system(const char *path) {
    struct statfs status;
    return statfs(path, &status) == 0 ? (uint64_t)status.f_type & 0xffffffff : 0;
}

// Reads up to `count` bytes at `offset`; returns how many there were, 0 at the end, or -1 with errno.
typedef ssize_t (*penstock_reader)(void *file, void *bytes, size_t count, int64_t offset);

// Reads the file whose descriptor `file` points to.
static inline ssize_t penstock_read_descriptor(void *file, void *bytes, size_t count, int64_t offset) {
    return pread(*(const int *)file, bytes, count, (off_t)offset);
}

// Fills in 128 bits that change with every bit of a file; no defence against people who choose its bytes.
// Returns 0, or -1 with errno.
static inline int penstock_digest(penstock_reader reader, void *file, uint64_t digest[2]) {
    static const uint64_t odd = 0x9e3779b97f4a7c15;
    uint64_t lane[4] = {0x50656e73746f636b, 0x7374617465000001, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9};
    uint64_t words[4096], length = 0;
    for (;;) {
        memset(words, 0, sizeof words);
        ssize_t count = 0;
        // A block is filled to its end before it is mixed, so that the digest does not depend on short reads.
        while (count < (ssize_t)sizeof words) {
            ssize_t more = reader(file, (char *)words + count, sizeof words - (size_t)count, (int64_t)length + count);
            if (more < 0) return -1;
            if (more == 0) break;
            count += more;
        }
        if (count == 0) break;
        length += (uint64_t)count;
        for (int word = 0; word < 4096; word++) {
            uint64_t *place = &lane[word & 3];
            *place = (*place ^ words[word]) * odd;
            *place = (*place << 29) | (*place >> 35);
        }
    }
    for (int step = 0; step < 12; step++) {
        uint64_t *place = &lane[step & 3], next = lane[(step + 1) & 3];
        *place = (*place ^ (next >> 31) ^ length) * odd + next;
        *place ^= *place >> 29;
    }
    digest[0] = lane[0] ^ ((lane[1] << 32) | (lane[1] >> 32));
    digest[1] = lane[2] + ((lane[3] << 32) | (lane[3] >> 32));
    return 0;
}
