// SPDX-License-Identifier: Apache-2.0

import CPenstock
import Glibc
import PenstockModel

/// Why a library could not be taken into the process, as a clause without a full stop that follows its name.
package struct LibraryFault: Error, Sendable, Hashable {
    /// For example `needs libpq.so.5, which is not installed`.
    package let reason: String
}

/// Takes libraries into the process; they stay in it until it ends.
package enum LibraryImage {
    /// The one symbol that a connector library exports.
    package static let entrySymbol = PENSTOCK_ENTRY_SYMBOL
    /// What every entry symbol starts with; its major version follows.
    package static let entryPrefix = "penstock_connector_v"
    /// The major version of the contract that is spoken here.
    package static let majorVersion = Int(PENSTOCK_MAJOR)

    /// Takes the library at `path` in and returns its connector.
    ///
    /// The library's initialisers run. Its folder and permissions must have been looked at before.
    /// - Parameter path: Absolute, so that no search takes place.
    package static func connector(at path: String) throws(LibraryFault) -> LoadedConnector {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            let text = dlerror().map { String(cString: $0) } ?? ""
            throw LibraryFault(reason: reason(linkerText: text, path: path))
        }
        // Never closed: a Swift library cannot be unloaded, and callbacks may still be on their way.
        guard let symbol = dlsym(handle, entrySymbol) else {
            throw LibraryFault(reason: "does not export \(entrySymbol)")
        }
        let entry = unsafeBitCast(symbol, to: (@convention(c) () -> UnsafePointer<penstock_connector>?).self)
        let table = entry()
        guard table == entry() else {
            throw LibraryFault(reason: "returns another pointer from \(entrySymbol) every time")
        }
        do {
            return try LoadedConnector(table)
        } catch {
            let sentence = error.message.hasSuffix(".") ? String(error.message.dropLast()) : error.message
            throw LibraryFault(reason: "is not usable: \(sentence)")
        }
    }

    /// What the dynamic linker's text means to the person who put the library there.
    static func reason(linkerText text: String, path: String) -> String {
        let about = text.hasPrefix(path + ": ") ? String(text.dropFirst(path.utf8.count + 2)) : text
        if let end = about.firstRange(of: ": cannot open shared object file") {
            return "needs \(about[..<end.lowerBound]), which is not installed"
        }
        if let start = about.firstRange(of: "undefined symbol: ") {
            let name = about[start.upperBound...].prefix { $0 != " " && $0 != "," && $0 != "\t" }
            return "uses \(name), which no library provides"
        }
        if let start = about.firstRange(of: "version `"), about.contains("' not found") {
            return "needs \(about[start.upperBound...].prefix { $0 != "'" }), which is newer than what is installed"
        }
        return "cannot be loaded: \(about)"
    }
}

extension String {
    /// The first place of `other`.
    fileprivate func firstRange(of other: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
            start = index(after: start)
        }
        return nil
    }

    fileprivate func contains(_ other: String) -> Bool { firstRange(of: other) != nil }
}
