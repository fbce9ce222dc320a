// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject

/// Where references lead, for people and for programs; never their values.
enum ReferenceText {
    /// The place in a few words, or that there is no value.
    static func short(_ reference: ProjectReference) -> String {
        guard reference.problem == nil else { return "(missing)" }
        switch reference.place {
        case .environment: return "(weak)"
        case .plain: return "(plain)"
        case .sealed: return "(sealed)"
        case .file, .service, .platform, .command, .missing: return ""
        }
    }

    /// The place in full.
    static func source(_ reference: ProjectReference) -> String {
        switch reference.place {
        case .environment: "environment; weak: other processes of this user can read it"
        case .file, .service, .platform: short(reference.path)
        case .sealed: "sealed file in \(short(reference.path))"
        case .plain: "plain file in \(short(reference.path))"
        case .command: "program"
        case .missing: ""
        }
    }

    /// A path with `~` for the home folder.
    private static func short(_ path: String) -> String {
        guard let home = ProcessInfo.processInfo.environment["HOME"], path.hasPrefix(home + "/") else { return path }
        return "~" + path.dropFirst(home.count)
    }

    /// Whether there is a value.
    static func resolves(_ reference: ProjectReference) -> String {
        guard let length = reference.length, reference.problem == nil else {
            return "no: \(reference.problem ?? "there is no value")"
        }
        return "yes (\(length) character\(length == 1 ? "" : "s"))"
    }

    /// The reference for programs.
    static func json(_ reference: ProjectReference) -> JSON {
        .object([
            "reference": .string(reference.raw), "setting": .string(reference.key),
            "file": .string(reference.span.file), "line": .integer(reference.span.line),
            "source": .string(reference.place.rawValue), "path": .string(reference.path),
            "weak": .bool(reference.place == .environment), "resolves": .bool(reference.problem == nil),
            "problem": reference.problem.map(JSON.string) ?? .null,
        ])
    }
}
