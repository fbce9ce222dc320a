// SPDX-License-Identifier: Apache-2.0
// read.abandon: a read that is given up ends within a second
#define FREE_READ(read) \
    do { \
        if ((read)->next < (read)->n_rows && (read)->n_rows == ROWS) usleep(1100000); \
        free(read); \
    } while (0)
#include "table_source.h"
