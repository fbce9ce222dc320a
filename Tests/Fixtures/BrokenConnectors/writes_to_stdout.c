// SPDX-License-Identifier: Apache-2.0
// process.output: nothing is written to standard output
#define ON_DESCRIBE printf("describing\n")
#include "table_source.h"
