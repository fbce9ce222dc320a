// SPDX-License-Identifier: Apache-2.0
// none: breaks nothing: what the others are made of
#include "table_source.h"
