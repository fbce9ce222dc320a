// SPDX-License-Identifier: Apache-2.0

import CPenstock
import Glibc
import PenstockABI
import PenstockModel

/// A library that was taken into this process, with its entry.
struct LibraryUnderTest {
    /// The entry.
    let entry: @convention(c) () -> UnsafePointer<penstock_connector>?

    /// Loads a library as the host does.
    ///
    /// - Throws: ``CheckFailure`` with the dynamic linker's text.
    init(_ path: String) throws(CheckFailure) {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            throw CheckFailure("it cannot be loaded: " + (dlerror().map { String(cString: $0) } ?? "no reason given"))
        }
        guard let symbol = dlsym(handle, LibraryImage.entrySymbol) else {
            throw CheckFailure("it does not export \(LibraryImage.entrySymbol)")
        }
        entry = unsafeBitCast(symbol, to: (@convention(c) () -> UnsafePointer<penstock_connector>?).self)
    }

    /// What the entry returns when several threads call it at once.
    func pointers(fromThreads count: Int) -> [UInt] {
        let found = Guarded<[UInt]>([])
        let entry = entry
        Threads.together(count) { found.update { $0.append(UInt(bitPattern: entry())) } }
        return found.value
    }

    /// What the entry returns, as a number.
    var address: UInt { UInt(bitPattern: entry()) }
}

/// A connector as the kit calls it: through its C tables, with nothing in between that could hide a fault.
final class ConnectorUnderTest {
    /// What it says about itself, copied as far as both know it.
    private let table: penstock_connector
    /// The functions of its source, if it has them.
    let source: penstock_source_api?
    /// The functions of its destination, if it has them.
    let destination: penstock_destination_api?
    /// Everything it says.
    let transcript: Transcript
    private let pointer: UnsafePointer<penstock_connector>

    /// Loads a library and copies its tables; nothing of them is checked.
    init(_ path: String, _ transcript: Transcript) throws(CheckFailure) {
        guard let pointer = try LibraryUnderTest(path).entry() else {
            throw CheckFailure("\(LibraryImage.entrySymbol) returned NULL")
        }
        var table = penstock_connector()
        copyTable(pointer, into: &table)
        self.pointer = pointer
        self.table = table
        self.transcript = transcript
        source = table.source.map { pointer in
            var copy = penstock_source_api()
            copyTable(pointer, into: &copy)
            return copy
        }
        destination = table.destination.map { pointer in
            var copy = penstock_destination_api()
            copyTable(pointer, into: &copy)
            return copy
        }
    }

    /// What it can do.
    var capabilities: Capabilities { Capabilities(rawValue: table.caps) }

    /// The version of the header it was made with.
    var version: (major: Int, minor: Int) { (Int(table.major), Int(table.minor)) }

    /// A text of the table, or nil for NULL and for what is not UTF-8.
    private func text(_ slot: UnsafePointer<CChar>?) -> String? { slot.flatMap { String(validatingCString: $0) } }

    /// The texts for people and project files, by the name of their slot.
    var texts: [(name: String, value: String?)] {
        [
            ("id", text(table.id)), ("title", text(table.title)), ("version", text(table.version)),
            ("summary", text(table.summary)),
        ]
    }

    /// The settings' description.
    var settingsText: String? { text(table.config_schema) }

    /// The description of what can be written.
    var objectsText: String? { text(table.objects_json) }

    /// The sizes that tables say they have, beside the sizes of version 1.0.
    var sizes: [(name: String, stated: UInt32, least: Int)] {
        var all = [("penstock_connector", table.size, MemoryLayout<penstock_connector>.size)]
        if let source { all.append(("penstock_source_api", source.size, MemoryLayout<penstock_source_api>.size)) }
        if let destination {
            let prepare = MemoryLayout<penstock_destination_api>.offset(of: \.prepare) ?? 0
            all.append(("penstock_destination_api", destination.size, prepare))
        }
        return all
    }

    /// The required functions that are missing, as `source.open`.
    var missingFunctions: [String] {
        var missing: [String] = []
        func require(_ name: String, _ isThere: Bool) { if !isThere { missing.append(name) } }
        if let source {
            require("source.open", source.open != nil)
            require("source.close", source.close != nil)
            require("source.check", source.check != nil)
            require("source.discover", source.discover != nil)
            require("source.describe", source.describe != nil)
            require("source.read", source.read != nil)
            require("source.read_cancel", source.read_cancel != nil)
            require("source.read_error", source.read_error != nil)
            require("source.read_close", source.read_close != nil)
        }
        if let destination {
            require("destination.open", destination.open != nil)
            require("destination.close", destination.close != nil)
            require("destination.check", destination.check != nil)
            require("destination.fields", destination.fields != nil)
            require("destination.limits", destination.limits != nil)
            require("destination.read_back", destination.read_back != nil)
            require("destination.read_cancel", destination.read_cancel != nil)
            require("destination.read_error", destination.read_error != nil)
            require("destination.read_close", destination.read_close != nil)
            require("destination.begin", destination.begin != nil)
            require("destination.submit", destination.submit != nil)
            require("destination.flush", destination.flush != nil)
            require("destination.abort", destination.abort != nil)
            require("destination.end", destination.end != nil)
            require("destination.prepare", destination.prepare != nil || !capabilities.contains(.prepare))
        }
        return missing
    }

    /// Opens a source connection.
    func openSource(_ settings: String, _ host: any HostServices) throws(Refusal) -> SourceUnderTest {
        guard let source, let open = source.open else { throw Self.lacking("open") }
        let hostTable = HostTable(host)
        var handle: OpaquePointer?
        let connector = pointer
        try opening(settings, hostTable) { args, error in
            open(connector, args, &handle, error)
        } left: {
            handle != nil
        }
        guard let handle else { throw Self.empty("open") }
        return SourceUnderTest(handle, source, hostTable, transcript)
    }

    /// Opens a destination connection.
    func openDestination(_ settings: String, _ host: any HostServices) throws(Refusal) -> DestinationUnderTest {
        guard let destination, let open = destination.open else { throw Self.lacking("open") }
        let hostTable = HostTable(host)
        var handle: OpaquePointer?
        let connector = pointer
        try opening(settings, hostTable) { args, error in
            open(connector, args, &handle, error)
        } left: {
            handle != nil
        }
        guard let handle else { throw Self.empty("open") }
        return DestinationUnderTest(handle, destination, hostTable, transcript)
    }

    private func opening(
        _ settings: String, _ host: HostTable,
        _ open: (UnsafePointer<penstock_open_args>, UnsafeMutablePointer<penstock_error>) -> penstock_status,
        left: () -> Bool
    ) throws(Refusal) {
        var arena = TextArena()
        arena.add(settings.utf8)
        try called("open", transcript, outputs: { left() ? ["out_handle"] : [] }) { error in
            arena.lend { texts in
                var args = penstock_open_args()
                args.host = UnsafePointer(host.pointer)
                args.config_json = texts[0]
                return open(&args, error)
            }
        }
    }

    private static func lacking(_ call: String) -> Refusal {
        Refusal(call: call, error: ConnectorError(.unsupported, "The function is missing."), flaws: [])
    }

    /// A success without what it should have made.
    static func empty(_ call: String) -> Refusal {
        let error = ConnectorError(.contractBreach, "It reported success without a handle.")
        return Refusal(call: call, error: error, flaws: ["\(call) reported success without a handle"])
    }
}
