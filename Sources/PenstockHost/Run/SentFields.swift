// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// The fields of a row that were sent, with their values; nothing is made of them until somebody looks.
package struct SentFields: Sendable {
    fileprivate enum Origin: Sendable {
        case row(ChunkBox, Int, [CompiledMapping.Target], only: [Int]?)
        case values([(name: String, value: Value)])
    }

    fileprivate let origin: Origin

    /// Those that row `row` of a chunk sets, or of them some.
    init(_ chunk: ChunkBox, _ row: Int, _ targets: [CompiledMapping.Target], only: [Int]?) {
        origin = .row(chunk, row, targets, only: only)
    }

    /// Some fields by name.
    init(_ values: [(name: String, value: Value)]) { origin = .values(values) }

    /// Visits the names as the map spells them, in the order of the map.
    package func forEachName(_ body: (String) -> Void) {
        switch origin {
        case .values(let values): for value in values { body(value.name) }
        case .row(let chunk, let row, let targets, let only):
            let presence = chunk.chunk.mapped.presence
            for target in targets.indices where presence.sets(row, target, only) { body(targets[target].name) }
        }
    }
}

extension Presence {
    fileprivate func sets(_ row: Int, _ target: Int, _ only: [Int]?) -> Bool {
        self[row, target] && (only?.contains(target) ?? true)
    }
}

/// Writes fields that were sent as the members of JSON objects: texts, and null for none.
///
/// Rows mostly come one after the other from one chunk: what they share is made once, and kept until another comes.
package struct SentFieldsWriter {
    private let dotted: Set<String>
    private let dots: String
    private let charactersMax: Int
    private var held: Held?

    /// What the rows of a chunk share.
    private final class Held {
        let chunk: ChunkBox
        let columns: HeldColumns
        let presence: Presence
        let isDotted: [Bool]
        /// How the members of the targets begin, one behind the other: a comma, the name and a colon.
        let names: [UInt8]
        /// Where each of these begins, and where the last one ends.
        let starts: [Int]

        init(_ chunk: ChunkBox, _ targets: [CompiledMapping.Target], _ dotted: Set<String>) {
            self.chunk = chunk
            columns = HeldColumns(chunk.chunk.mapped.columns)
            presence = chunk.chunk.mapped.presence
            isDotted = targets.map { dotted.contains($0.name) }
            var (names, starts): ([UInt8], [Int]) = ([], [0])
            for target in targets {
                names += SentFieldsWriter.member(target.name)
                starts.append(names.count)
            }
            self.names = names
            self.starts = starts
        }
    }

    /// - Parameters:
    ///   - dotted: The fields in place of whose values `dots` stands.
    ///   - charactersMax: How much of a text is shown; what is longer ends in "…".
    package init(dotted: Set<String>, dots: String, charactersMax: Int) {
        self.dotted = dotted
        self.dots = dots
        self.charactersMax = charactersMax
    }

    /// Appends the fields of a row, with commas between them.
    package mutating func write(_ fields: SentFields, into out: JSONBuffer) {
        switch fields.origin {
        case .values(let values):
            for (place, (name, value)) in values.enumerated() {
                let member = Self.member(name)
                out.append(member, (place == 0 ? 1 : 0)..<member.count)
                write(dotted.contains(name) && !value.isNull ? .text(dots) : value, into: out)
            }
        case .row(let chunk, let row, let targets, let only):
            let held = hold(chunk, targets)
            var isFirst = true
            for target in targets.indices where held.presence.sets(row, target, only) {
                let start = held.starts[target] + (isFirst ? 1 : 0)
                out.append(held.names, start..<held.starts[target + 1])
                isFirst = false
                write(held, target, row, into: out)
            }
        }
    }

    private mutating func hold(_ chunk: ChunkBox, _ targets: [CompiledMapping.Target]) -> Held {
        if let held, held.chunk === chunk { return held }
        let made = Held(chunk, targets, dotted)
        held = made
        return made
    }

    /// How a member begins: a comma, the name and a colon.
    private static func member(_ name: String) -> [UInt8] {
        var bytes = [UInt8(ascii: ",")]
        JSON.writeString(name.utf8, into: &bytes)
        bytes.append(UInt8(ascii: ":"))
        return bytes
    }

    /// Writes a cell; the commonest types without a value of their own.
    private func write(_ held: Held, _ target: Int, _ row: Int, into out: JSONBuffer) {
        let cells = held.columns.pointers[target]
        guard !cells.isNull(row) else { return out.append("null") }
        guard !held.isDotted[target] else { return out.appendString(dots) }
        switch cells.type {
        case .text, .decimal, .json:
            let text = cells.cell(row)
            if text.count <= charactersMax { return out.appendString(text) }
        case .bool: return out.append(cells.int64s[row] != 0 ? "\"true\"" : "\"false\"")
        case .int64:
            out.append(UInt8(ascii: "\""))
            out.append(cells.int64s[row])
            return out.append(UInt8(ascii: "\""))
        case .date where CivilDate.fourDigitDays.contains(cells.int64s[row]):
            out.append(UInt8(ascii: "\""))
            out.append(CivilDate(near: cells.int64s[row]))
            return out.append(UInt8(ascii: "\""))
        default: break
        }
        write(held.columns.columns[target].value(row), into: out)
    }

    private func write(_ value: Value, into out: JSONBuffer) {
        guard !value.isNull else { return out.append("null") }
        let text = SourceRowText.text(of: value)
        // As many bytes cannot be more characters.
        guard text.utf8.count > charactersMax, text.count > charactersMax else { return out.appendString(text) }
        out.appendString(text.prefix(charactersMax) + "…")
    }
}
