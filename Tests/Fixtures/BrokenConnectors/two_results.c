// SPDX-License-Identifier: Apache-2.0
// write.once: a row has exactly one result
#define REPORTS(row) ((row) == 1 ? 2 : 1)
#include "memory_destination.h"
