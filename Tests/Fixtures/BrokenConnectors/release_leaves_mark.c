// SPDX-License-Identifier: Apache-2.0
// arrow.release: a release sets release to NULL
#define MARK_RELEASED(thing) (void)(thing)
#include "table_source.h"
