// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>

/* Swift's module of the C library has no prctl. Keeps core files and looks of the same user out of this process; 0 on
   success. */
static inline int penstock_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/* Closes every descriptor from `from` on in the program that is started with these file actions; 0 on success. glibc
   declares the function only for GNU sources; its own header, included here, would take types away from Glibc. */
int penstock_close_from(void *actions, int from) __asm__("posix_spawn_file_actions_addclosefrom_np");
