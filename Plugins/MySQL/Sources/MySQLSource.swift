// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A server.
///
/// Between two calls nothing is open, so that nothing is held there.
final class MySQLSource: Source {
    /// How many bytes of a text the server compares at most when it sorts; each sort holds some of these at once.
    private static let sortBytesMax = 65_536

    private let settings: MySQLSettings
    private let host: any HostServices

    init(_ settings: MySQLSettings, host: any HostServices) {
        self.settings = settings
        self.host = host
    }

    func close() {}

    private func connect() throws(ConnectorError) -> MySQLSession {
        do throws(MySQLRefusal) {
            return try MySQLSession(settings)
        } catch {
            throw error.error
        }
    }

    func check() throws(ConnectorError) -> CheckReport {
        var steps: [CheckReport.Step] = []
        let session: MySQLSession
        do throws(MySQLRefusal) {
            session = try MySQLSession(settings)
        } catch {
            for step in ["name", "network", "tls", "credential", "right"] {
                if step == error.step {
                    steps.append(CheckReport.Step(step, settings.address, failure: error.error))
                    break
                }
                // Which of these were needed before is known only from how far it came.
                if step != "tls" || (settings.tls ?? .disable) >= .require { steps.append(CheckReport.Step(step)) }
            }
            return CheckReport(steps, identity: ["address": settings.address])
        }
        defer { session.close() }
        var identity = ["address": settings.address, "server": session.serverVersion]
        steps = [
            CheckReport.Step("name", settings.address), CheckReport.Step("network"),
            CheckReport.Step("tls", session.cipher ?? "plain text"), CheckReport.Step("credential"),
        ]
        do throws(ConnectorError) {
            let row = try session.rows("SELECT CURRENT_USER(), DATABASE()", "Asking who is connected").first
            identity["user"] = row?[0]
            identity["database"] = row?[1]
            steps[3].message = identity["user"] ?? ""
            let entries = try MySQLCatalog(session).entries()
            let views = entries.filter(\.isView).count
            let databases = Set(entries.map(\.schema)).count
            steps.append(
                CheckReport.Step("right", "\(entries.count - views) tables, \(views) views in \(databases) databases"))
        } catch {
            steps.append(CheckReport.Step("right", failure: error))
        }
        return CheckReport(steps, identity: identity)
    }

    func discover(_ ids: [String]) throws(ConnectorError) -> Catalog {
        let session = try connect()
        defer { session.close() }
        let catalog = MySQLCatalog(session)
        if ids.isEmpty {
            let entries = try catalog.entries()
            return Catalog(entries.map { CatalogObject($0.id, $0.isView ? .view : .table, detail: $0.detail) })
        }
        var objects: [CatalogObject] = []
        for id in ids {
            let entry = try catalog.entry(id)
            let relation = try catalog.relation(entry)
            let indexes = try catalog.indexes(entry)
            objects.append(
                CatalogObject(
                    id, entry.isView ? .view : .table,
                    columns: relation.schema(Array(relation.columns.indices)).fields,
                    primaryKey: MySQLCatalog.key(indexes), estimatedRows: entry.estimatedRows,
                    cursorColumns: MySQLCursorFitness.ranked(relation.columns, indexes), detail: entry.detail))
        }
        return Catalog(objects)
    }

    func describe(_ request: ReadRequest) throws(ConnectorError) -> Schema {
        let session = try connect()
        defer { session.close() }
        let relation = try MySQLCatalog(session).relation(request.target)
        // Made only so that what read would refuse is refused here.
        _ = try MySQLQuery(request, relation)
        return relation.schema(try relation.positions(of: request.columns))
    }

    func read(_ request: ReadRequest) throws(ConnectorError) -> any RecordStream {
        let session = try connect()
        do throws(ConnectorError) {
            let relation = try MySQLCatalog(session).relation(request.target)
            let query = try MySQLQuery(request, relation)
            try makeRoom(query, session)
            let watch = request.needsOpenWriters ? try MySQLWriterWatch(session, host) : nil
            try session.run(
                "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", "Taking a snapshot of \(settings.address)")
            return try MySQLStream(session, query, relation, request, host, openWriters: watch?.finish())
        } catch {
            session.close()
            throw error
        }
    }

    /// Lets long texts be compared to their end: the server looks at `max_sort_length` bytes of each only.
    private func makeRoom(_ query: MySQLQuery, _ session: MySQLSession) throws(ConnectorError) {
        guard query.sortBytesMax > 1_000 else { return }
        let length = min(query.sortBytesMax + 8, Self.sortBytesMax)
        try session.run(
            "SET SESSION max_sort_length = \(length), sort_buffer_size = GREATEST(@@sort_buffer_size, \(16 * length))",
            "Setting up the session")
    }
}
