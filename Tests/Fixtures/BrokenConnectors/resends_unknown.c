// SPDX-License-Identifier: Apache-2.0
// write.unknown: a create whose answer was lost is never sent again
#define OUTCOME(row) ((row) == 0 && s->in_flight_max == 1 && batch == 2 ? PENSTOCK_ROW_UNKNOWN : PENSTOCK_ROW_CREATED)
#define SENDS(row, status) ((status) == PENSTOCK_ROW_UNKNOWN ? 2 : 1)
#include "memory_destination.h"
