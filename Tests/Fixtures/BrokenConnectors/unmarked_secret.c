// SPDX-License-Identifier: Apache-2.0
// descriptor.secrets: a secret setting has x-secret
#define TOKEN_SETTING "\"token\":{\"type\":\"string\",\"description\":\"The token.\"}"
#include "table_source.h"
