// SPDX-License-Identifier: Apache-2.0
// read.bound: an inclusive bound lets through what equals it
#define PASSES(value, bound, inclusive, ordered) ((value) > (bound))
#include "table_source.h"
