// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// A place of a sync file that does not fit the source as it is.
package struct DefinitionProblem: Sendable, Hashable {
    /// The place.
    package enum Place: Sendable, Hashable {
        /// A column of `source.key`.
        case sourceKey(Int)
        /// The column of an entry of `map`, or of one of its parts.
        case mapColumn(entry: Int, part: Int?)
        /// `fetch.key`.
        case fetchKey
        /// `fetch.start`.
        case fetchStart
        /// `fetch.lookback`.
        case fetchLookback
        /// `source.table` or `source.model`.
        case sourceTarget
        /// `insert.delivery`.
        case insertDelivery
        /// The guard of an entry of `map`, or `insert.guard`.
        case editGuard(entry: Int?)
        /// `undo`.
        case undo
    }

    /// The place.
    package var place: Place
    /// The kind of problem.
    package var code: String
    /// One sentence without a full stop.
    package var message: String
    /// The name that was probably meant, or nil.
    package var suggestion: String?
    /// What there is to choose from.
    package var notes: [String] = []

    /// Everything in `definition` that does not fit a source with these columns.
    static func all(in definition: SyncDefinition, _ columns: Schema) -> [DefinitionProblem] {
        var problems: [DefinitionProblem] = []
        func look(for name: String?, _ place: Place) {
            guard let name else { return }
            switch columns.fields.count(where: { $0.name == name }) {
            case 0: problems.append(unknownColumn(name, columns, place))
            case 1: break
            default:
                problems.append(
                    DefinitionProblem(
                        place: place, code: "column-ambiguous",
                        message: "the query has several columns called \"\(name)\"",
                        notes: ["give each a name of its own: SELECT a.id AS a_id, b.id AS b_id"]))
            }
        }
        for (index, name) in definition.source.key.enumerated() { look(for: name, .sourceKey(index)) }
        for (entry, line) in definition.map.enumerated() {
            look(for: line.from, .mapColumn(entry: entry, part: nil))
            for (part, inner) in line.parts.enumerated() { look(for: inner.from, .mapColumn(entry: entry, part: part)) }
        }
        if definition.fetch.mode == .incremental, let key = definition.fetch.key {
            look(for: key, .fetchKey)
            if let index = columns.index(of: key) {
                problems += fetchProblems(definition.fetch, key, columns.fields[index].type)
            }
        }
        return problems
    }

    /// What is wrong where records are to be created for rows that cannot be told apart later; nil otherwise.
    static func missingKey(in definition: SyncDefinition, _ keyColumns: [String]) -> DefinitionProblem? {
        let insert = definition.insert
        guard insert.mode == .update, insert.onMissing == .create, insert.match == "id", keyColumns.isEmpty else {
            return nil
        }
        return DefinitionProblem(
            place: .sourceKey(0), code: "key-needed",
            message: "on_missing: create needs a source key, to know the row again whose record it created",
            notes: ["name the columns that tell rows apart: source: {…, key: [COLUMN]}"])
    }

    private static func fetchProblems(
        _ fetch: FetchDefinition, _ key: String, _ type: DataType
    ) -> [DefinitionProblem] {
        guard KeyOrder.isUsableAsKey(type) else {
            return [
                DefinitionProblem(
                    place: .fetchKey, code: "fetch-key-type",
                    message: "column \"\(key)\" holds \(type.rawValue), which has no order to fetch by",
                    notes: ["an Incremental Key is a number, decimal, date, timestamp or text"])
            ]
        }
        var problems: [DefinitionProblem] = []
        if let start = fetch.start {
            do {
                _ = try KeyText.value(from: start, type: type)
            } catch {
                problems.append(
                    DefinitionProblem(
                        place: .fetchStart, code: "fetch-start", message: "\"\(start)\" is not a value of \"\(key)\"",
                        notes: [error.message]))
            }
        }
        if let lookback = fetch.lookback, !fits(lookback, type) {
            problems.append(
                DefinitionProblem(
                    place: .fetchLookback, code: "fetch-lookback",
                    message: "this lookback does not fit \"\(key)\", which holds \(type.rawValue)",
                    notes: ["dates and timestamps take a duration such as 10m, numbers a number, text none"]))
        }
        return problems
    }

    private static func fits(_ lookback: FetchDefinition.Lookback, _ type: DataType) -> Bool {
        switch lookback {
        case .microseconds: [.date, .timestamp, .instant].contains(type)
        case .number: [.int64, .uint64, .float64, .decimal].contains(type)
        }
    }

    private static func unknownColumn(_ name: String, _ columns: Schema, _ place: Place) -> DefinitionProblem {
        let names = columns.fields.map(\.name)
        return DefinitionProblem(
            place: place, code: "unknown-column", message: "the source has no column \"\(name)\"",
            suggestion: NearestName.of(name, in: names), notes: ["columns: " + names.joined(separator: ", ")])
    }
}

extension DefinitionProblem {
    /// What is wrong with a delivery that cannot be had.
    init(_ problem: DeliveryGuarantee.Problem, _ destination: SyncDestination) {
        let prepare = "penstock connection prepare \(destination.connection) \(destination.object)"
        switch problem {
        case .noMarkerField:
            self.init(
                place: .insertDelivery, code: "delivery-marker",
                message: "the object \(destination.object) has no text field called \"\(Marker.fieldLabel)\", which "
                    + "exactly_once writes its markers to",
                notes: ["create it: \(prepare)", "or write delivery: auto, by_match or at_most_once"])
        case .markerIsMapped:
            self.init(
                place: .insertDelivery, code: "delivery-marker",
                message: "the map fills \"\(Marker.fieldLabel)\", which exactly_once writes its markers to",
                notes: ["map another field, or write delivery: by_match"])
        case .noReadBack:
            self.init(
                place: .insertDelivery, code: "delivery-read-back",
                message:
                    "the connector cannot list changed records, so a create whose answer is lost cannot be looked for",
                notes: ["write delivery: at_most_once"])
        }
    }
}
