// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How far a state file had come when it was last written: what a file is held against when it is opened.
struct StateMark: Sendable, Hashable {
    /// The random text that a state file gets when it is made; 32 hexadecimal digits.
    var identity: String
    /// The number of the last run, 0 before the first.
    var run: Int64
    /// How many transactions have changed the file.
    var sequence: Int64
    /// The digest of the whole file while nobody has it open, or nil.
    var content: Fingerprint?

    /// The number of bytes that a mark takes, so that one write replaces another as a whole.
    static let size = 192
    private static let word = "penstock-mark"

    init(identity: String, run: Int64, sequence: Int64, content: Fingerprint? = nil) {
        self.identity = identity
        self.run = run
        self.sequence = sequence
        self.content = content
    }

    /// A mark from its bytes, or nil where they are not exactly those of a mark: torn, cut, flipped.
    init?(bytes: [UInt8]) {
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count >= 6, parts[0] == Self.word, parts[1] == "1", let run = Int64(parts[3]),
            let sequence = Int64(parts[4])
        else { return nil }
        self.init(
            identity: String(parts[2]), run: run, sequence: sequence, content: Fingerprint(hex: String(parts[5])))
        guard self.bytes == bytes else { return nil }
    }

    /// The bytes, ``size`` of them.
    var bytes: [UInt8] {
        var check = RowCheck("mark")
        check.add(identity)
        check.add(run)
        check.add(sequence)
        check.add(content)
        let sum = UInt64(bitPattern: check.value)
        var text = Array(
            "\(Self.word) 1 \(identity) \(run) \(sequence) \(content?.hex ?? "open") \(String(sum, radix: 16))".utf8)
        text += [UInt8](repeating: 0x20, count: max(0, Self.size - 1 - text.count)) + [0x0A]
        return text
    }

    /// A new random identity.
    static func newIdentity() -> String {
        Fingerprint(low: .random(in: .min ... .max), high: .random(in: .min ... .max)).hex
    }
}
