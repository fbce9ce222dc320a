// SPDX-License-Identifier: Apache-2.0

/// What holds for every request of a connection.
package struct HTTPSettings: Sendable, Hashable {
    /// How long one request may take in all, in milliseconds; this also ends answers that trickle in for ever.
    package var timeoutMilliseconds = 30_000
    /// How long a connection may take to be made, in milliseconds, TLS included.
    package var connectTimeoutMilliseconds = 10_000
    /// A file of certificates to trust instead of the system's, or nil.
    package var caFile: String?
    /// Whether `http://` is allowed besides `https://`; only for hosts on this machine.
    package var allowsPlainHTTP = false
    /// The `User-Agent` header.
    package var userAgent = "penstock"
    /// How many seconds a request may go on with less than a byte per second.
    ///
    /// It also ends the wait for an answer that does not begin, so a longer ``timeoutMilliseconds`` needs a longer time
    /// here.
    package var idleSeconds = 20
    /// The most bytes that an answer's body may have, after decompression.
    package var bodyBytesMax = 32 << 20
    /// The most bytes that an answer's header may have.
    package var headerBytesMax = 64 << 10
    /// The headers of answers that are of interest, in lower case; nil keeps all of them.
    package var headersKept: [String]?

    /// Settings with the usual limits.
    package init() {}

    /// The name of a header of an answer in lower case, or nil where it is of no interest.
    func keptName(_ name: Slice<UnsafeRawBufferPointer>) -> String? {
        guard let headersKept else { return String(decoding: name, as: UTF8.self).lowercased() }
        return headersKept.first { kept in
            kept.utf8.count == name.count && zip(kept.utf8, name).allSatisfy { $0 == Self.lowercased($1) }
        }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
