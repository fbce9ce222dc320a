// SPDX-License-Identifier: Apache-2.0
// write.quota: once the budget is used up rows are NOT_TRIED
#define DENIED_STATUS (refused == PENSTOCK_QUOTA_SPENT ? PENSTOCK_ROW_UNKNOWN : PENSTOCK_ROW_NOT_TRIED)
#include "memory_destination.h"
