// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// The fields of a row that were sent, with their values; nothing is made of them until somebody looks.
package struct SentFields: Sendable {
    private enum Origin: Sendable {
        case row(ChunkBox, Int, [CompiledMapping.Target], changed: [Int]?)
        case values([(name: String, value: Value)])
    }

    private let origin: Origin

    /// Those that row `row` of a chunk sets, or of them those that changed.
    init(_ chunk: ChunkBox, _ row: Int, _ targets: [CompiledMapping.Target], changed: [Int]?) {
        origin = .row(chunk, row, targets, changed: changed)
    }

    /// Some fields by name.
    init(_ values: [(name: String, value: Value)]) { origin = .values(values) }

    /// Visits the names as the map spells them, in the order of the map.
    package func forEachName(_ body: (String) -> Void) {
        switch origin {
        case .values(let values): for value in values { body(value.name) }
        case .row(let chunk, let row, let targets, let changed):
            for target in targets.indices where chunk.sets(row, target, changed) { body(targets[target].name) }
        }
    }

    /// Appends the fields as the members of a JSON object: texts, and null for none.
    ///
    /// - Parameters:
    ///   - dotted: The fields in place of whose values `dots` stands.
    ///   - charactersMax: How much of a text is shown; what is longer ends in "…".
    package func write(into out: inout [UInt8], dotted: Set<String>, dots: String, charactersMax: Int) {
        var isFirst = true
        func begin(_ name: String) -> Bool {
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            JSON.writeString(name.utf8, into: &out)
            out.append(UInt8(ascii: ":"))
            return !dotted.isEmpty && dotted.contains(name)
        }
        switch origin {
        case .values(let values):
            for (name, value) in values {
                let text = begin(name) && !value.isNull ? .text(dots) : value
                Self.write(text, into: &out, charactersMax)
            }
        case .row(let chunk, let row, let targets, let changed):
            for target in targets.indices where chunk.sets(row, target, changed) {
                let isDotted = begin(targets[target].name)
                Self.write(chunk.chunk.mapped.columns[target], row, into: &out, isDotted ? dots : nil, charactersMax)
            }
        }
    }

    private static func write(
        _ column: Column, _ row: Int, into out: inout [UInt8], _ dots: String?, _ charactersMax: Int
    ) {
        if column.isNull(row) {
            out.append(contentsOf: "null".utf8)
        } else if let dots {
            JSON.writeString(dots.utf8, into: &out)
        } else if column.type == .text, column.byteRange(row).count <= charactersMax {
            JSON.writeString(column.byteSlice(row), into: &out)
        } else {
            write(column.value(row), into: &out, charactersMax)
        }
    }

    private static func write(_ value: Value, into out: inout [UInt8], _ charactersMax: Int) {
        guard !value.isNull else { return out.append(contentsOf: "null".utf8) }
        let text = SourceRowText.text(of: value)
        // As many bytes cannot be more characters.
        guard text.utf8.count > charactersMax, text.count > charactersMax else {
            return JSON.writeString(text.utf8, into: &out)
        }
        JSON.writeString((text.prefix(charactersMax) + "…").utf8, into: &out)
    }
}

extension ChunkBox {
    fileprivate func sets(_ row: Int, _ target: Int, _ changed: [Int]?) -> Bool {
        chunk.mapped.presence[row, target] && (changed?.contains(target) ?? true)
    }
}
