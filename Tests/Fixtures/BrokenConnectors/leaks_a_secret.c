// SPDX-License-Identifier: Apache-2.0
// secrets.refused: no text holds a secret
#define REFUSAL source->token
#include "table_source.h"
