// SPDX-License-Identifier: Apache-2.0
// write.reasons: a row that was not written says why
#define DENIED_MESSAGE ""
#include "memory_destination.h"
