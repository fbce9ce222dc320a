// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The mark of the first row of the next page: base64url of a small JSON object, as the live API sends it.
struct Cursor: Equatable {
    var field: String
    var value: Int64
    var descending: Bool
    var id: Int

    init(field: String, value: Int64, descending: Bool = false, id: Int = 0) {
        self.field = field
        self.value = value
        self.descending = descending
        self.id = id
    }

    /// Reads a cursor, or nil where the text is none.
    init?(_ text: String) {
        guard let bytes = Self.decoded(text) else { return nil }
        // A text that is not JSON is no cursor, whatever is wrong with it.
        guard let json = try? JSON(parsing: bytes), let field = json["field"]?.stringValue,
            let value = json["fieldValue"]?.intValue, let id = json["id"]?.intValue,
            let direction = json["sortDirection"]?.stringValue
        else { return nil }
        self.init(field: field, value: Int64(value), descending: direction == "desc", id: id)
    }

    /// The opaque text.
    var text: String {
        let json = JSON.members([
            "field": .string(field), "fieldValue": .integer(value),
            "sortDirection": .string(descending ? "desc" : "asc"), "id": .integer(id),
        ])
        return Self.encoded(json.utf8)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static func encoded(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                out.append(alphabet[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { out.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
        return String(decoding: out, as: UTF8.self)
    }

    private static func decoded(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8 {
            guard let digit = alphabet.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | UInt32(digit)
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return out
    }
}
