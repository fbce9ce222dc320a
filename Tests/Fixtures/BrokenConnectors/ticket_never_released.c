// SPDX-License-Identifier: Apache-2.0
// write.tickets: every ticket is given back exactly once
#define RELEASES (row != 1)
#include "memory_destination.h"
