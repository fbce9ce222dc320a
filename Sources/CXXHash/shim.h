// SPDX-License-Identifier: Apache-2.0
// The system's xxHash, compiled into what calls it: the header is all of it, and nothing is linked.
#define XXH_INLINE_ALL
// Swift does not tell C that it optimises, and without that word the header asks for no inlining.
#define XXH_NO_INLINE_HINTS 0
#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>

typedef struct {
    uint64_t low, high;
} penstock_fingerprint;

// XXH3 with 128 bits and the seed 0, the same number on every machine. Reads `count` bytes; none may be at NULL.
static inline penstock_fingerprint penstock_xxh3(const void *bytes, size_t count) {
    XXH128_hash_t digest = XXH3_128bits(bytes, count);
    return (penstock_fingerprint){digest.low64, digest.high64};
}
