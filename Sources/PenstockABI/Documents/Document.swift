// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Why a JSON document that crossed the boundary cannot be used.
package struct DocumentError: Error {
    /// What is wrong, as a clause without a full stop.
    package let reason: String

    /// A reason, as a clause without a full stop.
    package init(reason: String) { self.reason = reason }
}

/// What all JSON documents of the boundary have in common: an object with `"v": 1`.
package enum Document {
    /// The most bytes of a document.
    package static let bytesMax = 16 << 20

    /// Parses a document and checks its version.
    package static func parse(_ bytes: [UInt8]) throws(DocumentError) -> JSON {
        let document: JSON
        do {
            document = try JSON(parsing: bytes)
        } catch {
            throw DocumentError(reason: "it is not JSON: \(error)")
        }
        guard document.objectValue != nil else { throw DocumentError(reason: "it is not a JSON object") }
        guard document["v"]?.intValue == 1 else { throw DocumentError(reason: "its v is not 1") }
        return document
    }

    /// A document with one list in it.
    static func list(_ name: String, _ items: [JSON]) -> JSON {
        .object(["v": .integer(1), name: .array(items)] as JSONObject)
    }
}

extension JSON {
    /// The text under `key`, which must be there.
    func text(_ key: String) throws(DocumentError) -> String {
        guard let text = try textIfPresent(key) else { throw DocumentError(reason: "\(key) is missing") }
        return text
    }

    /// The text under `key`; nil where it is missing or null.
    func textIfPresent(_ key: String) throws(DocumentError) -> String? {
        guard let value = present(key) else { return nil }
        guard let text = value.stringValue else { throw DocumentError(reason: "\(key) is not a string") }
        return text
    }

    /// The boolean under `key`; `fallback` where it is missing or null.
    func flag(_ key: String, _ fallback: Bool) throws(DocumentError) -> Bool {
        guard let value = present(key) else { return fallback }
        guard let flag = value.boolValue else { throw DocumentError(reason: "\(key) is not true or false") }
        return flag
    }

    /// The integer under `key`; nil where it is missing or null.
    func integer(_ key: String) throws(DocumentError) -> Int? {
        guard let value = present(key) else { return nil }
        guard let number = value.intValue else { throw DocumentError(reason: "\(key) is not an integer") }
        return number
    }

    /// What a request costs, under `key`; 0 where it is missing or null.
    func cost(_ key: String) throws(DocumentError) -> Int64 {
        let cost = Int64(try integer(key) ?? 0)
        guard RequestCosts.allowed.contains(cost) else {
            throw DocumentError(reason: "\(key) is \(cost); a request costs 0 to \(RequestCosts.allowed.upperBound)")
        }
        return cost
    }

    /// The list under `key`; empty where it is missing or null.
    func list(_ key: String) throws(DocumentError) -> [JSON] {
        guard let value = present(key) else { return [] }
        guard let items = value.arrayValue else { throw DocumentError(reason: "\(key) is not a list") }
        return items
    }

    /// The list of texts under `key`; empty where it is missing or null.
    func texts(_ key: String) throws(DocumentError) -> [String] {
        var texts: [String] = []
        for item in try list(key) {
            guard let text = item.stringValue else {
                throw DocumentError(reason: "\(key) holds something that is not a string")
            }
            texts.append(text)
        }
        return texts
    }

    /// The list of objects under `key`, each decoded; a fault names the position.
    func decoded<T>(_ key: String, _ decode: (JSON) throws(DocumentError) -> T) throws(DocumentError) -> [T] {
        var results: [T] = []
        for (index, item) in try list(key).enumerated() {
            do {
                results.append(try decode(item))
            } catch {
                throw DocumentError(reason: "\(key)[\(index)]: \(error.reason)")
            }
        }
        return results
    }

    private func present(_ key: String) -> JSON? {
        guard let value = self[key], !value.isNull else { return nil }
        return value
    }
}
