// SPDX-License-Identifier: Apache-2.0

/// Tells ThreadSanitizer of the locks it cannot see.
///
/// `Mutex` of Swift's Synchronization is compiled into its users where nobody waits, and TSan sees that; but where
/// somebody waits, lock and unlock are calls into a library without TSan, so that what they order looks like a race. This
/// library, preloaded, stands before the two calls. It is for the runs of `make test-tsan` alone.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

// Of the program where it was built with TSan, else null: other programs are started with this library too.
void __tsan_acquire(void *address) __attribute__((weak));
void __tsan_release(void *address) __attribute__((weak));

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFTCALL __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *

typedef SWIFTCALL void lock_function(uint32_t thread, SELF self);
typedef SWIFTCALL void unlock_function(SELF self);

SWIFTCALL void lock_slow(uint32_t thread, SELF self) __asm__(LOCK);
SWIFTCALL void unlock_slow(SELF self) __asm__(UNLOCK);

static void *next(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (!function) abort();
    return function;
}

SWIFTCALL void lock_slow(uint32_t thread, SELF self) {
    ((lock_function *)next(LOCK))(thread, self);
    if (__tsan_acquire) __tsan_acquire(self);
}

SWIFTCALL void unlock_slow(SELF self) {
    if (__tsan_release) __tsan_release(self);
    ((unlock_function *)next(UNLOCK))(self);
}
