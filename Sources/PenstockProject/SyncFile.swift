// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockSchedule

/// A sync as it was written: its definition, what else the file says, and where each thing stands.
package struct SyncFile: Sendable {
    /// What the engine needs.
    ///
    /// Where ``hasErrors``, what is missing in the file is empty here.
    package var definition: SyncDefinition
    /// The file, relative to the project's folder.
    package var file: String
    /// The title, or nil.
    package var title: String?
    /// What it is for, or nil.
    package var description: String?
    /// Who answers for it, or nil.
    package var owner: String?
    /// Words to select it by.
    package var tags: [String] = []
    /// The template it was made from, or nil.
    package var template: String?
    /// Whether it runs at all.
    package var isEnabled = true
    /// When it runs by itself, or nil.
    package var schedule: ScheduleDefinition?
    /// Upper limits for one run.
    package var limits = SyncLimits()
    /// What happens with rejects.
    package var rejects = RejectPolicy()
    /// Target fields that are shown as dots.
    package var mask: [String] = []
    /// Syncs that have to be done before.
    package var after: [String] = []
    /// Whether an error was found in it; such a sync must not run.
    package var hasErrors = false
    var spans: [SyncLocation: SourceSpan] = [:]

    /// The syncs that have to be done before: those of ``after``, and those that the map links to.
    package var predecessors: [String] { after + links }

    /// The syncs that the map links to.
    package var links: [String] { definition.map.flatMap(\.links) }

    /// The sync's name.
    package var name: String { definition.name }

    /// Where something stands; for what the file leaves out, where it would belong.
    package func position(of location: SyncLocation) -> SourceSpan {
        var place: SyncLocation? = location
        while let current = place {
            if let span = spans[current] { return span }
            place = current.parent
        }
        return SourceSpan(file: file, line: 1, column: 1, length: 1)
    }

    /// An error, or warning, at a place in this sync.
    package func diagnostic(
        _ severity: Diagnostic.Severity = .error, at location: SyncLocation, code: DiagnosticCode, message: String,
        suggestion: String? = nil, notes: [String] = []
    ) -> Diagnostic {
        Diagnostic(
            severity, code.rawValue, at: position(of: location), message, suggestion: suggestion, notes: notes)
    }
}
