// SPDX-License-Identifier: Apache-2.0

import FuzzTargets
import Glibc

/// `penstock-fuzz TARGET [--planted] [libFuzzer's options and folders]`, `penstock-fuzz TARGET --dictionary`, or
/// `--list`.
FuzzCommand.run()
