// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockProject

/// Fields that guards have held back, as text and as JSON, with masked ones as dots.
enum HeldFields {
    private static let dots = "•••"

    /// The line of a summary.
    ///
    /// - Parameters:
    ///   - count: How many there are.
    ///   - known: The first of them.
    static func line(_ count: Int64, _ known: [HeldField]) -> String {
        let guards = EditGuard.allCases.compactMap { one in
            let fields = known.count { $0.editGuard == one }
            guard fields > 0 else { return nil as String? }
            return Int64(known.count) == count ? "\(fields.grouped) \(one.rawValue)" : one.rawValue
        }
        let how = guards.isEmpty ? "" : " (\(guards.joined(separator: " · ")))"
        return "  conflicts   \(counted(count, "field")) held back by a guard\(how); the other fields went"
    }

    /// What stands for a value: dots where the field is masked.
    static func shown(_ text: String, _ field: String, _ file: SyncFile) -> String {
        file.mask.contains(field) ? dots : text
    }

    /// A field for programs.
    static func json(_ field: HeldField, _ file: SyncFile) -> JSON {
        func value(_ text: String) -> JSON {
            text.isEmpty ? .null : .string(shown(text, field.field, file))
        }
        return .object([
            "row": .integer(field.row), "key": .string(file.shownKey(field.keyText)),
            "remote_id": .string(field.remoteID), "field": .string(field.field),
            "guard": .string(field.editGuard.rawValue), "live": value(field.live),
            "ours": field.ours.map { value($0) } ?? .null, "wanted": value(field.wanted),
        ])
    }
}
