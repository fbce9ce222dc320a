// SPDX-License-Identifier: Apache-2.0

import CSVConnector

/// Cuts a whole file into records the slow way, to be compared with the scanner.
struct ReferenceCSV {
    /// The fields of the records up to the first broken one.
    private(set) var records: [[[UInt8]]] = []
    /// Whether the record after the last of ``records`` is broken.
    private(set) var isBroken = false
    private let bytes: [UInt8]
    private let dialect: CSVDialect
    private var position = 0

    init(_ bytes: [UInt8], _ dialect: CSVDialect) {
        self.bytes = bytes
        self.dialect = dialect
        while position < bytes.count {
            guard let record = record() else {
                isBroken = true
                return
            }
            records.append(record)
        }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }
    private var isAtEnd: Bool { current == nil || current == dialect.delimiter || current == 10 || current == 13 }

    private mutating func skipBlanks() {
        while dialect.trims, let byte = current, isBlank(byte) { position += 1 }
    }

    private func isBlank(_ byte: UInt8) -> Bool { (byte == 0x20 || byte == 0x09) && byte != dialect.delimiter }

    /// The next record; nil where it is broken.
    private mutating func record() -> [[UInt8]]? {
        var fields: [[UInt8]] = []
        while true {
            guard let field = field(), !field.contains(0), String(validating: field, as: UTF8.self) != nil else {
                return nil
            }
            fields.append(field)
            guard let byte = current else { return fields }
            position += 1
            if byte == dialect.delimiter { continue }
            if byte == 13, current == 10 { position += 1 }
            return fields
        }
    }

    /// The next field, up to what ends it; nil where its quotes are wrong.
    private mutating func field() -> [UInt8]? {
        skipBlanks()
        var field: [UInt8] = []
        guard let quote = dialect.quote, current == quote else {
            while !isAtEnd {
                field.append(bytes[position])
                position += 1
            }
            while dialect.trims, let last = field.last, isBlank(last) { field.removeLast() }
            return field
        }
        position += 1
        while let byte = current {
            position += 1
            if byte != quote {
                field.append(byte)
            } else if current == quote {
                field.append(byte)
                position += 1
            } else {
                skipBlanks()
                return isAtEnd ? field : nil
            }
        }
        return nil
    }
}
