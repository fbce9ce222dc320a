// SPDX-License-Identifier: Apache-2.0

import CCrypto
import Glibc
import PenstockEngine
import PenstockModel

/// What a plan says before its rows: what it was made from, and what its run is to cost.
package struct PlanHeader: Sendable {
    /// The form of the file; others are refused.
    package static let format = 2

    /// The sync.
    package var sync: String
    /// When it was made, in milliseconds since 1970.
    package var madeAt: Int64
    /// The program that made it, with its version.
    package var madeBy: String
    /// A text of this plan alone, which goes into the digests of its values.
    package var salt: String
    /// Whether a record that no longer looks as planned is left alone.
    package var isGuarded: Bool
    /// The most rows that it may fetch, or nil.
    package var rowsMax: Int64?
    /// Whether it reads everything, whatever the watermark.
    package var isFullRefresh: Bool
    /// Whether it gives the rest of an unfinished run up.
    package var abandonsUnfinished: Bool
    /// The syncs that create records first to which its rows refer.
    package var linked: [String]
    /// The id of the run that it undoes; nil for a plan of a run of the sync.
    package var undoes: String?
    /// What it was made from.
    package var pins: [PlanPin]
    /// What its run is to do and to cost.
    package var numbers: PlanNumbers
    /// What is shown of it, for who shows it.
    package var about: JSONObject

    /// What a plan says before its rows.
    package init(sync: String, madeAt: Int64, madeBy: String, salt: String, numbers: PlanNumbers, pins: [PlanPin]) {
        self.sync = sync
        self.madeAt = madeAt
        self.madeBy = madeBy
        self.salt = salt
        isGuarded = false
        isFullRefresh = false
        abandonsUnfinished = false
        linked = []
        self.pins = pins
        self.numbers = numbers
        about = [:]
    }

    var json: JSON {
        .object([
            "kind": .string(Self.kind), "format": .integer(Self.format), "sync": .string(sync),
            "made_at": .integer(madeAt), "made_by": .string(madeBy), "salt": .string(salt),
            "guard": .bool(isGuarded), "rows_max": rowsMax.map { .integer($0) } ?? .null,
            "full_refresh": .bool(isFullRefresh), "new": .bool(abandonsUnfinished),
            "linked": .strings(linked), "undoes": undoes.map { .string($0) } ?? .null, "pins": .array(pins.map(\.json)),
            "numbers": numbers.json,
            "about": .object(about),
        ])
    }

    static let kind = "penstock-plan"

    init?(json: JSON) {
        guard json["kind"]?.stringValue == Self.kind, let sync = json["sync"]?.stringValue,
            let madeAt = json["made_at"]?.intValue, let numbers = json["numbers"].map(PlanNumbers.init(json:))
        else { return nil }
        self.init(
            sync: sync, madeAt: Int64(madeAt), madeBy: json["made_by"]?.stringValue ?? "",
            salt: json["salt"]?.stringValue ?? "", numbers: numbers,
            pins: (json["pins"]?.arrayValue ?? []).compactMap(PlanPin.init(json:)))
        isGuarded = json["guard"]?.boolValue ?? false
        rowsMax = json["rows_max"]?.intValue.map(Int64.init)
        isFullRefresh = json["full_refresh"]?.boolValue ?? false
        abandonsUnfinished = json["new"]?.boolValue ?? false
        linked = (json["linked"]?.arrayValue ?? []).compactMap(\.stringValue)
        undoes = json["undoes"]?.stringValue
        about = json["about"]?.objectValue ?? [:]
    }
}

/// What a run is to do and to cost, for comparison with what it did.
package struct PlanNumbers: Sendable, Hashable {
    /// What becomes of the rows, by name as in ``RunCounts/named``.
    package var counts: [String: Int64] = [:]
    /// Requests.
    package var requests: Int64 = 0
    /// Tokens.
    package var tokens: Int64 = 0

    /// Nothing.
    package init() {}

    /// As it stands in a document.
    package var json: JSON {
        var object = JSONObject()
        for (name, value) in counts.sorted(by: { $0.key < $1.key }) { object.append(name, .integer(value)) }
        return .object(["counts": .object(object), "requests": .integer(requests), "tokens": .integer(tokens)])
    }

    init(json: JSON) {
        for member in json["counts"]?.objectValue?.members ?? [] {
            counts[member.key] = member.value.intValue.map(Int64.init) ?? 0
        }
        requests = Int64(json["requests"]?.intValue ?? 0)
        tokens = Int64(json["tokens"]?.intValue ?? 0)
    }
}

/// A plan in a file: whole and as it was written.
///
/// It can be read from any thread.
package final class SealedPlan: Sendable {
    /// What it says before its rows.
    package let header: PlanHeader
    /// How many rows it has.
    package let count: Int64
    /// What no other plan has: the digest of all of it.
    package let digest: String
    /// Where it lies.
    package let path: String

    private let descriptor: Int32
    private let rows: Range<Int>

    /// The longest last line and the longest first line that are looked for.
    private static let sealMax = 512
    private static let headerMax = 16 << 20

    /// Opens a plan and makes sure that it is what was written.
    ///
    /// - Throws: ``PlanFileProblem``.
    package init(path: String) throws(PlanFileProblem) {
        self.path = path
        // A pipe is not waited for.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .system(.unreadable, path, "cannot be read") }
        var isComplete = false
        defer { if !isComplete { Glibc.close(file) } }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            let kind = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "a pipe or a device"
            throw PlanFileProblem(kind: .unreadable, message: "\(path) is \(kind), and a plan is read from a file")
        }
        let size = Int(lseek(file, 0, SEEK_END))
        guard size > 0, let first = Self.firstLine(file, size), let header = Self.parsed(first) else {
            throw Self.damaged(path, "is no plan")
        }
        guard header["kind"]?.stringValue == PlanHeader.kind else { throw Self.damaged(path, "is no plan") }
        guard header["format"]?.intValue == PlanHeader.format else {
            throw PlanFileProblem(kind: .version, message: "\(path) was written by another version of Penstock")
        }
        guard let (seal, end) = Self.seal(file, size), let digest = seal["digest"]?.stringValue,
            let count = seal["rows"]?.intValue, end > first.count, seal == Self.seal(rows: Int64(count), digest),
            Self.lines(file, first.count + 1..<end) == count, try Self.digest(file, end, path) == digest,
            let decoded = PlanHeader(json: header)
        else { throw Self.damaged(path, "was changed or cut since it was written") }
        self.header = decoded
        self.count = Int64(count)
        self.digest = digest
        descriptor = file
        rows = first.count + 1..<end
        isComplete = true
    }

    deinit { Glibc.close(descriptor) }

    /// The rows, in the order of the source.
    ///
    /// - Throws: ``PlanFileProblem``, and what `body` throws.
    package func forEach(_ body: (PlanEntry) throws -> Void) throws {
        try PlanLines.forEach(descriptor, from: rows.lowerBound, to: rows.upperBound) { line in
            if let entry = PlanEntry(json: line) { try body(entry) }
        }
    }

    /// The rows one by one.
    func reader() -> PlanReader { PlanReader(self, descriptor, rows) }

    /// Whether the file at `path` begins like a plan, whatever became of it since.
    static func isPlan(_ path: String) -> Bool {
        // Nothing that waits for a writer or does something when it is read.
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { Glibc.close(file) }
        let begin = Array("{\"kind\":\"\(PlanHeader.kind)\",".utf8)
        var bytes = [UInt8](repeating: 0, count: begin.count)
        return pread(file, &bytes, bytes.count, 0) == begin.count && bytes == begin
    }

    /// The last line of a plan.
    static func seal(rows: Int64, _ digest: String) -> JSON {
        .object(["seal": .string("sha256"), "rows": .integer(rows), "digest": .string(digest)])
    }

    static func digest(_ file: Int32, _ length: Int, _ path: String) throws(PlanFileProblem) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        guard penstock_sha256_of_beginning(file, length, &digest) == 1 else {
            throw .system(.unreadable, path, "cannot be read")
        }
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func damaged(_ path: String, _ what: String) -> PlanFileProblem {
        PlanFileProblem(kind: .damaged, message: "\(path) \(what)")
    }

    private static func parsed(_ line: [UInt8]) -> JSON? {
        // What is no JSON is no plan, which is what the caller says.
        try? JSON(parsing: line)
    }

    private static func firstLine(_ file: Int32, _ size: Int) -> [UInt8]? {
        var line: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while line.count < min(size, headerMax) {
            let count = pread(file, &piece, piece.count, off_t(line.count))
            guard count > 0 else { return nil }
            if let end = piece[..<count].firstIndex(of: UInt8(ascii: "\n")) { return line + piece[..<end] }
            line += piece[..<count]
        }
        return nil
    }

    /// How many lines end in `range`, or nil where it cannot be read: the digest says nothing of the last line.
    private static func lines(_ file: Int32, _ range: Range<Int>) -> Int? {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var (place, lines) = (range.lowerBound, 0)
        while place < range.upperBound {
            let read = pread(file, &piece, min(piece.count, range.upperBound - place), off_t(place))
            guard read > 0 else { return nil }
            lines += piece[..<read].count { $0 == UInt8(ascii: "\n") }
            place += read
        }
        return lines
    }

    /// The last line, and where it begins.
    private static func seal(_ file: Int32, _ size: Int) -> (JSON, Int)? {
        let start = max(0, size - sealMax)
        var piece = [UInt8](repeating: 0, count: size - start)
        guard pread(file, &piece, piece.count, off_t(start)) == piece.count, piece.last == UInt8(ascii: "\n"),
            let before = piece.dropLast().lastIndex(of: UInt8(ascii: "\n"))
        else { return nil }
        return parsed(Array(piece[(before + 1)..<(piece.count - 1)])).map { ($0, start + before + 1) }
    }
}

/// The rows of a plan, one by one.
final class PlanReader {
    private let plan: SealedPlan
    private let descriptor: Int32
    private let end: Int
    private var offset: Int
    private var rest: ArraySlice<UInt8> = []

    init(_ plan: SealedPlan, _ descriptor: Int32, _ rows: Range<Int>) {
        self.plan = plan
        self.descriptor = descriptor
        offset = rows.lowerBound
        end = rows.upperBound
    }

    /// The next row; nil at the end.
    ///
    /// - Throws: ``PlanFileProblem``.
    func next() throws(PlanFileProblem) -> PlanEntry? {
        while true {
            if let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(rest[..<newline])
                rest = rest[(newline + 1)...]
                do {
                    if let entry = PlanEntry(json: try JSON(parsing: line)) { return entry }
                } catch {
                    throw PlanFileProblem(kind: .damaged, message: "\(plan.path) has a line that is no JSON")
                }
                continue
            }
            guard offset < end else { return nil }
            var piece = [UInt8](repeating: 0, count: min(1 << 16, end - offset))
            let count = pread(descriptor, &piece, piece.count, off_t(offset))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .system(.unreadable, plan.path, "cannot be read") }
            offset += count
            rest = ArraySlice(Array(rest) + piece[..<count])
        }
    }
}
