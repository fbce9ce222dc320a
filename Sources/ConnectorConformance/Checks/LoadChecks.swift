// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockABI
import PenstockHost
import PenstockModel

/// The library as a file, and what happens when it is loaded.
enum LoadChecks {
    /// How long the entry may take, in milliseconds of the processor.
    private static let entryMax = 100

    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "load.permissions", "nobody else can change the library or its folder", "Build, install, test",
            by: permissions),
        ConformanceCheck("load.exports", "it exports the entry and nothing else", "Build, install, test", by: exports),
        ConformanceCheck(
            "load.image", "it needs libraries by name, looks for them in safe folders, and changes no code of its own",
            "Build, install, test", by: image),
        ConformanceCheck("load.entry", "it loads, and the entry is quick", "The entry", by: entry),
        ConformanceCheck(
            "load.pointer", "the entry returns the same pointer every time, from every thread", "The entry",
            needs: ["load.entry"], by: pointer),
        ConformanceCheck(
            "load.quiet", "loading it starts no thread and opens no file", "The entry", needs: ["load.entry"], by: quiet
        ),
        ConformanceCheck(
            "load.process", "loading it leaves signals, locale, folder, umask and variables alone",
            "Rules for every call", needs: ["load.entry"], by: process),
        ConformanceCheck(
            "load.table", "the tables have the size and version of their header", "The entry", needs: ["load.entry"],
            by: table),
    ]

    private static func permissions(_ context: CheckContext) throws {
        let path = context.order.library
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw CheckFailure("it is not a regular file")
        }
        let mode = attributes[.posixPermissions] as? Int ?? 0
        if mode & 0o002 != 0 { context.find("it can be changed by everybody (mode 0\(String(mode, radix: 8)))") }
        let owner = attributes[.ownerAccountID] as? Int ?? 0
        if owner != 0, owner != Int(geteuid()) {
            context.find("it belongs to user \(owner), who is neither root nor you")
        }
        let folder = FolderCheck.folder(of: path)
        if let reason = FolderCheck.refusal(ofFolder: folder) { context.find("it lies in \(folder), which \(reason)") }
    }

    private static func elf(_ context: CheckContext) throws -> ELFImage {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: context.order.library)))
        do {
            return try ELFImage(size: bytes.count) { range in Array(bytes[range]) }
        } catch {
            throw CheckFailure("it \(error.reason)")
        }
    }

    private static func exports(_ context: CheckContext) throws {
        let image = try elf(context)
        do {
            try ConnectorLibrary.checkExports(image)
        } catch {
            context.find("it \(error.reason)")
        }
    }

    private static func image(_ context: CheckContext) throws {
        let image = try elf(context)
        for name in image.needed where name.contains("/") {
            context.find("it needs \(name), a path that other machines do not have; link by name")
        }
        for folder in image.searchFolders where !folder.hasPrefix("$ORIGIN") && !folder.hasPrefix("${ORIGIN}") {
            if !folder.hasPrefix("/") {
                context.find("it looks for libraries in \"\(folder)\", which depends on where a program is started")
            } else if FileManager.default.fileExists(atPath: folder), let reason = FolderCheck.refusal(ofFolder: folder)
            {
                context.find("it looks for libraries in \(folder), which \(reason)")
            }
        }
        if image.hasTextRelocations { context.find("it has text relocations; compile with -fPIC") }
        if image.hasWritableCode { context.find("it has memory that is writable and executable at once") }
        if !image.needed.isEmpty { context.note("needs " + image.needed.joined(separator: ", ")) }
    }

    private static func entry(_ context: CheckContext) throws {
        let library = try LibraryUnderTest(context.order.library)
        let start = clock()
        let address = library.address
        let milliseconds = Int(clock() - start) * 1_000 / Int(CLOCKS_PER_SEC)
        if address == 0 { context.find("the entry returned NULL") }
        if milliseconds > entryMax {
            context.find("the entry took \(milliseconds) ms of the processor, where \(entryMax) are allowed")
        }
    }

    private static func pointer(_ context: CheckContext) throws {
        let library = try LibraryUnderTest(context.order.library)
        let together = Set(library.pointers(fromThreads: 8))
        if together.count > 1 { context.find("it returned \(together.count) pointers to 8 threads at once") }
        if !together.contains(library.address) { context.find("it returned another pointer the second time") }
    }

    private static func quiet(_ context: CheckContext) throws {
        let (threads, descriptors) = (ProcessState.threads, ProcessState.descriptors)
        _ = try LibraryUnderTest(context.order.library).address
        let started = ProcessState.threads.subtracting(threads)
        if !started.isEmpty {
            let names = started.map(ProcessState.name(ofThread:)).sorted().joined(separator: ", ")
            context.find("it started \(started.count) threads: \(names)")
        }
        for (number, target) in ProcessState.descriptors where descriptors[number] == nil {
            if !target.hasPrefix("/proc/") { context.find("it opened \(target)") }
        }
    }

    private static func process(_ context: CheckContext) throws {
        let before = ProcessState.now()
        _ = try LibraryUnderTest(context.order.library).address
        for difference in before.differences(to: .now()) { context.find(difference) }
    }

    private static func table(_ context: CheckContext) throws {
        let connector = try context.connector()
        if connector.version.major != LibraryImage.majorVersion {
            context.find("major is \(connector.version.major), where \(LibraryImage.majorVersion) is spoken")
        }
        for (name, stated, least) in connector.sizes {
            if Int(stated) < least {
                context.find("the size of its \(name) is \(stated), less than the \(least) of 1.0")
            }
            if stated > 65_536 { context.find("the size of its \(name) is \(stated)") }
        }
    }
}
