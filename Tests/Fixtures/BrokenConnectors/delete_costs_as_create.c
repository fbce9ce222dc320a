// SPDX-License-Identifier: Apache-2.0
// write.costs: a write asks for what the object says that it costs
#define COST(session) ((void)(session), 3)
#include "memory_destination.h"
