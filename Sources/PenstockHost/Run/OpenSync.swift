// SPDX-License-Identifier: Apache-2.0

import Logging
import PenstockEngine
import PenstockModel

/// Everything a sync needs to be opened: its definition, and its two connections with their settings.
package struct SyncSetup: Sendable {
    /// One side of a sync.
    package struct Side: Sendable {
        /// The connection's name.
        package var name: String
        /// The connector.
        package var connector: any Connector
        /// The settings, resolved.
        package var settings: JSON
        /// What blanks the connection's secrets out.
        package var redactor: Redactor
        /// How much of the other side's limits may be used.
        package var budget: ConnectionBudget

        /// One side of a sync.
        package init(
            name: String, connector: any Connector, settings: JSON, redactor: Redactor,
            budget: ConnectionBudget = ConnectionBudget()
        ) {
            self.name = name
            self.connector = connector
            self.settings = settings
            self.redactor = redactor
            self.budget = budget
        }
    }

    /// The project's name, which is part of the markers of its records.
    package var project: String
    /// What the sync does.
    package var definition: SyncDefinition
    /// Where rows come from.
    package var source: Side
    /// Where they go.
    package var destination: Side

    /// Everything a sync needs to be opened.
    package init(project: String, definition: SyncDefinition, source: Side, destination: Side) {
        self.project = project
        self.definition = definition
        self.source = source
        self.destination = destination
    }

    /// What the markers of the records are made from: the first name of the sync, which a rename leaves as it is.
    fileprivate func origin(of object: ObjectDescriptor) -> Marker.Origin {
        Marker.Origin(project: project, sync: definition.formerName ?? definition.name, object: object.id)
    }
}

/// Why a sync cannot run.
package enum SyncProblem: Error, Sendable {
    /// A connector could not do what it was asked; the text names the connection and what was being done.
    case connector(ConnectorError, connection: String, doing: String)
    /// The map does not fit the source or the destination.
    case mapping([MappingProblem])
    /// The source key, the Incremental Key or another place of the file does not fit the source.
    case definition([DefinitionProblem])
}

/// A sync with both connections open, its mapping compiled and its columns known.
package final class OpenSync {
    /// What the sync does.
    package let definition: SyncDefinition
    /// The services of the source connection.
    package let sourceHost: ConnectionHost
    /// The services of the destination connection.
    package let destinationHost: ConnectionHost
    /// The open source.
    package let source: any Source
    /// Opens the source once more, for a read that was cut.
    let reopenSource: () throws(ConnectorError) -> any Source
    /// The open destination.
    package let destination: any Destination
    /// The source connector's abilities.
    package let sourceCapabilities: Capabilities
    /// The object that is written.
    package let object: ObjectDescriptor
    /// The object's fields as they are now.
    package let fields: [DestinationField]
    /// The same as the destination has told them, for who keeps them.
    package let fieldsAsRead: [DestinationField]
    /// The compiled map.
    package let mapping: CompiledMapping
    /// The columns that are read, in order.
    package let readSchema: Schema
    /// The source key's columns: of the sync, of the model, or the table's primary key; empty where there is none.
    package let keyColumns: [String]
    /// Whether the source has promised that no two rows share the key, in a form that cannot be lost on the way here.
    let isKeyUnique: Bool
    /// The Incremental Key's place among the columns that are read, or nil with FULL.
    package let cursorIndex: Int?

    /// What is said of fields that are written by their pinned code because their label has changed.
    package let pinNotes: [String]

    /// How creates whose answer was lost are settled.
    package let guarantee: DeliveryGuarantee

    /// What the markers of this sync's records are made from.
    package let origin: Marker.Origin

    /// What of the destination's connection decides which records are read, and in which form: its connector with its
    /// version, and a text a setting, without secrets.
    let destinationPins: [String]

    /// The digest of what decides about a row: a change of it lets refused rows go again.
    package let definitionDigest: Fingerprint

    /// Opens both connections and checks the definition against them.
    ///
    /// Nothing is written.
    ///
    /// - Parameter pins: The codes that labels of custom fields had when the sync ran before; a code that still
    ///   exists is written, whatever its label is now.
    /// - Parameter offline: The fields as they were told before, where the destination is not to be asked anything.
    /// - Throws: ``SyncProblem``; whatever was opened is closed again.
    package init(
        _ setup: SyncSetup, pins: [String: String], offline: [DestinationField]? = nil, cancellation: Cancellation,
        logger: Logger
    ) throws(SyncProblem) {
        definition = setup.definition
        sourceHost = Self.host(setup.source, cancellation, logger)
        destinationHost = Self.host(setup.destination, cancellation, logger, isOffline: offline != nil)
        let sourceSide = ConnectionCalls(setup.source)
        let destinationSide = ConnectionCalls(setup.destination)
        let sourceServices = sourceHost
        let destinationServices = destinationHost
        let definition = setup.definition
        let reopenSource = { () throws(ConnectorError) -> any Source in
            try setup.source.connector.openSource(setup.source.settings, host: sourceServices)
        }
        self.reopenSource = reopenSource
        let source = try sourceSide.call("opening it", reopenSource)
        self.source = source
        var isComplete = false
        defer { if !isComplete { source.close() } }
        sourceCapabilities = setup.source.connector.descriptor.capabilities
        let columns = try Self.sourceColumns(source, definition, sourceSide)
        let problems = DefinitionProblem.all(in: definition, columns)
        guard problems.isEmpty else { throw .definition(problems) }
        let keyColumns = try Self.keyColumns(source, definition, sourceSide)
        self.keyColumns = keyColumns
        isKeyUnique = Self.isUnique(keyColumns, definition, columns)
        if let problem = DefinitionProblem.missingKey(in: definition, keyColumns) { throw .definition([problem]) }

        let destination = try destinationSide.call("opening it") { () throws(ConnectorError) in
            try setup.destination.connector.openDestination(setup.destination.settings, host: destinationServices)
        }
        self.destination = destination
        defer {
            if !isComplete {
                destination.close()
                destinationServices.leave()
            }
        }
        let object = try Self.object(definition.destination.object, setup.destination)
        self.object = object
        var fields = try Self.fields(destination, object, definition, destinationSide, told: offline)
        fieldsAsRead = fields
        pinNotes = Self.pin(definition.map.map(\.target), &fields, pins)
        self.fields = fields
        mapping = try Self.mapping(definition, columns, fields)
        if let problem = RowGuards.problem(in: definition, mapping, object) { throw .definition([problem]) }
        origin = setup.origin(of: object)
        destinationPins = Self.pins(setup.destination)
        guarantee = try Self.guarantee(definition, object, fields, mapping)
        let needed = mapping.columns + keyColumns + (definition.fetch.key.map { [$0] } ?? [])
        // Without a key an appended row is known by all of its content, so that a change of the map changes nothing.
        let isKnownByContent = keyColumns.isEmpty && definition.insert.mode == .append
        readSchema = Self.readSchema(columns, isKnownByContent ? columns.fields.map(\.name) : needed)
        cursorIndex = definition.fetch.key.flatMap(readSchema.index(of:))
        definitionDigest = Self.digest(definition, fields)
        isComplete = true
    }

    /// Whether no two rows have one key: integers are the same here and there, texts and times of two keys may read
    /// alike.
    private static func isUnique(_ keyColumns: [String], _ definition: SyncDefinition, _ columns: Schema) -> Bool {
        definition.source.key.isEmpty && !keyColumns.isEmpty
            && keyColumns.allSatisfy { name in
                columns.index(of: name).map { [.int64, .uint64].contains(columns.fields[$0].type) } ?? false
            }
    }

    private static func fields(
        _ destination: any Destination, _ object: ObjectDescriptor, _ definition: SyncDefinition,
        _ side: ConnectionCalls, told: [DestinationField]?
    ) throws(SyncProblem) -> [DestinationField] {
        if let told { return told }
        return try side.call("reading the fields of \(object.id)") { () throws(ConnectorError) in
            try destination.fields(of: object.id, optionsOf: definition.map.map(\.target) + [definition.insert.match])
        }
    }

    private static func mapping(
        _ definition: SyncDefinition, _ columns: Schema, _ fields: [DestinationField]
    ) throws(SyncProblem) -> CompiledMapping {
        do {
            return try CompiledMapping(
                map: definition.map, insert: definition.insert, source: columns, fields: fields)
        } catch {
            throw .mapping(error.problems)
        }
    }

    private static func guarantee(
        _ definition: SyncDefinition, _ object: ObjectDescriptor, _ fields: [DestinationField],
        _ mapping: CompiledMapping
    ) throws(SyncProblem) -> DeliveryGuarantee {
        do {
            return try DeliveryGuarantee.resolve(
                definition.insert.delivery, fields: fields, mapped: Set(mapping.targets.map(\.field.key)),
                canReadBack: object.costs.readPageMax > 0)
        } catch {
            throw .definition([DefinitionProblem(error, definition.destination)])
        }
    }

    private static func object(_ id: String, _ side: SyncSetup.Side) throws(SyncProblem) -> ObjectDescriptor {
        if let object = side.connector.descriptor.objects.first(where: { $0.id == id }) { return object }
        throw .connector(
            ConnectorError(.notFound, "There is no object \(id)."), connection: side.name,
            doing: "looking for the object")
    }

    /// Gives fields the labels that their pinned codes had, so that the map finds them whatever they are called now.
    ///
    /// - Returns: A note for every label that has changed.
    private static func pin(
        _ labels: [String], _ fields: inout [DestinationField], _ pins: [String: String]
    ) -> [String] {
        var notes: [String] = []
        for label in labels {
            guard let code = pins[label], let pinned = fields.firstIndex(where: { $0.key == code }) else { continue }
            guard fields[pinned].label != label else { continue }
            for other in fields.indices where fields[other].label == label {
                fields[other].label += " (\(fields[other].key))"
            }
            notes.append(
                "field \"\(label)\" is called \"\(fields[pinned].label)\" now; it is written by its code all the same")
            fields[pinned].label = label
        }
        return notes
    }

    /// Opens the source alone and says what of the definition does not fit it; the destination is not asked.
    ///
    /// - Throws: ``SyncProblem``.
    package static func sourceProblems(
        _ definition: SyncDefinition, _ side: SyncSetup.Side, cancellation: Cancellation, logger: Logger
    ) throws(SyncProblem) -> [DefinitionProblem] {
        let services = host(side, cancellation, logger)
        let calls = ConnectionCalls(side)
        let source = try calls.call("opening it") { () throws(ConnectorError) in
            try side.connector.openSource(side.settings, host: services)
        }
        defer { source.close() }
        let problems = DefinitionProblem.all(in: definition, try sourceColumns(source, definition, calls))
        guard problems.isEmpty else { return problems }
        return DefinitionProblem.missingKey(in: definition, try keyColumns(source, definition, calls)).map { [$0] }
            ?? []
    }

    /// The two sides of a sync.
    enum Role {
        /// Where rows come from.
        case source
        /// Where they go.
        case destination
    }

    /// A stop because of `error` on one side, with that side's secrets blanked out.
    func stop(_ error: ConnectorError, _ role: Role, _ doing: String) -> RunStop {
        switch role {
        case .source:
            .connector(sourceHost.redacted(error), connection: definition.source.connection, doing: doing)
        case .destination:
            .connector(destinationHost.redacted(error), connection: definition.destination.connection, doing: doing)
        }
    }

    /// How a read of the source can be continued where it is cut; nil where it cannot, and for files, which are not.
    ///
    /// With INCREMENTAL the Incremental Key orders the rows, else the first column of the source key.
    var readOrder: ContinuedRead.Order? {
        guard sourceCapabilities.isSuperset(of: [.order, .lowerBound]), !sourceCapabilities.contains(.local),
            !keyColumns.isEmpty, let leading = definition.fetch.key ?? keyColumns.first,
            let place = readSchema.index(of: leading), ReadPosition.orders(readSchema.fields[place].type)
        else { return nil }
        return ContinuedRead.Order(leading: leading, identity: keyColumns)
    }

    /// Whether guards decide by the record which fields an update may change.
    var guardsFields: Bool { definition.insert.mode == .update && mapping.needsRecord }

    /// Whether no two rows can go to one record: the only part of the source key is a number, and it is the record's
    /// id.
    var hasRecordPerKey: Bool {
        guard let column = mapping.idColumn, keyColumns == [column], definition.insert.match == "id",
            let place = readSchema.index(of: column)
        else { return false }
        return readSchema.fields[place].type == .int64 || readSchema.fields[place].type == .uint64
    }

    /// The marker of the record that is created for a row in the run of this id; nil where records carry none.
    func marker(of row: DecidedRow, run: String) -> String? {
        guard case .exactlyOnce = guarantee else { return nil }
        let generation: Marker.Generation =
            if definition.insert.mode == .update {
                .only
            } else if cursorIndex == nil {
                .run(run)
            } else {
                .version(row.cursorText.map(Self.digest) ?? row.source ?? row.key)
            }
        return Marker.text(origin, key: row.key, generation)
    }

    private static func pins(_ side: SyncSetup.Side) -> [String] {
        let connector = side.connector.descriptor
        return ["\(connector.id) \(connector.version)"]
            + PlanPin.settings(side).map { "\($0.name) \($0.value)" }.sorted()
    }

    private static func digest(_ text: String) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine(text)
        return hasher.finish()
    }

    /// Closes both connections.
    package func close() {
        source.close()
        destination.close()
        destinationHost.leave()
    }

    private static func host(
        _ side: SyncSetup.Side, _ cancellation: Cancellation, _ logger: Logger, isOffline: Bool = false
    ) -> ConnectionHost {
        ConnectionHost(
            name: side.name, budget: side.budget, redactor: side.redactor, cancellation: cancellation, logger: logger,
            credential: CredentialLimits.Identity(side.connector.descriptor, side.settings), isOffline: isOffline)
    }

    private static func sourceColumns(
        _ source: any Source, _ definition: SyncDefinition, _ side: ConnectionCalls
    ) throws(SyncProblem) -> Schema {
        do {
            return try source.describe(ReadRequest(definition.source.target))
        } catch {
            let isAboutTable = !side.hasSetting(error.field) && (error.code == .notFound || error.code == .badRequest)
            guard isAboutTable else {
                throw side.problem(error, "looking at \(definition.source.model ?? "the table")")
            }
            throw .definition([
                DefinitionProblem(place: .sourceTarget, code: "unknown-table", message: side.redacted(error).message)
            ])
        }
    }

    private static func keyColumns(
        _ source: any Source, _ definition: SyncDefinition, _ side: ConnectionCalls
    ) throws(SyncProblem) -> [String] {
        if !definition.source.key.isEmpty { return definition.source.key }
        guard case .object(let table) = definition.source.target else { return [] }
        do {
            return try source.discover([table]).objects.first?.primaryKey ?? []
        } catch {
            // A source that cannot list its tables has no primary keys to offer; rows are then known by content.
            if error.code == .unsupported { return [] }
            throw side.problem(error, "looking for the key of \(table)")
        }
    }

    private static func readSchema(_ columns: Schema, _ names: [String]) -> Schema {
        var wanted: [String] = []
        for name in names where !wanted.contains(name) { wanted.append(name) }
        return Schema(wanted.compactMap { name in columns.index(of: name).map { columns.fields[$0] } })
    }

    private static func digest(_ definition: SyncDefinition, _ fields: [DestinationField]) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine("\(definition.map)\(definition.insert)")
        hasher.combine("\(fields)")
        return hasher.finish()
    }
}

/// Calls on one connection, whose errors become problems that name it, with its secrets blanked out.
struct ConnectionCalls {
    private let name: String
    private let redactor: Redactor
    private let settings: Set<String>

    init(_ side: SyncSetup.Side) {
        name = side.name
        redactor = side.redactor
        settings = Set(side.connector.descriptor.settings.map(\.name))
    }

    /// Whether the connector has a setting of this name.
    func hasSetting(_ name: String) -> Bool { settings.contains(name) }

    func redacted(_ error: ConnectorError) -> ConnectorError { redactor.redacted(error) }

    func problem(_ error: ConnectorError, _ doing: String) -> SyncProblem {
        .connector(redactor.redacted(error), connection: name, doing: doing)
    }

    func call<R>(_ doing: String, _ body: () throws(ConnectorError) -> R) throws(SyncProblem) -> R {
        do {
            return try body()
        } catch {
            throw problem(error, doing)
        }
    }
}
