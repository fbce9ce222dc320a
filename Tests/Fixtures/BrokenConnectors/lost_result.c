// SPDX-License-Identifier: Apache-2.0
// write.every-row: every row has a result when flush returns
#define REPORTS(row) ((row) == 1 && code == PENSTOCK_OK && s->mode == PENSTOCK_WRITE_CREATE ? 0 : 1)
#include "memory_destination.h"
