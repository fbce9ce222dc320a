// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The text in a record that says which row of which sync it was created for.
///
/// It is made from names and keys alone, so that it can be made again where the state is lost, and holds no value of
/// the source. Its first part, 26 characters, stands for project, sync, object and source key. What may follow behind a
/// dash tells several records of one key apart: the run of a FULL + Append, the version of an INCREMENTAL + Append.
package enum Marker {
    /// The label of the field that holds it.
    package static let fieldLabel = "Penstock key"

    /// Where markers come from: what makes those of two syncs different.
    package struct Origin: Sendable, Hashable {
        /// The project's name.
        package var project: String
        /// The sync's name.
        package var sync: String
        /// The object that is written.
        package var object: String

        /// Where markers come from.
        package init(project: String, sync: String, object: String) {
            self.project = project
            self.sync = sync
            self.object = object
        }
    }

    /// Which of several records of one key is meant.
    package enum Generation: Sendable, Hashable {
        /// There is only one.
        case only
        /// The one of a run, by the run's id: ids sort by time, and no two states ever give the same.
        case run(String)
        /// The one of a version of the row: a digest of its Incremental Key, or of all of it.
        case version(Fingerprint)
    }

    /// The marker of a row.
    package static func text(_ origin: Origin, key: Fingerprint, _ generation: Generation) -> String {
        let stem = stem(origin, key: key)
        return switch generation {
        case .only: stem
        case .run(let id): "\(stem)-r\(id)"
        case .version(let version): "\(stem)-v\(base32(Array(version.bytes.prefix(10))))"
        }
    }

    /// The first part, which all markers of a key share.
    package static func stem(_ origin: Origin, key: Fingerprint) -> String {
        var hasher = FingerprintHasher()
        hasher.combine("psk1")
        hasher.combine(origin.project)
        hasher.combine(origin.sync)
        hasher.combine(origin.object)
        hasher.combine(key.low)
        hasher.combine(key.high)
        return base32(hasher.finish().bytes)
    }

    /// The stem and the run of a marker; nil for a text that is none.
    package static func parts(_ text: String) -> (stem: String, run: String?)? {
        let halves = text.split(separator: "-", maxSplits: 1)
        guard let stem = halves.first, stem.utf8.count == 26,
            stem.utf8.allSatisfy({ alphabet.contains($0) })
        else { return nil }
        guard halves.count == 2 else { return (String(stem), nil) }
        guard halves[1].hasPrefix("r") else { return (String(stem), nil) }
        return (String(stem), String(halves[1].dropFirst()))
    }

    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    private static func base32(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        var (buffer, bits): (UInt32, UInt32) = (0, 0)
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                out.append(alphabet[Int(buffer >> bits & 31)])
            }
            buffer &= 0xFF
        }
        if bits > 0 { out.append(alphabet[Int(buffer << (5 - bits) & 31)]) }
        return String(decoding: out, as: UTF8.self)
    }
}
