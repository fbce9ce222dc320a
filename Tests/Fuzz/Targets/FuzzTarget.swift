// SPDX-License-Identifier: Apache-2.0

/// One part of Penstock that reads bytes which others made, and what must hold for whatever they are.
package struct FuzzTarget: Sendable {
    /// The name: that of its folder of inputs too.
    package let name: String
    /// Tries `input` and says which rule does not hold, or nil; a crash speaks for itself.
    ///
    /// - Parameter isPlanted: Whether a fault is built in that a search must be able to find.
    package let fault: @Sendable (_ input: [UInt8], _ isPlanted: Bool) -> String?
    /// Pieces that inputs are made of.
    package let pieces: [String]

    init(_ name: String, pieces: [String] = [], _ fault: @escaping @Sendable ([UInt8], Bool) -> String?) {
        self.name = name
        self.pieces = pieces
        self.fault = fault
    }

    /// All of them.
    package static let all: [FuzzTarget] = [
        .answer, .arrow, .csv, .csvTable, .document, .json, .project, .state, .text, .wire,
    ]

    /// Inputs longer than this are cut.
    package static let bytesMax = 4_096
}

/// An input as choices, followed by what is left.
struct FuzzInput {
    private(set) var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    /// What is left.
    var rest: [UInt8] { Array(bytes) }

    /// The next byte; 0 where there is none.
    mutating func byte() -> UInt8 { bytes.popFirst() ?? 0 }

    /// A number below `limit`, from one byte.
    mutating func choice(_ limit: Int) -> Int { Int(byte()) % limit }

    /// A yes or no.
    mutating func flag() -> Bool { byte() & 1 == 1 }

    /// Eight bytes as a number.
    mutating func word() -> UInt64 { (0..<8).reduce(0) { word, _ in word << 8 | UInt64(byte()) } }

    /// The bytes up to the next 0, or all.
    mutating func line() -> [UInt8] {
        let line = bytes.prefix { $0 != 0 }
        bytes = bytes.dropFirst(line.count + 1)
        return Array(line)
    }

    /// The next `count` bytes, or what there is.
    mutating func take(_ count: Int) -> [UInt8] {
        defer { bytes = bytes.dropFirst(count) }
        return Array(bytes.prefix(count))
    }
}
