// SPDX-License-Identifier: Apache-2.0
// discover.schema: describe says what read delivers
#define DESCRIBED_TYPE(column) ((column) == 0 ? "u" : formats[column])
#include "table_source.h"
