// SPDX-License-Identifier: Apache-2.0
// write.ownership: a batch refused as busy stays with the host
#define KEEPS_WHEN_BUSY 1
#include "memory_destination.h"
