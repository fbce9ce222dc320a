// SPDX-License-Identifier: Apache-2.0
// load.exports: the library exports one symbol, the entry
#include "table_source.h"

PENSTOCK_EXPORT int helper(void) { return 1; }
