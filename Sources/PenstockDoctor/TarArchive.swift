// SPDX-License-Identifier: Apache-2.0

/// A tar archive (POSIX ustar) of small texts.
package struct TarArchive: Sendable {
    private static let block = 512
    private static let nameMax = 100

    private var bytes: [UInt8] = []
    private let time: Int64

    /// An empty archive.
    ///
    /// - Parameter seconds: The time of every file, in seconds since 1970.
    package init(seconds: Int64) { time = max(0, seconds) }

    /// Adds a file that its owner alone may read.
    ///
    /// - Parameter name: With `/` between folders; a name longer than 100 bytes keeps its end.
    package mutating func add(_ name: String, _ content: [UInt8]) {
        var header = [UInt8](repeating: 0, count: Self.block)
        func put(_ text: some Sequence<UInt8>, at place: Int) {
            for (index, byte) in text.enumerated() { header[place + index] = byte }
        }
        put(name.utf8.suffix(Self.nameMax), at: 0)
        put(Self.octal(0o600, 7).utf8, at: 100)
        put(Self.octal(0, 7).utf8, at: 108)
        put(Self.octal(0, 7).utf8, at: 116)
        put(Self.octal(Int64(content.count), 11).utf8, at: 124)
        put(Self.octal(time, 11).utf8, at: 136)
        put("        ".utf8, at: 148)
        put("0".utf8, at: 156)
        put("ustar\0".utf8, at: 257)
        put("00".utf8, at: 263)
        let sum = header.reduce(0) { $0 + Int64($1) }
        put((Self.octal(sum, 6) + "\0 ").utf8, at: 148)
        bytes += header
        bytes += content
        bytes += [UInt8](repeating: 0, count: (Self.block - content.count % Self.block) % Self.block)
    }

    /// The whole archive.
    package var data: [UInt8] { bytes + [UInt8](repeating: 0, count: 2 * Self.block) }

    private static func octal(_ number: Int64, _ width: Int) -> String {
        let digits = String(number, radix: 8)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
