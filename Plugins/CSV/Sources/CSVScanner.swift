// SPDX-License-Identifier: Apache-2.0

/// Cuts bytes into records and fields; the bytes may come in pieces of any size.
///
/// It knows nothing of files, headers or types. After ``Step/record`` the record is ``fields`` over ``window``,
/// until the next call.
package struct CSVScanner: Sendable {
    /// What a call of ``next()`` found.
    package enum Step: Sendable, Hashable {
        /// A record.
        case record
        /// Nothing yet: call ``feed(_:)`` or ``finish()``.
        case needsInput
        /// The end of the input.
        case end
    }

    /// Where a field of the record lies, relative to the record's first byte; quotes are not part of it.
    package struct Field: Sendable, Hashable {
        /// Its first byte.
        package var start: Int32
        /// The byte after its last one.
        package var end: Int32
        /// Whether it stood in quotes.
        package var isQuoted: Bool
        /// Whether doubled quotes in it stand for single ones.
        package var hasEscapes: Bool
    }

    /// What is wrong with the record as a whole.
    package struct Problem: Sendable, Hashable {
        /// The kinds of broken records.
        package enum Kind: Sendable, Hashable {
            /// A byte 0.
            case nul
            /// Bytes that are not UTF-8.
            case encoding
            /// Something between a closing quote and the next delimiter.
            case textAfterQuote
            /// A quoted field that the input ends in.
            case unclosedQuote
            /// A quoted field that makes the record longer than allowed.
            case endlessQuote
            /// A record that is longer than allowed without a quote being open.
            case tooLong

            /// Whether the fields of the record are not all known.
            package var hidesFields: Bool { self == .unclosedQuote || self == .endlessQuote || self == .tooLong }
        }

        /// What is wrong.
        package var kind: Kind
        /// The position of the field.
        package var field: Int
        /// The byte at fault, relative to the record's first one.
        package var offset: Int
    }

    enum State: Sendable {
        case recordStart
        case fieldStart
        case unquoted
        case quoted
        case quoteSeen
        case closed
        case skipping
    }

    /// The bytes at hand.
    package internal(set) var window: [UInt8] = []
    /// Where the record begins in ``window``.
    package internal(set) var recordStart = 0
    /// The physical line, counted from 1, that the record begins on.
    package internal(set) var recordLine = 1
    /// The fields of the record.
    package internal(set) var fields: [Field] = []
    /// What is wrong with the record, or nil.
    package internal(set) var problem: Problem?
    /// Whether a record ended with the input and not with a line end: the last line is not complete.
    package private(set) var endsInsideRecord = false
    /// How many bytes were fed before those in ``window``.
    package private(set) var windowOffset = 0

    let dialect: CSVDialect
    let delimiter: UInt8
    /// The quote; where there is none, 0, which is tested for earlier.
    let quote: UInt8
    var state = State.recordStart
    var position = 0
    var nextStart = 0
    var line = 1
    private var isWhole = false
    var endedWithCR = false
    private var isFinished = false
    private var fieldStart = 0
    private var fieldEnd = 0
    private var isQuoted = false
    private var hasEscapes = false
    private var hasHighBytes = false
    /// Where to go on, and on which line, should the open quote turn out never to be closed.
    private var resumeStart = -1
    private var resumeLine = 0

    /// A scanner that has seen nothing.
    package init(_ dialect: CSVDialect = CSVDialect()) {
        self.dialect = dialect
        delimiter = dialect.delimiter
        quote = dialect.quote ?? 0
    }

    /// Adds bytes after those that were fed before.
    package mutating func feed(_ bytes: some Collection<UInt8>) {
        let used = isWhole ? nextStart : recordStart
        if used > 0 {
            window.removeSubrange(0..<used)
            windowOffset += used
            recordStart -= used
            nextStart -= used
            position -= used
            fieldStart -= used
            fieldEnd -= used
            resumeStart -= used
        }
        window.append(contentsOf: bytes)
    }

    /// Says that no more bytes will come.
    package mutating func finish() { isFinished = true }

    /// Whether the record is a line with nothing on it.
    package var isBlank: Bool {
        fields.count == 1 && problem == nil && !fields[0].isQuoted && fields[0].start == fields[0].end
    }

    /// The bytes of a field, with doubled quotes made single.
    package func bytes(_ field: Field, bytesMax: Int = .max) -> [UInt8] {
        let start = recordStart + Int(field.start)
        let end = min(recordStart + Int(field.end), start + min(bytesMax, window.count))
        guard field.hasEscapes else { return Array(window[start..<end]) }
        var bytes: [UInt8] = []
        var index = start
        while index < end {
            bytes.append(window[index])
            // Inside quotes a quote is always followed by its twin.
            index += window[index] == quote ? 2 : 1
        }
        return bytes
    }

    /// The text of a field; what is not UTF-8 is replaced.
    package func text(_ field: Field, bytesMax: Int = .max) -> String {
        String(decoding: bytes(field, bytesMax: bytesMax), as: UTF8.self)
    }

    /// Makes the next call of ``next()`` return this record again.
    ///
    /// - Precondition: The last call returned ``Step/record``.
    package mutating func rewind() {
        nextStart = recordStart
        line = recordLine
        state = .recordStart
        endedWithCR = false
    }

    /// The physical line of the byte `offset` bytes into the record.
    package func line(at offset: Int) -> Int {
        var line = recordLine
        for index in recordStart..<min(recordStart + offset, window.count) {
            let byte = window[index]
            let isSecondHalf = byte == 10 && index > recordStart && window[index - 1] == 13
            if (byte == 10 || byte == 13) && !isSecondHalf { line += 1 }
        }
        return line
    }

    /// Scans on to the end of a record.
    package mutating func next() -> Step {
        if isWhole {
            if nextPlain() { return .record }
            startRecord()
        }
        while true {
            let limit = min(window.count, recordStart &+ dialect.recordBytesMax)
            while position < limit {
                switch state {
                case .recordStart: skipLineFeed()
                case .fieldStart: startField()
                case .unquoted: scanUnquoted(limit)
                case .quoted: scanQuoted(limit)
                case .quoteSeen, .closed: scanAfterQuote()
                case .skipping: skipLine(limit)
                }
                if isWhole { return .record }
            }
            if state == .skipping {
                recordStart = position
            } else if position - recordStart >= dialect.recordBytesMax {
                overflow()
                return .record
            }
            if position < window.count { continue }
            guard isFinished else { return .needsInput }
            return endInput()
        }
    }

    private mutating func startRecord() {
        isWhole = false
        recordStart = nextStart
        position = nextStart
        recordLine = line
        problem = nil
        fields.removeAll(keepingCapacity: true)
        if state != .skipping { state = .recordStart }
    }

    private mutating func skipLineFeed() {
        if endedWithCR && window[position] == 10 {
            position += 1
            recordStart = position
        }
        endedWithCR = false
        state = .fieldStart
    }

    @inline(__always)
    private mutating func startField() {
        let byte = window[position]
        if dialect.trims && dialect.isBlank(byte) {
            position &+= 1
            // An unquoted field of blanks only ends where it starts.
            fieldStart = position
            return
        }
        hasHighBytes = false
        hasEscapes = false
        isQuoted = byte == quote && byte != 0
        if isQuoted {
            position &+= 1
            resumeStart = -1
        }
        state = isQuoted ? .quoted : .unquoted
        fieldStart = position
    }

    /// The first position from `index` on that needs a look: `stop`, a control byte or a byte above 127.
    @inline(__always)
    private static func plainEnd(_ bytes: Span<UInt8>, from index: Int, to limit: Int, stop: UInt8) -> Int {
        var index = index
        while index < limit {
            let byte = bytes[index]
            // One comparison finds what is below 14 and above 127.
            if byte == stop || byte &- 14 > 113 { break }
            index &+= 1
        }
        return index
    }

    @inline(__always)
    private mutating func scanUnquoted(_ limit: Int) {
        while true {
            position = Self.plainEnd(window.span, from: position, to: limit, stop: delimiter)
            guard position < limit else { return }
            let byte = window[position]
            if byte == delimiter || byte == 10 || byte == 13 {
                fieldEnd = position
                endField()
                return endedField(with: byte)
            }
            if byte > 127 { hasHighBytes = true } else if byte == 0 { note(.nul, at: position) }
            position &+= 1
        }
    }

    private mutating func scanQuoted(_ limit: Int) {
        while true {
            position = Self.plainEnd(window.span, from: position, to: limit, stop: quote)
            guard position < limit else { return }
            switch window[position] {
            case quote:
                fieldEnd = position
                position &+= 1
                state = .quoteSeen
                return
            case 10, 13: noteLineEnd(at: position)
            case 0: note(.nul, at: position)
            case 128...: hasHighBytes = true
            default: break
            }
            position &+= 1
        }
    }

    private mutating func noteLineEnd(at index: Int) {
        if window[index] == 10 && index > fieldStart && window[index - 1] == 13 { return }
        line += 1
        if resumeStart < 0 {
            resumeStart = index + 1
            resumeLine = line
        }
    }

    @inline(__always)
    private mutating func scanAfterQuote() {
        let byte = window[position]
        if byte == quote && state == .quoteSeen {
            hasEscapes = true
            state = .quoted
            position &+= 1
        } else if byte == delimiter || byte == 10 || byte == 13 {
            endField()
            endedField(with: byte)
        } else if dialect.trims && dialect.isBlank(byte) {
            state = .closed
            position &+= 1
        } else {
            note(.textAfterQuote, at: position)
            state = .unquoted
        }
    }

    @inline(__always)
    private mutating func endedField(with byte: UInt8) {
        position &+= 1
        if byte == delimiter {
            state = .fieldStart
            fieldStart = position
            return
        }
        endRecord()
        endedWithCR = byte == 13
        line += 1
    }

    private mutating func endRecord() {
        isWhole = true
        nextStart = position
        state = .recordStart
    }

    @inline(__always)
    private mutating func endField() {
        if dialect.trims && !isQuoted {
            while fieldEnd > fieldStart && dialect.isBlank(window[fieldEnd &- 1]) { fieldEnd &-= 1 }
        }
        if hasHighBytes { checkEncoding() }
        fields.append(
            Field(
                start: Int32(truncatingIfNeeded: fieldStart &- recordStart),
                end: Int32(truncatingIfNeeded: fieldEnd &- recordStart), isQuoted: isQuoted, hasEscapes: hasEscapes))
    }

    private mutating func checkEncoding() {
        do {
            _ = try UTF8Span(validating: window.span.extracting(fieldStart..<fieldEnd))
        } catch {
            note(.encoding, at: fieldStart + error.byteOffsets.lowerBound)
        }
    }

    /// Of several problems the first one counts.
    private mutating func note(_ kind: Problem.Kind, at index: Int) {
        if problem == nil { problem = Problem(kind: kind, field: fields.count, offset: index - recordStart) }
    }

    private mutating func skipLine(_ limit: Int) {
        while position < limit {
            let byte = window[position]
            position += 1
            guard byte == 10 || byte == 13 else { continue }
            endedWithCR = byte == 13
            line += 1
            recordStart = position
            recordLine = line
            state = .recordStart
            return
        }
    }

    /// Ends a record that is longer than allowed.
    private mutating func overflow() {
        guard state == .quoted || state == .quoteSeen else {
            problem = Problem(kind: .tooLong, field: fields.count, offset: 0)
            endRecord()
            state = .skipping
            return
        }
        resumeAfterQuote(.endlessQuote)
    }

    /// Makes the record end with the line on which its last quote opened: what follows are records again.
    private mutating func resumeAfterQuote(_ kind: Problem.Kind) {
        problem = Problem(kind: kind, field: fields.count, offset: fieldStart - 1 - recordStart)
        guard resumeStart >= 0 else {
            endRecord()
            state = .skipping
            return
        }
        position = resumeStart
        line = resumeLine
        endRecord()
        // The line feed of a CRLF is still to come.
        endedWithCR = window[resumeStart - 1] == 13
    }

    private mutating func endInput() -> Step {
        switch state {
        case .recordStart, .skipping: return .end
        case .fieldStart where fields.isEmpty && position == recordStart: return .end
        case .quoted:
            endsInsideRecord = true
            resumeAfterQuote(.unclosedQuote)
            return .record
        case .fieldStart:
            isQuoted = false
            hasEscapes = false
            hasHighBytes = false
            fieldEnd = position
        case .unquoted: fieldEnd = position
        case .quoteSeen, .closed: break
        }
        endsInsideRecord = true
        endField()
        endRecord()
        return .record
    }
}
