// SPDX-License-Identifier: Apache-2.0
// none: breaks nothing: what the others are made of
#include "memory_destination.h"
