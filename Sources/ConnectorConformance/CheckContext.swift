// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// What one check works with: the connector, the settings, and a place for what it finds.
final class CheckContext {
    /// The most findings that are kept.
    private static let findingsMax = 8
    /// The most rows of an object that checks compare; larger objects are passed over.
    static let rowsMax = 20_000
    /// The most objects of a catalog that are looked at.
    static let objectsMax = 3

    /// What the checks are made with.
    let order: CheckOrder
    /// Everything the connector says.
    let transcript = Transcript()
    /// What was found wrong.
    private(set) var findings: [String] = []
    /// What a person may want to know.
    private(set) var notes: [String] = []
    /// What is random in this check.
    var numbers: SeededNumbers
    private var loaded: ConnectorUnderTest?

    /// A context for one check.
    init(_ order: CheckOrder, _ check: String) {
        self.order = order
        numbers = SeededNumbers(seed: order.seed, check: check)
    }

    /// Notes something wrong, as a clause without a full stop.
    func find(_ reason: String) {
        if findings.count < Self.findingsMax, !findings.contains(reason) { findings.append(reason) }
    }

    /// Notes something that is not wrong.
    func note(_ text: String) { if !notes.contains(text) { notes.append(text) } }

    /// The connector, loaded once.
    func connector() throws(CheckFailure) -> ConnectorUnderTest {
        if let loaded { return loaded }
        let connector = try ConnectorUnderTest(order.library, transcript)
        loaded = connector
        return connector
    }

    /// What the connector can do; nil where it was not loaded.
    var capabilities: Capabilities? { loaded?.capabilities }

    /// The settings that the connector describes.
    func fields() throws(CheckFailure) -> [ConfigField] {
        let text = try connector().settingsText ?? ""
        do throws(DocumentError) {
            return try ConfigSchema.fields(document: try Document.parse(Array(text.utf8)))
        } catch {
            throw CheckFailure("config_schema: \(error.reason)")
        }
    }

    /// The objects that can be written.
    func objects() throws(CheckFailure) -> [ObjectDescriptor] {
        let text = try connector().objectsText ?? ""
        do throws(DocumentError) {
            return try ObjectDescriptor.list(document: try Document.parse(Array(text.utf8)))
        } catch {
            throw CheckFailure("objects_json: \(error.reason)")
        }
    }

    // MARK: - Connections

    /// The settings that were given.
    func settings() throws(CheckSkip) -> JSON {
        guard let settings = order.settings else { throw CheckSkip("no settings were given") }
        return settings
    }

    /// A host that grants everything.
    func host(_ policy: KitHost.Policy = .grant) -> KitHost { KitHost(transcript, policy) }

    /// Opens a source with the settings given.
    func source() throws -> SourceUnderTest { try connector().openSource(try settings().text, host()) }

    /// Opens a destination with the settings given.
    func destination(_ host: KitHost? = nil) throws -> DestinationUnderTest {
        try connector().openDestination(try settings().text, host ?? self.host())
    }

    /// What came of opening and closing with these settings, in every role that the connector has.
    func openings(_ settings: JSON) throws(CheckFailure) -> [(role: String, refusal: Refusal?)] {
        let connector = try connector()
        var all: [(role: String, refusal: Refusal?)] = []
        if connector.capabilities.contains(.source) {
            do throws(Refusal) {
                try connector.openSource(settings.text, host()).close()
                all.append(("source", nil))
            } catch { all.append(("source", error)) }
        }
        if connector.capabilities.contains(.destination) {
            do throws(Refusal) {
                try connector.openDestination(settings.text, host()).close()
                all.append(("destination", nil))
            } catch { all.append(("destination", error)) }
        }
        return all
    }

    // MARK: - What is read

    /// What the read checks read: the object and query given, else the first objects of the catalog.
    func targets(_ source: SourceUnderTest) throws -> [ReadRequest.Target] {
        var targets: [ReadRequest.Target] = try readObjects().map { .object($0) }
        if let query = order.query { targets.append(.query(query)) }
        if targets.isEmpty { targets = try catalog(source).objects.prefix(Self.objectsMax).map { .object($0.id) } }
        guard !targets.isEmpty else { throw CheckSkip("the catalog has no object; name one with --object or --query") }
        return targets
    }

    /// The objects given that are read: those that are not written.
    func readObjects() throws(CheckFailure) -> [String] {
        guard try connector().capabilities.contains(.destination), !order.objects.isEmpty else { return order.objects }
        let written = try objects().map(\.id)
        return order.objects.filter { !written.contains($0) }
    }

    /// The catalog.
    func catalog(_ source: SourceUnderTest, _ ids: [String] = []) throws -> Catalog {
        do {
            return try source.discover(ids).value.get()
        } catch let error as DocumentError {
            throw CheckFailure("the catalog is not as described: \(error.reason)")
        }
    }

    /// All rows of a request.
    func sample(_ source: SourceUnderTest, _ request: ReadRequest) throws -> Sample {
        let read = try source.read(request)
        defer { read.close() }
        let schema = try read.schema().imported()
        var sample = Sample(schema.schema)
        while let batch = try read.next() {
            try sample.append(batch, schema)
            if sample.rows.count > Self.rowsMax {
                throw CheckSkip("\(request.target.name) has more than \(Self.rowsMax) rows; name a smaller object")
            }
        }
        return sample
    }

    /// Runs `body` for every target; a target that cannot be looked at is passed over where another can.
    func forEachTarget(_ body: (SourceUnderTest, ReadRequest.Target) throws -> Void) throws {
        let source = try source()
        defer { source.close() }
        let targets = try targets(source)
        var skips: [CheckSkip] = []
        for target in targets {
            do {
                try body(source, target)
            } catch let skip as CheckSkip {
                skips.append(skip)
            }
        }
        if let skip = skips.first, skips.count == targets.count { throw skip }
        for skip in skips { note(skip.reason) }
    }

    // MARK: - Refusals

    /// Expects that a call is refused in one of these ways.
    ///
    /// - Parameter field: What the error must name, or nil.
    func expect(
        _ what: String, _ codes: [ConnectorError.Code], field: String? = nil, _ body: () throws(Refusal) -> Void
    ) {
        do throws(Refusal) {
            try body()
            find("\(what) was accepted, where \(Self.names(codes)) is due")
        } catch {
            if !codes.contains(error.error.code) {
                find(
                    "\(what) was answered \(error.error.code), where \(Self.names(codes)) is due: \(error.error.message)"
                )
            } else if let field, error.error.field != field {
                find("\(what) was refused with the field \"\(error.error.field)\", not \"\(field)\"")
            }
        }
    }

    private static func names(_ codes: [ConnectorError.Code]) -> String {
        codes.map(\.description).joined(separator: " or ")
    }
}

extension ReadRequest.Target {
    /// The target for messages.
    var name: String {
        switch self {
        case .object(let id): id
        case .query: "the query"
        }
    }
}
