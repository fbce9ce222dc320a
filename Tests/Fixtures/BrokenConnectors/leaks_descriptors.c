// SPDX-License-Identifier: Apache-2.0
// process.leaks: nothing is left when a connection is closed
#define ON_OPEN (void)dup(0)
#include "table_source.h"
