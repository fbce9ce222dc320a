// SPDX-License-Identifier: Apache-2.0
// descriptor.capabilities: a capability needs its table
#define SOURCE_TABLE NULL
#include "table_source.h"
