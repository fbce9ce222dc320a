// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// One thing that a plan was made from, and that must be the same when it is applied.
package struct PlanPin: Sendable, Hashable {
    /// What kind of thing it is.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A part of the sync's file, or a setting of a connection.
        case config
        /// An entry of the map.
        case mapping
        /// A connector's library.
        case connector
        /// A field of the destination that the map fills.
        case field
        /// What is read.
        case source
        /// What earlier runs know.
        case state
    }

    /// What kind of thing it is.
    package var kind: Kind
    /// Which one, for people.
    package var name: String
    /// Its digest, or a text that says how it is.
    package var value: String
    /// How it is, for people; empty where only the digest says it.
    package var shown: String

    /// One thing that a plan was made from.
    package init(_ kind: Kind, _ name: String, _ value: String, shown: String = "") {
        self.kind = kind
        self.name = name
        self.value = value
        self.shown = shown
    }

    var json: JSON {
        .object([
            "kind": .string(kind.rawValue), "name": .string(name), "value": .string(value), "shown": .string(shown),
        ])
    }

    init?(json: JSON) {
        guard let kind = json["kind"]?.stringValue.flatMap(Kind.init(rawValue:)), let name = json["name"]?.stringValue,
            let value = json["value"]?.stringValue
        else { return nil }
        self.init(kind, name, value, shown: json["shown"]?.stringValue ?? "")
    }

    /// What is different between what a plan was made from and what there is now, a clause each.
    package static func differences(_ planned: [PlanPin], _ now: [PlanPin]) -> [String] {
        var out: [String] = []
        for pin in planned {
            guard let other = now.first(where: { $0.kind == pin.kind && $0.name == pin.name }) else {
                out.append("\(pin.title) is gone")
                continue
            }
            guard other.value != pin.value else { continue }
            guard !pin.isReset else {
                out.append(resetClause)
                continue
            }
            let isShown = !pin.shown.isEmpty && !other.shown.isEmpty && pin.shown != other.shown
            out.append("\(pin.title) has changed" + (isShown ? ": was \(pin.shown), is \(other.shown)" : ""))
        }
        for pin in now where !planned.contains(where: { $0.kind == pin.kind && $0.name == pin.name }) {
            out.append(pin.isReset ? resetClause : "\(pin.title) is new")
        }
        return out
    }

    /// The name of the pin that is there once a ledger was forgotten, and another one after each further time.
    private static let resetName = "reset"
    private static let resetClause = "the state was reset since: its ledger was forgotten"

    private var isReset: Bool { kind == .state && name == Self.resetName }

    private var title: String {
        switch kind {
        case .config: name
        case .mapping: "map: \(name)"
        case .connector: "connector \(name)"
        case .field: "field \(name) of the destination"
        case .source: "the source (\(name))"
        case .state: "the state (\(name))"
        }
    }

    // MARK: - What there is

    /// What a plan of `sync` is made from, but for the connectors' libraries and the state.
    package static func all(_ setup: SyncSetup, _ sync: OpenSync) -> [PlanPin] {
        let definition = setup.definition
        var pins = [
            PlanPin(.config, "destination", digest("\(definition.destination)")),
            PlanPin(.config, "fetch", digest("\(definition.fetch)")),
            PlanPin(.config, "insert", digest("\(definition.insert)")),
            PlanPin(.source, definition.source.connection, digest("\(definition.source)")),
        ]
        for side in [setup.source, setup.destination] { pins += settings(side) }
        for (place, entry) in definition.map.enumerated() {
            let name = definition.map.prefix(place).contains { $0.target == entry.target } ? " (\(place + 1))" : ""
            pins.append(PlanPin(.mapping, entry.target + name, digest("\(entry)")))
        }
        for target in sync.mapping.targets { pins.append(field(target.name, target.field)) }
        return pins
    }

    /// What the plan of an undo is made from, but for the connector's library, the fields, and what is kept of the run.
    package static func undo(_ definition: SyncDefinition, _ side: SyncSetup.Side) -> [PlanPin] {
        [PlanPin(.config, "destination", digest("\(definition.destination)"))] + settings(side)
    }

    /// A field of the destination, as a plan counts on it.
    static func field(_ name: String, _ field: DestinationField) -> PlanPin {
        // What an option means for a row is part of what the row sends; an option more changes nothing.
        var field = field
        field.options = []
        return PlanPin(.field, name, digest("\(field)"), shown: "\(field.label), \(field.kind.rawValue)")
    }

    /// Where the state of a sync stands: its last run, its watermark, and whether its ledger was forgotten.
    ///
    /// - Throws: ``StateError``.
    package static func state(_ store: StateStore?) throws(StateError) -> [PlanPin] {
        let run = try store?.lastRun()
        let runText = run.map { "\($0.id) \($0.status.rawValue) \($0.attempts)" } ?? "none"
        let watermark = try store?.watermark()?.text ?? "none"
        var pins = [
            PlanPin(.state, "last run", runText, shown: run?.id ?? "none"),
            PlanPin(.state, "watermark", watermark, shown: watermark),
        ]
        if let reset = try store?.lastReset() { pins.append(PlanPin(.state, resetName, reset)) }
        return pins
    }

    /// The settings of a connection, without its secrets.
    static func settings(_ side: SyncSetup.Side) -> [PlanPin] {
        let secrets = Set(side.connector.descriptor.settings.filter(\.isSecret).map(\.name))
        return (side.settings.objectValue?.members ?? []).filter { !secrets.contains($0.key) }.map { member in
            PlanPin(
                .config, "connection \(side.name): \(member.key)", digest(side.redactor.redacted(member.value.text)))
        }
    }

    static func digest(_ text: String) -> String {
        var hasher = FingerprintHasher()
        hasher.combine(text)
        return hasher.finish().hex
    }
}
