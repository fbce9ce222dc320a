// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockState

extension CommandFailure {
    /// An end because a plan or run could not go on.
    init(stopping error: any Error, sync: String) {
        switch error {
        case RunStop.connector(let error, let connection, let doing):
            if error.code == .cancelled {
                self = .stopped
            } else {
                self.init(error, subject: "\(sync): connection \(connection), while \(doing)")
            }
        case RunStop.state(let error), let error as StateError: self.init(error, sync: sync)
        case let failure as CommandFailure: self = failure
        default: self.init(.fault, code: "internal", "\(sync): \(error)")
        }
    }

    /// An end because the state of a sync cannot be used.
    init(_ error: StateError, sync: String) {
        switch error {
        case .locked: self.init(.tryLater, code: "locked", "\(sync): \(error.message)")
        case .cannotWrite, .newer: self.init(.cannotWrite, code: "state", "\(sync): \(error.message)")
        case .older, .ambiguousRun: self.init(.config, code: "state", "\(sync): \(error.message)")
        case .outgrown:
            self.init(
                .cannotWrite, code: "state", "\(sync): \(error.message)",
                notes: [
                    "go on with the Penstock that wrote it, or start anew; nothing was sent", Self.startAnew(sync),
                    "markers of its records are not known again either: see penstock explain state",
                ])
        case .damaged:
            self.init(
                .cannotWrite, code: "state-damaged", "\(sync): \(error.message)", notes: Self.waysOut(of: sync))
        case .outdated:
            self.init(
                .cannotWrite, code: "state-outdated", "\(sync): \(error.message)",
                notes: ["put the newest file back; nothing was sent"] + Self.waysOut(of: sync))
        case .internal: self.init(.fault, code: "internal", "\(sync): \(error.message)")
        }
    }

    /// What can be done about a state that cannot be used, the best way first.
    private static func waysOut(of sync: String) -> [String] {
        [
            "from the records at the destination: penstock state rebuild \(sync)",
            "from an export: penstock state import \(sync) FILE",
            startAnew(sync),
        ]
    }

    private static func startAnew(_ sync: String) -> String {
        "with nothing remembered, so that rows may be created again: penstock state reset \(sync) --all"
    }
}
