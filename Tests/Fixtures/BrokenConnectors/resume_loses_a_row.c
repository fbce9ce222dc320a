// SPDX-License-Identifier: Apache-2.0
// read.resume: a read that goes on leaves no gap
#define PASSES(value, bound, inclusive, ordered) \
    ((value) > (bound) + ((ordered) && column_is_id) || ((inclusive) && (value) == (bound)))
#define column_is_id ((bound_column_length) == 2)
#define bound_column_length request->bound_column.len
#include "table_source.h"
