// SPDX-License-Identifier: Apache-2.0
// read.stream: get_next returns
#define ON_NEXT \
    for (;;) sleep(60)
#include "table_source.h"
