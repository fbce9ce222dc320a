// SPDX-License-Identifier: Apache-2.0
// write.abort: after an abort nothing is sent
#define STOPS(session) 0
#include "memory_destination.h"
