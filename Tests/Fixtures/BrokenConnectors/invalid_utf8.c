// SPDX-License-Identifier: Apache-2.0
// arrow.values: texts are UTF-8
#define NAME_OF(row) ((row) == 4 ? "D\xf6rte" : names[row])
#include "table_source.h"
