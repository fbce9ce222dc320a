// SPDX-License-Identifier: Apache-2.0
// write.window: the session says BUSY when the window is full
#define AWAITED_MAX(session) 1000000
#include "memory_destination.h"
