// SPDX-License-Identifier: Apache-2.0
// write.read-one: one record alone costs what read_one says
#define READ_COST(n_ids) ((void)(n_ids), 5)
#include "memory_destination.h"
