// SPDX-License-Identifier: Apache-2.0

/// What a shared library says about itself, read from its bytes without running any of it.
package struct ELFImage: Sendable, Hashable {
    /// Why bytes are not a library that can be loaded here, as a clause without a full stop.
    package struct Fault: Error, Sendable, Hashable {
        /// For example `is cut short`.
        package let reason: String
    }

    /// The names of the dynamic symbols that others may bind to, in the file's order.
    package let exports: [String]
    /// The libraries that it needs.
    package let needed: [String]
    /// The folders in which it has them looked for.
    package let searchFolders: [String]
    /// Whether its code is changed when it is loaded.
    package let hasTextRelocations: Bool
    /// Whether some of its memory, or the stack for its sake, is writable and executable at once.
    package let hasWritableCode: Bool

    /// Reads an image.
    ///
    /// - Parameters:
    ///   - size: How many bytes the file has.
    ///   - read: Returns the bytes of a range within the file, or nil where they cannot be read.
    package init(size: Int, read: @escaping (Range<Int>) -> [UInt8]?) throws(Fault) {
        let file = Reader(size: size, read: read)
        guard let magic = file.bytes(0, 4), magic == [0x7F, 0x45, 0x4C, 0x46] else {
            throw Fault(reason: "is not a shared library")
        }
        let header = try file.chunk(0, 64)
        try Self.checkHeader(header)
        let sections = try Self.sections(header, file)
        var exports: [String] = []
        var dynamic = Dynamic()
        for section in sections {
            guard section.type == Section.dynamicSymbols || section.type == Section.dynamicTable else { continue }
            guard section.link < sections.count else { throw Self.contradiction }
            let names = try file.chunk(sections[section.link].offset, sections[section.link].size)
            let table = try file.chunk(section.offset, section.size)
            if section.type == Section.dynamicSymbols {
                exports += try Self.exports(table, names)
            } else {
                try dynamic.add(table, names)
            }
        }
        self.exports = exports
        needed = dynamic.needed
        searchFolders = dynamic.searchFolders
        hasTextRelocations = dynamic.hasTextRelocations
        hasWritableCode = try Self.hasWritableCode(header, file)
    }

    // MARK: - The parts of the file

    private static let contradiction = Fault(reason: "contradicts itself, so it is not a whole library")

    /// Bounds every access by the size of the file.
    private struct Reader {
        let size: Int
        let read: (Range<Int>) -> [UInt8]?

        func bytes(_ offset: UInt64, _ count: UInt64) -> [UInt8]? {
            let limit = UInt64(size)
            guard offset <= limit, count <= limit - offset else { return nil }
            guard let bytes = read(Int(offset)..<Int(offset + count)), bytes.count == Int(count) else { return nil }
            return bytes
        }

        func chunk(_ offset: UInt64, _ count: UInt64) throws(Fault) -> [UInt8] {
            guard let bytes = bytes(offset, count) else { throw Fault(reason: "is cut short") }
            return bytes
        }
    }

    private struct Section {
        static let dynamicTable: UInt64 = 6
        static let dynamicSymbols: UInt64 = 11

        let type: UInt64
        let offset: UInt64
        let size: UInt64
        let link: Int
    }

    private static func checkHeader(_ header: [UInt8]) throws(Fault) {
        guard header[4] == 2 else { throw Fault(reason: "is not a 64-bit library") }
        guard header[5] == 1 else { throw Fault(reason: "has the byte order of another processor") }
        guard number(header, 18, 2) == machine else { throw Fault(reason: "is made for another processor") }
        guard number(header, 16, 2) == 3 else {
            throw Fault(reason: "is not a shared library but another kind of ELF file")
        }
    }

    private static var machine: UInt64 {
        #if arch(x86_64)
            62
        #elseif arch(arm64)
            183
        #else
            #error("the ELF machine number of this processor is not known")
        #endif
    }

    private static func sections(_ header: [UInt8], _ file: Reader) throws(Fault) -> [Section] {
        let count = number(header, 60, 2)
        guard count > 0, number(header, 58, 2) == 64 else { throw Fault(reason: "has no section table") }
        let table = try file.chunk(number(header, 40, 8), count * 64)
        return (0..<Int(count)).map { index in
            Section(
                type: number(table, index * 64 + 4, 4), offset: number(table, index * 64 + 24, 8),
                size: number(table, index * 64 + 32, 8), link: Int(number(table, index * 64 + 40, 4)))
        }
    }

    private static func exports(_ table: [UInt8], _ names: [UInt8]) throws(Fault) -> [String] {
        var exports: [String] = []
        for start in stride(from: 0, to: table.count - table.count % 24, by: 24) {
            let binding = table[start + 4] >> 4
            let visibility = table[start + 5] & 3
            let section = number(table, start + 6, 2)
            // Global, weak or unique; visible; defined, and not the name of a version, which is absolute.
            guard binding == 1 || binding == 2 || binding == 10, visibility == 0 || visibility == 3, section != 0,
                section != 0xFFF1
            else { continue }
            exports.append(try text(names, number(table, start, 4)))
        }
        return exports
    }

    /// What the dynamic section says.
    private struct Dynamic {
        var needed: [String] = []
        var searchFolders: [String] = []
        var hasTextRelocations = false

        mutating func add(_ table: [UInt8], _ names: [UInt8]) throws(Fault) {
            for start in stride(from: 0, to: table.count - table.count % 16, by: 16) {
                let value = number(table, start + 8, 8)
                switch number(table, start, 8) {
                case 0: return
                case 1: needed.append(try text(names, value))
                // DT_RPATH and DT_RUNPATH.
                case 15, 29:
                    searchFolders += try text(names, value)
                        .split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                // DT_TEXTREL, and its flag in DT_FLAGS.
                case 22: hasTextRelocations = true
                case 30 where value & 4 != 0: hasTextRelocations = true
                default: break
                }
            }
        }
    }

    private static func hasWritableCode(_ header: [UInt8], _ file: Reader) throws(Fault) -> Bool {
        let count = number(header, 56, 2)
        guard count > 0, number(header, 54, 2) == 56 else { return false }
        let table = try file.chunk(number(header, 32, 8), count * 56)
        return (0..<Int(count)).contains { index in
            let (type, flags) = (number(table, index * 56, 4), number(table, index * 56 + 4, 4))
            // PT_LOAD that is writable and executable, PT_GNU_STACK that is executable.
            return type == 1 && flags & 3 == 3 || type == 0x6474_E551 && flags & 1 == 1
        }
    }

    private static func text(_ names: [UInt8], _ offset: UInt64) throws(Fault) -> String {
        guard offset < UInt64(names.count), let end = names[Int(offset)...].firstIndex(of: 0) else {
            throw contradiction
        }
        return String(decoding: names[Int(offset)..<end], as: UTF8.self)
    }

    /// The little-endian number of `count` bytes at `offset`.
    private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in (0..<count).reversed() { value = value << 8 | UInt64(bytes[offset + index]) }
        return value
    }
}
