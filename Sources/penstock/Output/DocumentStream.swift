// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A ``Document`` whose data is a list, written piece by piece: the same text, in memory that does not grow with it.
///
/// What was begun is ended whatever happens, so that the text is a JSON value.
final class DocumentStream {
    private let kind: String
    private let write: (String) -> Void
    private var hasItems = false

    /// A stream that has written nothing yet.
    ///
    /// - Parameter write: Takes the text, in order.
    init(kind: String, write: @escaping (String) -> Void = Terminal.write) {
        self.kind = kind
        self.write = write
        write("{\n  \"schema_version\": \"1.0\",\n  \"kind\": \(JSON.string(kind).text),\n  \"data\": [")
    }

    /// Writes an element of the list.
    func add(_ item: JSON) { write(separator(hasItems, depth: 2) + Self.text(item, depth: 2)) }

    /// Writes an object as an element of the list, with one more member, an array whose elements come one by one.
    ///
    /// - Parameters:
    ///   - object: The other members, at least one.
    ///   - elements: Gives every element to the function that it is lent.
    /// - Throws: What `elements` throws; the array ends there.
    func add(_ object: JSONObject, _ member: String, _ elements: (@escaping (JSON) -> Void) throws -> Void) rethrows {
        let start = Self.text(.object(object), depth: 2).dropLast(Self.newline(2).count + 1)
        write(separator(hasItems, depth: 2) + start + "," + Self.newline(3) + JSON.string(member).text + ": [")
        var isFirst = true
        defer { write((isFirst ? "" : Self.newline(3)) + "]" + Self.newline(2) + "}") }
        try elements { element in
            self.write((isFirst ? "" : ",") + Self.newline(4) + Self.text(element, depth: 4))
            isFirst = false
        }
    }

    /// Ends the text.
    func end() { write((hasItems ? Self.newline(1) : "") + "]\n}\n") }

    private func separator(_ isNext: Bool, depth: Int) -> String {
        hasItems = true
        return (isNext ? "," : "") + Self.newline(depth)
    }

    private static func newline(_ depth: Int) -> String { "\n" + String(repeating: "  ", count: depth) }

    /// A value as it stands so deep in a text for people; no string in such a text has a line feed of its own.
    private static func text(_ value: JSON, depth: Int) -> String {
        String(value.prettyText.dropLast()).replacing("\n", with: newline(depth))
    }
}
