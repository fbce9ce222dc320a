// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// An answer that no client should take in.
package enum SandboxFlood: Sendable, Equatable {
    /// Blanks without an end.
    case endless
    /// Blanks of 64 MiB, announced as such.
    case huge
    /// Less than half a MiB of gzip that becomes 64 MiB.
    case bomb

    /// What the flood amounts to, in bytes.
    static let size = 64 << 20

    /// A piece of the body.
    static let piece = [UInt8](repeating: 0x20, count: 1 << 16)

    /// gzip of `size` zero bytes: one literal and then only "258 bytes from one byte back", in deflate's fixed codes.
    static let gzip: [UInt8] = {
        var bits = BitWriter(bytes: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
        bits.add(1, 1)  // the last block
        bits.add(0b10, 2)  // of fixed codes: 01, whose low bit comes first
        bits.add(0b0011_0000, 8)  // a zero byte
        for _ in 0..<size / 258 {
            bits.add(0b1100_0101, 8)  // a length of 258
            bits.add(0, 5)  // a distance of 1
        }
        bits.add(0, 7)  // the end of the block
        bits.add(0, 7)
        // The checksum is left wrong: nobody gets so far.
        return bits.bytes + [0, 0, 0, 0, 0, 0, 0, 4]
    }()
}

/// Bits as deflate packs them: the first one is the lowest of its byte.
private struct BitWriter {
    var bytes: [UInt8]
    private var held: UInt8 = 0
    private var count: UInt8 = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Adds the low bits of a number, the highest of them first, as codes stand in deflate.
    mutating func add(_ value: Int, _ bits: Int) {
        for place in (0..<bits).reversed() {
            held |= UInt8(value >> place & 1) << count
            count += 1
            guard count == 8 else { continue }
            bytes.append(held)
            held = 0
            count = 0
        }
    }
}
