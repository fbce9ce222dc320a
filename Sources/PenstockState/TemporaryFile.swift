// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Files with a name of their own, for this user alone.
package enum TemporaryFile {
    /// Makes an empty file that no program inherits which is started meanwhile.
    ///
    /// - Parameter name: A path that ends in six X and a zero; they become the file's name. Any thread.
    /// - Returns: Its descriptor, which the caller closes; -1 where there can be none, with `errno`.
    package static func make(_ name: inout [CChar]) -> Int32 { penstock_temporary_file(&name) }
}
