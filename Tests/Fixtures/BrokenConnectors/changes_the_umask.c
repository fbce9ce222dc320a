// SPDX-License-Identifier: Apache-2.0
// process.state: the umask of a shared process is left alone
#include <sys/stat.h>

#define ON_DESCRIBE umask(0)
#define ON_NEXT umask(0)
#include "table_source.h"
