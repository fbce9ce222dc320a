// SPDX-License-Identifier: Apache-2.0
// read.batch-rows: a batch has at most batch_rows rows
#define BATCH_ROWS(request) 1000000
#include "table_source.h"
