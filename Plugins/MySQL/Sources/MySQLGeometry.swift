// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Geometries as text: WKT, with `SRID=n;` before it where the geometry names a reference system.
enum MySQLGeometry {
    /// The text of MySQL's own form, a SRID and then WKB; nil where it is damaged or of an unknown kind.
    static func text(_ bytes: Span<UInt8>) -> String? {
        guard bytes.count > 4 else { return nil }
        var scanner = Scanner(position: 0, isLittle: true)
        guard let reference = scanner.number(bytes), let body = scanner.geometry(bytes, depth: 0),
            scanner.position == bytes.count
        else { return nil }
        return reference == 0 ? body : "SRID=\(reference);\(body)"
    }

    private struct Scanner {
        var position: Int
        var isLittle: Bool

        private static let depthMax = 32
        private static let names = [
            "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION",
        ]

        private mutating func bits(_ bytes: Span<UInt8>, _ width: Int) -> UInt64? {
            guard position + width <= bytes.count else { return nil }
            var value: UInt64 = 0
            for index in 0..<width {
                let place = isLittle ? position + width - 1 - index : position + index
                value = value << 8 | UInt64(bytes[place])
            }
            position += width
            return value
        }

        mutating func number(_ bytes: Span<UInt8>) -> UInt64? { bits(bytes, 4) }

        /// One geometry with its byte order and kind in front.
        mutating func geometry(_ bytes: Span<UInt8>, depth: Int) -> String? {
            guard let inside = parts(bytes, depth: depth) else { return nil }
            let name = Self.names[inside.kind - 1]
            return inside.body == "EMPTY" ? "\(name) EMPTY" : "\(name)\(inside.body)"
        }

        private mutating func parts(_ bytes: Span<UInt8>, depth: Int) -> (kind: Int, body: String)? {
            guard depth < Self.depthMax, position < bytes.count, bytes[position] <= 1 else { return nil }
            isLittle = bytes[position] == 1
            position += 1
            guard let kind = number(bytes), (1...7).contains(kind) else { return nil }
            let body: String? =
                switch kind {
                case 1: coordinates(bytes).map { "(\($0))" }
                case 2: list(bytes) { $0.coordinates(bytes) }
                case 3: list(bytes) { $0.list(bytes) { $0.coordinates(bytes) } }
                case 7: list(bytes) { $0.geometry(bytes, depth: depth + 1) }
                default:
                    // The parts of a multi… are whole geometries, written without their names.
                    list(bytes) { $0.parts(bytes, depth: depth + 1)?.body }
                }
            return body.map { (Int(kind), $0) }
        }

        private mutating func list(_ bytes: Span<UInt8>, _ item: (inout Scanner) -> String?) -> String? {
            guard let count = number(bytes) else { return nil }
            if count == 0 { return "EMPTY" }
            var items: [String] = []
            for _ in 0..<count {
                guard let text = item(&self) else { return nil }
                items.append(text)
            }
            return "(" + items.joined(separator: ",") + ")"
        }

        private mutating func coordinates(_ bytes: Span<UInt8>) -> String? {
            guard let x = bits(bytes, 8), let y = bits(bytes, 8) else { return nil }
            return "\(Self.shown(x)) \(Self.shown(y))"
        }

        /// The shortest text that is this double, without a fraction where there is none.
        private static func shown(_ bits: UInt64) -> String {
            let text = Double(bitPattern: bits).description
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }
    }
}
