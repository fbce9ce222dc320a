// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// What a connector says about itself, asked in a child process: the library may be anything.
package struct Introduction: Sendable {
    /// The connector's id, or nil where it says none.
    package var id: String?
    /// Its version, or nil.
    package var version: String?
    /// Its settings, or nil where their description cannot be used.
    package var settings: [ConfigField]?

    /// Tells id, version and settings in its notes.
    static let check = ConformanceCheck("introduction", "it says who it is", "The entry") { context in
        let connector = try context.connector()
        let texts = Dictionary(uniqueKeysWithValues: connector.texts)
        for text in [texts["id"] ?? nil, texts["version"] ?? nil, connector.settingsText] { context.note(text ?? "") }
    }

    /// Nothing is known.
    package init() {}

    /// What the notes of ``check`` tell.
    init(_ verdict: CheckVerdict) {
        guard verdict.status == .passed, verdict.notes.count == 3 else { return }
        id = verdict.notes[0]
        version = verdict.notes[1]
        // A description that cannot be used is what the check of the settings is for.
        settings = try? ConfigSchema.fields(document: Document.parse(Array(verdict.notes[2].utf8)))
    }
}
