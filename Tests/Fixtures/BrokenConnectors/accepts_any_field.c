// SPDX-License-Identifier: Apache-2.0
// write.begin: a field that cannot be written is refused by begin
#define UNKNOWN_FIELD(name) 0
#include "memory_destination.h"
