// SPDX-License-Identifier: Apache-2.0
// load.quiet: the entry starts no thread
#include <pthread.h>
#include <unistd.h>

static void *sleeping(void *nothing) {
    for (;;) sleep(60);
    return nothing;
}

#define ON_ENTRY \
    do { \
        static int started; \
        pthread_t thread; \
        if (!started++) pthread_create(&thread, NULL, sleeping, NULL); \
    } while (0)
#include "table_source.h"
