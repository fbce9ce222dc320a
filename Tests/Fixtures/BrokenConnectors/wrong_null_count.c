// SPDX-License-Identifier: Apache-2.0
// arrow.nulls: a stated count of NULLs is true
#define NULLS_STATED(nulls) ((nulls) + 1)
#include "table_source.h"
