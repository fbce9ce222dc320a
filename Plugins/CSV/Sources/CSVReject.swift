// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Says what is wrong with the scanner's current record, and where.
struct CSVReject {
    private let scanner: CSVScanner
    private let columns: [String]
    private let encoding: CSVEncoding
    private let windowStart: Int?

    /// - Parameter columns: The names of the file's columns, as far as they are known.
    init(_ file: borrowing CSVFile, columns: [String], _ encoding: CSVEncoding) {
        scanner = file.scanner
        self.columns = columns
        self.encoding = encoding
        windowStart = file.fileOffset(0)
    }

    /// The most characters of a value that are shown.
    private static let shownMax = 80

    /// The sentence about a record that is broken as a whole.
    func text(of problem: CSVScanner.Problem) -> String {
        let byte = scanner.recordStart + problem.offset
        let place = place(problem.offset, field: problem.field)
        switch problem.kind {
        case .nul: return "\(place): there is a NUL byte; remove it."
        case .encoding: return "\(place): \(encodingText(scanner.window[byte], problem.offset))"
        case .textAfterQuote:
            return "\(place): there is text after the closing quote; a quote inside a quoted field must be doubled."
        case .unclosedQuote: return "\(place): the quote that opens here is not closed before the file ends."
        case .endlessQuote:
            return "record too long: a quote that opened at line \(scanner.line(at: problem.offset)) is probably not "
                + "closed."
        case .tooLong: return "line \(scanner.recordLine): record too long: there is no line end in sight."
        }
    }

    /// The sentence about a record with another number of fields than the table has columns.
    func raggedText() -> String {
        let count = scanner.fields.count
        return "line \(scanner.recordLine): there \(count == 1 ? "is 1 field" : "are \(count) fields"), but the table "
            + "has \(columns.count == 1 ? "1 column" : "\(columns.count) columns")."
    }

    /// The value of a field, cut, with nothing in it that breaks a line.
    func shown(_ field: Int) -> String {
        // No character that is shown needs more than so many bytes, but for texts made to be unreadable.
        var text = scanner.text(scanner.fields[field], bytesMax: Self.shownMax * 16)
        if text.count > Self.shownMax { text = text.prefix(Self.shownMax) + "…" }
        return String(
            text.unicodeScalars.lazy.flatMap { scalar -> [Character] in
                switch scalar {
                case "\n": ["\\", "n"]
                case "\r": ["\\", "r"]
                case "\t": ["\\", "t"]
                default: [Character(scalar.value < 32 || scalar.value == 127 ? "\u{FFFD}" : scalar)]
                }
            })
    }

    /// The sentence about a field that is not of its type.
    func text(of field: Int, _ type: CSVType) -> String {
        let start = Int(scanner.fields[field].start)
        let bytes = scanner.bytes(scanner.fields[field])
        return "\(place(start, field: field)): \"\(shown(field))\" \(type.complaint(about: bytes.span))."
    }

    private func place(_ offset: Int, field: Int) -> String {
        let name = columns.indices.contains(field) ? " (\(columns[field]))" : ""
        return "line \(scanner.line(at: offset)), column \(field + 1)\(name)"
    }

    private func encodingText(_ byte: UInt8, _ offset: Int) -> String {
        let hex = "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        guard let windowStart else { return "the byte \(hex) is not a character of \(encoding.rawValue)." }
        return "the byte \(hex), byte \(windowStart + offset + 1) of the file, is not UTF-8; if all of the file is so, "
            + "set encoding."
    }
}
