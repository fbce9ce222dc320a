// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The folders in which connector libraries may lie, in the order in which they are looked at.
package struct ConnectorSearchPath: Sendable, Hashable {
    /// One folder.
    package struct Folder: Sendable, Hashable {
        /// The absolute path; it need not exist.
        package var path: String
        /// What file names start with to be looked at; empty for all that end in `.so`.
        package var prefix: String

        /// A folder.
        package init(path: String, prefix: String) {
            self.path = path
            self.prefix = prefix
        }
    }

    /// The variable that names folders before all others, separated by colons.
    package static let variable = "PENSTOCK_CONNECTOR_PATH"

    /// The folders; a folder that is named twice is looked at once.
    package let folders: [Folder]

    /// A search path of these folders only.
    package init(_ paths: [String]) { folders = paths.map { Folder(path: $0, prefix: "") } }

    /// The search path of a process.
    ///
    /// - Parameters:
    ///   - environment: The variables of the process; relative folders in them are passed over.
    ///   - executable: The absolute path of the running binary, or nil where it is not known.
    package init(environment: [String: String], executable: String?) {
        var folders: [Folder] = []
        func add(_ path: String, prefix: String = "") {
            guard path.hasPrefix("/"), !folders.contains(where: { $0.path == path }) else { return }
            folders.append(Folder(path: path, prefix: prefix))
        }
        for part in (environment[Self.variable] ?? "").split(separator: ":") { add(String(part)) }
        if let executable, let slash = executable.lastIndex(of: "/") {
            let folder = slash == executable.startIndex ? "/" : String(executable[..<slash])
            // Libraries of every kind may lie beside the binary.
            add(folder, prefix: "libpenstock-")
            add(folder + "/../lib/penstock/connectors")
        }
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") {
            add(data + "/penstock/connectors")
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            add(home + "/.local/share/penstock/connectors")
        }
        add("/usr/local/lib/penstock/connectors")
        add("/usr/lib/penstock/connectors")
        self.folders = folders
    }

    /// The search path of this process.
    package static func ofProcess() -> ConnectorSearchPath {
        var environment: [String: String] = [:]
        for name in [variable, "XDG_DATA_HOME", "HOME"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        let executable = realpath("/proc/self/exe", nil)
        defer { free(executable) }
        return ConnectorSearchPath(environment: environment, executable: executable.map { String(cString: $0) })
    }
}
