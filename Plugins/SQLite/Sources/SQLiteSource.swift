// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A database file.
///
/// Between two calls nothing is open, so that no writer waits.
final class SQLiteSource: Source {
    private let path: String
    private let busyMilliseconds: Int
    private let host: any HostServices

    init(path: String, busyMilliseconds: Int, host: any HostServices) {
        self.path = path
        self.busyMilliseconds = busyMilliseconds
        self.host = host
    }

    func close() {}

    private func open(_ cancellation: SQLiteCancellation) throws(ConnectorError) -> SQLiteDatabase {
        try SQLiteDatabase(path: path, busyMilliseconds: busyMilliseconds, cancellation: cancellation)
    }

    func check() throws(ConnectorError) -> CheckReport {
        let identity = ["path": path, "sqlite": SQLiteDatabase.libraryVersion]
        let database: SQLiteDatabase
        do throws(ConnectorError) {
            database = try open(SQLiteCancellation(host))
        } catch {
            return CheckReport([CheckReport.Step("file", path, failure: error)], identity: identity)
        }
        defer { database.close() }
        let file = CheckReport.Step("file", path)
        do throws(ConnectorError) {
            let entries = try SQLiteCatalog(database).entries()
            let views = entries.filter { $0.kind == .view }.count
            let message = "\(entries.count - views) tables, \(views) views"
            return CheckReport([file, CheckReport.Step("read", message)], identity: identity)
        } catch {
            return CheckReport([file, CheckReport.Step("read", failure: error)], identity: identity)
        }
    }

    func discover(_ ids: [String]) throws(ConnectorError) -> Catalog {
        let database = try open(SQLiteCancellation(host))
        defer { database.close() }
        let catalog = SQLiteCatalog(database)
        let entries = try catalog.entries()
        var objects: [CatalogObject] = []
        if ids.isEmpty {
            for entry in entries {
                objects.append(CatalogObject(entry.name, Self.kind(entry)))
            }
            return Catalog(objects)
        }
        for id in ids {
            let entry = try catalog.entry(id, in: entries)
            let relation = try catalog.relation(entry)
            objects.append(
                CatalogObject(
                    entry.name, Self.kind(entry), columns: relation.schema(Array(relation.columns.indices)).fields,
                    primaryKey: relation.primaryKey, estimatedRows: try catalog.estimatedRows(entry)))
        }
        return Catalog(objects)
    }

    private static func kind(_ entry: SQLiteCatalog.Entry) -> CatalogObject.Kind {
        entry.kind == .view ? .view : .table
    }

    func describe(_ request: ReadRequest) throws(ConnectorError) -> Schema {
        let database = try open(SQLiteCancellation(host))
        defer { database.close() }
        let relation = try SQLiteCatalog(database).relation(request.target)
        // Made only so that what read would refuse is refused here.
        _ = try SQLiteQuery(request, relation, collation: database.collation)
        return relation.schema(try relation.positions(of: request.columns))
    }

    func read(_ request: ReadRequest) throws(ConnectorError) -> any RecordStream {
        let cancellation = SQLiteCancellation(host)
        let database = try open(cancellation)
        do throws(ConnectorError) {
            let relation = try SQLiteCatalog(database).relation(request.target)
            let query = try SQLiteQuery(request, relation, collation: database.collation)
            let schema = relation.schema(try relation.positions(of: request.columns))
            return try SQLiteStream(database, query, schema, request, cancellation)
        } catch {
            database.close()
            throw error
        }
    }
}
