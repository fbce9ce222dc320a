// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A connection to the files at one path.
package final class CSVSource: Source {
    private let settings: CSVSettings
    private let host: any HostServices
    /// Whether every column of the setting `types` was found to be in some table.
    private var areTypesKnown = false

    init(_ settings: CSVSettings, host: any HostServices) {
        self.settings = settings
        self.host = host
    }

    /// Opens every file and reads its header.
    package func check() throws(ConnectorError) -> CheckReport {
        var steps: [CheckReport.Step] = []
        do throws(ConnectorError) {
            let tables = try CSVTables.find(settings.path)
            for table in tables {
                let file = try open(table)
                file.close()
                try checkTypes(Set(file.columns), table, tables)
                let count = file.columns.count
                steps.append(.init("file", "\(table.id): \(count == 1 ? "1 column" : "\(count) columns")"))
            }
            return CheckReport(steps, identity: ["tables": String(tables.count)])
        } catch {
            steps.append(.init("file", failure: error))
            return CheckReport(steps)
        }
    }

    /// Lists the tables; without `ids`, one whose header cannot be read is listed without columns, and logged.
    package func discover(_ ids: [String]) throws(ConnectorError) -> Catalog {
        let tables = try CSVTables.find(settings.path)
        var objects: [CatalogObject] = []
        if ids.isEmpty {
            for table in tables {
                do throws(ConnectorError) {
                    objects.append(try object(table, tables))
                } catch  where error.code != .badConfig {
                    host.log(.warning, "A table is listed without columns.", ["reason": error.message])
                    objects.append(CatalogObject(table.id, .file))
                }
            }
        } else {
            for id in ids { objects.append(try object(try self.table(id, tables), tables)) }
        }
        return Catalog(objects)
    }

    /// Returns the columns that ``read(_:)`` would deliver.
    package func describe(_ request: ReadRequest) throws(ConnectorError) -> Schema {
        let reading = try start(request)
        reading.close()
        return reading.schema
    }

    /// Opens the file once, for all of the read.
    package func read(_ request: ReadRequest) throws(ConnectorError) -> any RecordStream {
        CSVStream(try start(request), host: host)
    }

    /// Has nothing to close: files are open only while they are read.
    package func close() {}

    private func open(_ table: CSVTable) throws(ConnectorError) -> CSVFile { try CSVFile(table, settings) }

    private func start(_ request: ReadRequest) throws(ConnectorError) -> CSVReading {
        guard case .object(let id) = request.target else {
            throw ConnectorError(
                .unsupported, "CSV files cannot be queried; name a table, which is a file name without extension.")
        }
        let tables = try CSVTables.find(settings.path)
        let file = try open(try table(id, tables))
        try checkTypes(Set(file.columns), file.table, tables)
        return try CSVReading(file, settings, request)
    }

    private func object(_ table: CSVTable, _ tables: [CSVTable]) throws(ConnectorError) -> CatalogObject {
        let file = try open(table)
        file.close()
        try checkTypes(Set(file.columns), table, tables)
        let columns = file.columns.map { name in
            let type = settings.type(of: name)
            return Schema.Field(name, type.dataType, nativeType: type.rawValue)
        }
        return CatalogObject(table.id, .file, columns: columns)
    }

    private func table(_ id: String, _ tables: [CSVTable]) throws(ConnectorError) -> CSVTable {
        if let table = tables.first(where: { $0.id.utf8.elementsEqual(id.utf8) }) { return table }
        throw ConnectorError(
            .notFound,
            "There is no table \(id) at \(settings.path); there \(tables.count == 1 ? "is" : "are") "
                + "\(tables.map(\.id).joined(separator: ", ")).", field: id)
    }

    /// Refuses the setting `types` where it names a column that no table has.
    private func checkTypes(
        _ columns: Set<String>, _ table: CSVTable, _ tables: [CSVTable]
    ) throws(ConnectorError) {
        var unknown = settings.types.map(\.column).filter { !columns.contains($0) }
        guard !areTypesKnown, !unknown.isEmpty else { return }
        for other in tables where other != table {
            do throws(ConnectorError) {
                let file = try open(other)
                file.close()
                unknown.removeAll { file.columns.contains($0) }
            } catch {
                // A header that cannot be read may hold the column; reading that table says what is wrong with it.
                return
            }
        }
        guard let column = unknown.first else {
            areTypesKnown = true
            return
        }
        throw ConnectorError(
            .badConfig, "The setting types names the column \(column), which no table at \(settings.path) has.",
            field: "types")
    }
}
