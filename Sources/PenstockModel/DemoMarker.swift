// SPDX-License-Identifier: Apache-2.0

/// By what a demo project is told from every other project: the host and the sandbox that writes it ask the same.
package enum DemoMarker {
    /// The first lines of its `penstock.yml`; only the demo writes them.
    package static let remark =
        "# A Penstock project is a folder with this file in it. This one was written by the demo: it brings the"

    /// The name of the project.
    package static let project = "penstock-demo"

    /// The line that names the project.
    package static let projectLine = "project: \(project)"

    /// Whether a text is the `penstock.yml` of a demo project: a demo wrote it, and the project is called so still.
    package static func isFound(in text: String) -> Bool {
        let lines = text.split(whereSeparator: \.isNewline)
        return lines.contains { $0 == remark } && lines.contains { $0 == projectLine }
    }
}
