// SPDX-License-Identifier: Apache-2.0

/// One HTTP request.
package struct HTTPRequest: Sendable, Hashable {
    /// The methods that connectors need.
    package enum Method: String, Sendable, Hashable {
        /// Reads.
        case get = "GET"
        /// Creates.
        case post = "POST"
        /// Changes what is named.
        case patch = "PATCH"
        /// Deletes.
        case delete = "DELETE"
    }

    /// The method.
    package var method: Method
    /// The absolute address; without a NUL.
    package var url: String
    /// Headers, in order.
    package var headers: [HTTPHeader]
    /// The body, or empty for none.
    package var body: [UInt8]
    /// Whether the body may go out more than once.
    ///
    /// libcurl repeats a request by itself, of any method, when a kept connection turns out dead before the first
    /// byte of an answer; the server may have acted on it all the same. With false the repetition ends in
    /// ``HTTPFailure/Cause/notRepeated`` instead.
    package var isRepeatable: Bool

    /// A request.
    package init(
        _ method: Method, _ url: String, headers: [HTTPHeader] = [], body: [UInt8] = [], isRepeatable: Bool
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.isRepeatable = isRepeatable
    }

    /// The text with everything but letters, digits and `-._~` percent-encoded, for a part of a query.
    package static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                out.append(byte)
            default: out.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// One header line.
package struct HTTPHeader: Sendable, Hashable {
    /// The name; in lower case where it was received.
    package let name: String
    /// The value, without space around it.
    package let value: String

    /// A header, or nil where name or value hold a line break or another control character.
    ///
    /// Such a character would let a value add headers of its own.
    package init?(_ name: String, _ value: String) {
        guard !name.isEmpty, !(name + value).utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return nil }
        self.name = name
        self.value = value
    }

    /// The header of HTTP's basic authentication, or nil where the user's name holds a colon, which would end it.
    package static func basicAuthorization(user: String, password: String) -> HTTPHeader? {
        guard !user.utf8.contains(UInt8(ascii: ":")) else { return nil }
        return HTTPHeader("Authorization", "Basic " + base64(Array("\(user):\(password)".utf8)))
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                let isPadding = place > group.count
                out.append(isPadding ? UInt8(ascii: "=") : digits[bits >> (18 - 6 * place) & 63])
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A header as a server sent it.
    init(received name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
