// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// The key that waits, in a sync's state, for everybody to end who was writing when it was seen.
struct HeldKeys {
    private static let setting = "held_key"

    let store: StateStore
    /// The Incremental Key's column as it is now.
    let field: Schema.Field

    /// The key that waits, or nil; one of another column, or of another type, is none.
    ///
    /// - Throws: ``StateError``.
    func load() throws(StateError) -> HeldKey? {
        let parts = try store.meta(Self.setting)?.split(separator: "\n", maxSplits: 3).map(String.init) ?? []
        guard parts.count == 4, parts[1] == field.type.rawValue, parts[2] == field.name, let clock = Int64(parts[0])
        else { return nil }
        // A text that is no value of the column any more is no key of it.
        guard let value = try? KeyText.value(from: parts[3], type: field.type) else { return nil }
        return HeldKey(value: value, clock: clock)
    }

    /// Stores the key that a run has seen, unless an earlier one waits still.
    ///
    /// - Throws: ``StateError``.
    func note(_ key: Value, _ writers: OpenWriters) throws(StateError) {
        guard let clock = writers.clock, let text = KeyText.text(of: key) else { return }
        if let held = try load(), (writers.since ?? .min) <= held.clock { return }
        try store.setMeta(Self.setting, "\(clock)\n\(field.type.rawValue)\n\(field.name)\n\(text)")
    }
}
