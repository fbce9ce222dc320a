// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel

/// One row of a plan as text and as JSON.
struct PlanEntryText {
    /// The object that is written.
    let object: String
    /// How wide a line may be, or nil for no limit.
    let width: Int?

    private static let valueWidth = 40

    /// The lines for people.
    func lines(_ entry: PlanEntry) -> [String] {
        switch entry.action {
        case .create: creation(entry)
        case .update: update(entry)
        case .undecided:
            ["  ? \(object)\(id(entry))   \(entry.keyText.printable)", "      whether it differs was not asked"]
        case .ask: ["  ? \(object)   \(entry.keyText.printable)   its create was sent, and the answer was lost"]
        case .reject: reject(entry)
        case .restore: update(entry)
        case .delete: ["  - \(object)\(id(entry))   \(entry.keyText.printable)"]
        case .leave:
            ["  ≠ \(object)\(id(entry))   \(entry.keyText.printable)"]
                + ("      " + (entry.reason?.message ?? "").printable).wrapped(to: width, indent: 6)
        case .removed: ["  - \(object)\(id(entry))   \(entry.keyText.printable)   no longer in the source; left alone"]
        }
    }

    private func id(_ entry: PlanEntry) -> String { entry.remoteID.map { " " + $0.printable } ?? "" }

    private func shown(_ text: String) -> String {
        text.isEmpty ? "(empty)" : text.printable.truncated(to: Self.valueWidth)
    }

    private func creation(_ entry: PlanEntry) -> [String] {
        let values = entry.fields.map { "\($0.name.printable): \(shown($0.new))" }
        return ["  + \(object)   \(entry.keyText.printable)"]
            + ("      " + values.joined(separator: ", ")).wrapped(to: width, indent: 6)
    }

    private func update(_ entry: PlanEntry) -> [String] {
        let head = "  ~ \(object)\(id(entry))   \(entry.keyText.printable)"
        guard entry.isCompared else { return [head, "      not compared: all mapped fields are sent"] }
        return [head]
            + entry.fields.map { field in
                "      " + field.name.printable.fitted(to: 16) + "  " + shown(field.old ?? "") + " → "
                    + shown(field.new)
            }
    }

    private func reject(_ entry: PlanEntry) -> [String] {
        guard let reason = entry.reason else { return [] }
        let value = reason.value.isEmpty ? "" : " \"\(reason.value.printable.truncated(to: Self.valueWidth))\""
        let field = reason.field.isEmpty ? "" : " \(reason.field.printable)"
        return ["  ! row \(entry.row)   \(entry.keyText.printable)  \(field)\(value)"]
            + "      \(reason.message)".wrapped(to: width, indent: 6)
    }

    /// The entry for programs.
    static func json(_ entry: PlanEntry) -> JSON {
        var object: JSONObject = [
            "action": .string(entry.action.rawValue), "row": .integer(entry.row), "key": .string(entry.keyText),
            "id": entry.remoteID.map { .string($0) } ?? .null,
        ]
        if entry.isCompared {
            object["changes"] = .array(
                entry.fields.map {
                    .object(["field": .string($0.name), "old": .string($0.old ?? ""), "new": .string($0.new)])
                })
        } else if !entry.fields.isEmpty {
            var values = JSONObject()
            for field in entry.fields { values[field.name] = .string(field.new) }
            object["values"] = .object(values)
        }
        if !entry.linked.isEmpty { object["linked"] = .strings(entry.linked) }
        if let reason = entry.reason {
            object["code"] = .string(reason.code)
            object["field"] = .string(reason.field)
            object["value"] = .string(reason.value)
            object["message"] = .string(reason.message)
        }
        return .object(object)
    }
}

/// The first rows of each sort, in the order of the source.
struct PlanExamples {
    /// How many of each sort are kept.
    let limit: Int
    /// The rows.
    private(set) var entries: [PlanEntry] = []
    private var counts: [PlanEntry.Action: Int] = [:]

    /// No rows yet.
    init(limit: Int) { self.limit = limit }

    /// Keeps a row, where there are not enough of its sort.
    mutating func add(_ entry: PlanEntry) {
        guard counts[entry.action, default: 0] < limit else { return }
        counts[entry.action, default: 0] += 1
        entries.append(entry)
    }

    /// The rows of one sort.
    func of(_ action: PlanEntry.Action) -> [PlanEntry] { entries.filter { $0.action == action } }
}
