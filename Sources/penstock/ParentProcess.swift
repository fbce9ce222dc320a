// SPDX-License-Identifier: Apache-2.0

import CService
import Foundation

/// Makes a run that a server has started stop with it, however the server ends.
enum ParentProcess {
    /// The variable in which the server says who it is.
    private static let variable = "PENSTOCK_PARENT_PID"

    /// Asks the kernel for SIGTERM at the end of the parent, where the environment names one.
    ///
    /// Call it when SIGTERM is handled already.
    static func follow() {
        guard let text = getenv(variable).map({ String(cString: $0) }), let parent = Int32(text) else { return }
        unsetenv(variable)
        guard penstock_die_with_parent(SIGTERM) == 0 else { return }
        // It may have died before that.
        if getppid() != parent { exit(ExitCode.terminated.rawValue) }
    }
}
