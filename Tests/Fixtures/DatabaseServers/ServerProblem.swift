// SPDX-License-Identifier: Apache-2.0

/// Why there is no database server for tests.
package struct ServerProblem: Error, CustomStringConvertible {
    /// One sentence.
    package let description: String

    init(_ description: String) { self.description = description }
}
