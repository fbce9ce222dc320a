// SPDX-License-Identifier: Apache-2.0
// write.leave: no row is sent without a ticket
#define ACQUIRES(row) ((row) != 1)
#include "memory_destination.h"
