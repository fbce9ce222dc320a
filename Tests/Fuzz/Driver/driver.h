// SPDX-License-Identifier: Apache-2.0

#ifndef PENSTOCK_FUZZ_DRIVER_H
#define PENSTOCK_FUZZ_DRIVER_H

#include <stddef.h>
#include <stdint.h>

/// libFuzzer's own entry: searches with `one` until its options say stop. It is in the toolchain's library without a
/// `main` (`libclang_rt.fuzzer_no_main`).
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size));

#endif
