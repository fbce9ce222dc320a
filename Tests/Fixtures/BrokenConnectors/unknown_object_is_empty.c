// SPDX-License-Identifier: Apache-2.0
// discover.unknown-object: an object that does not exist is NOT_FOUND
#define UNKNOWN_OBJECT(target) 0
#include "table_source.h"
