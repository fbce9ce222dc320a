// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockState

/// What the commands that replace state files have in common.
enum StateFiles {
    /// The time now, for the name of a file that is kept.
    static var stamp: String { TimeDisplay.utc(WallClock.milliseconds).filter { $0 != "-" && $0 != ":" } }

    /// Asks unless it was said already.
    ///
    /// - Parameters:
    ///   - what: What it means, for where nobody can be asked.
    ///   - refusal: What is said when the answer is no.
    /// - Throws: ``CommandFailure`` 64; 130 or 143 where the program is told to stop.
    static func confirm(
        _ what: String, _ question: String, notes: [String] = [], refusal: String, _ options: GlobalOptions,
        isSaid: Bool
    ) throws {
        guard !isSaid else { return }
        guard options.mayAsk else {
            throw CommandFailure(.usage, code: "confirmation", what, notes: notes + ["say so: --yes"])
        }
        for note in notes { Terminal.writeError("  \(note)\n") }
        guard let isMeant = Prompt.decision(question) else { throw Prompt.aborted(refusal) }
        guard isMeant else { throw CommandFailure(.usage, code: "confirmation", refusal) }
    }
}

extension StateError {
    /// Whether what the file holds is not what was written.
    var isDamage: Bool {
        if case .damaged = self { true } else { false }
    }

    /// Whether what the file holds is at fault, and not access to it.
    var isAboutContent: Bool {
        switch self {
        case .damaged, .newer, .outgrown, .outdated: true
        case .locked, .older, .cannotWrite, .ambiguousRun, .internal: false
        }
    }
}
