// SPDX-License-Identifier: Apache-2.0
// Put before a connector in C with -include: makes its allocation number PENSTOCK_FAILING_ALLOCATION fail, or with
// PENSTOCK_FAILING_FROM every one from that number on, and says on standard error that it did.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fails(void) {
    static long count;
    const char *once = getenv("PENSTOCK_FAILING_ALLOCATION");
    const char *from = getenv("PENSTOCK_FAILING_FROM");
    count++;
    if (!(once && count == atol(once)) && !(from && count >= atol(from))) return 0;
    fprintf(stderr, "allocation %ld fails\n", count);
    return 1;
}

static inline void *failing_malloc(size_t size) { return fails() ? NULL : malloc(size); }
static inline void *failing_calloc(size_t count, size_t size) { return fails() ? NULL : calloc(count, size); }
static inline void *failing_realloc(void *old, size_t size) { return fails() ? NULL : realloc(old, size); }
static inline char *failing_strdup(const char *text) { return fails() ? NULL : strdup(text); }

#define malloc failing_malloc
#define calloc failing_calloc
#define realloc failing_realloc
#undef strdup
#define strdup failing_strdup
