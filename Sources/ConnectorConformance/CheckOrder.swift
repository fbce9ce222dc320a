// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What the checks of one connector are made with.
package struct CheckOrder: Sendable {
    /// The library, absolute.
    package var library: String
    /// The settings, or nil where none were given.
    package var settings: JSON?
    /// The secrets in the settings.
    package var secrets: [String] = []
    /// The objects to read or to write; empty for the first ones there are.
    package var objects: [String] = []
    /// A query to read, or nil.
    package var query: String?
    /// The setting with the address of the server, or nil to look for one.
    package var through: String?
    /// Whether the settings are of a server made for trying, so that it may be written to.
    package var isRehearsal = false
    /// What everything random follows from.
    package var seed: UInt64

    /// What the checks of the library at `library` are made with.
    package init(library: String, seed: UInt64) {
        self.library = library
        self.seed = seed
    }

    /// The order to make one check, for a child process.
    func document(check: String) -> JSON {
        .object([
            "check": .string(check), "library": .string(library), "settings": settings ?? .null,
            "secrets": .strings(secrets), "objects": .strings(objects),
            "query": query.map(JSON.string) ?? .null, "through": through.map(JSON.string) ?? .null,
            "rehearsal": .bool(isRehearsal), "seed": .string(String(seed)),
        ])
    }

    /// The order in a document, with the check to make; nil where it is none.
    static func order(document: JSON) -> (check: String, order: CheckOrder)? {
        guard let check = document["check"]?.stringValue, let library = document["library"]?.stringValue,
            let seed = document["seed"]?.stringValue.flatMap(UInt64.init)
        else { return nil }
        var order = CheckOrder(library: library, seed: seed)
        order.settings = document["settings"].flatMap { $0.isNull ? nil : $0 }
        order.secrets = document["secrets"]?.arrayValue?.compactMap(\.stringValue) ?? []
        order.objects = document["objects"]?.arrayValue?.compactMap(\.stringValue) ?? []
        order.query = document["query"]?.stringValue
        order.through = document["through"]?.stringValue
        order.isRehearsal = document["rehearsal"]?.boolValue ?? false
        return (check, order)
    }

    /// The text that stands for a secret in checks that make one up; the same in every process of one run.
    var canary: String { "canary-" + String(seed &* 0x9E37_79B9_7F4A_7C15 | 1 << 63, radix: 16) }
}

/// Random numbers that follow from a seed.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    /// Numbers for one check of a run.
    init(seed: UInt64, check: String) {
        state = check.utf8.reduce(seed ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
