// SPDX-License-Identifier: Apache-2.0
// read.cancel: a cancelled read ends with ECANCELED
#define IS_CANCELLED(read) 0
#include "table_source.h"
