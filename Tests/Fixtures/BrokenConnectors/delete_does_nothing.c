// SPDX-License-Identifier: Apache-2.0
// write.delete: a delete removes the record
#define FOUND(id) ((id) >= 1 && (id) <= n_records && (deleted[id] || 1))
#include "memory_destination.h"
