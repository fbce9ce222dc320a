// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// What a source says it has, without rows.
enum DiscoveryChecks {
    private static let unknown = "penstock_check_no_such_thing"
    private static let open = ["settings.open"]

    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "discover.catalog", "the catalog is as described, without an object twice, and twice the same", "Catalog",
            .source, .settings, needs: open, by: catalog),
        ConformanceCheck(
            "discover.named", "an object that is asked for by name is in the catalog", "Sources", .source, .settings,
            needs: ["discover.catalog"], by: named),
        ConformanceCheck(
            "discover.schema", "describe, the stream and the catalog agree about the columns", "Sources", .source,
            .settings,
            needs: ["discover.catalog"], by: schema),
        ConformanceCheck(
            "discover.unknown-object", "an object that does not exist is NOT_FOUND", "Sources", .source, .settings,
            needs: open, by: unknownObject),
        ConformanceCheck(
            "discover.unknown-column", "a column that does not exist is NOT_FOUND and named", "Sources", .source,
            .settings,
            needs: ["discover.schema"], by: unknownColumn),
        ConformanceCheck(
            "discover.bad-query", "a query that makes no sense is refused and not an end of the process", "Errors",
            [.source, .query], .settings, needs: open, by: badQuery),
    ]

    private static func catalog(_ context: CheckContext) throws {
        let source = try context.source()
        defer { source.close() }
        let first = try context.catalog(source)
        var ids: Set<String> = []
        for object in first.objects {
            if !ids.insert(object.id).inserted { context.find("the object \(object.id) is there twice") }
            if object.id.isEmpty { context.find("an object has no id") }
            let names = object.columns.map(\.name)
            if Set(names).count != names.count { context.find("a column of \(object.id) is there twice") }
            for key in object.primaryKey where !names.isEmpty && !names.contains(key) {
                context.find("the primary key of \(object.id) names \(key), which is not a column")
            }
            if let rows = object.estimatedRows, rows < 0 { context.find("\(object.id) has \(rows) rows") }
        }
        let second = try context.catalog(source)
        if first.objects.map(\.id) != second.objects.map(\.id) {
            context.find("a second look found other objects, or in another order")
        } else if first.objects.map(\.columns) != second.objects.map(\.columns) {
            context.find("a second look found other columns")
        }
        context.note("\(first.objects.count) objects")
    }

    private static func named(_ context: CheckContext) throws {
        let source = try context.source()
        defer { source.close() }
        let all = try context.catalog(source).objects.map(\.id)
        guard !all.isEmpty else { throw CheckSkip("the catalog has no object") }
        for id in try context.readObjects() + all.prefix(CheckContext.objectsMax) {
            if try !context.catalog(source, [id]).objects.contains(where: { $0.id == id }) {
                context.find("asked for \(id), the catalog does not have it")
            }
        }
    }

    private static func schema(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let request = ReadRequest(target)
            let described = try source.describe(request).imported().schema
            let read = try source.read(request)
            defer { read.close() }
            let delivered = try read.schema().imported().schema
            if let difference = difference(described, delivered) {
                context.find("\(target.name): describe and the stream differ: \(difference)")
            }
            if let difference = difference(delivered, try read.schema().imported().schema) {
                context.find("\(target.name): two get_schema of one stream differ: \(difference)")
            }
            guard case .object(let id) = target else { return }
            let object = try context.catalog(source, [id]).objects.first { $0.id == id }
            guard let object, !object.columns.isEmpty else { return }
            if let difference = difference(Schema(object.columns), delivered) {
                context.find("\(target.name): the catalog and the stream differ: \(difference)")
            }
        }
    }

    private static func difference(_ left: Schema, _ right: Schema) -> String? {
        let (names, others) = (left.fields.map(\.name), right.fields.map(\.name))
        guard names == others else { return "\(names.joined(separator: ", ")) and \(others.joined(separator: ", "))" }
        for (field, other) in zip(left.fields, right.fields) where field.type != other.type {
            return "\(field.name) is \(field.type.rawValue) and \(other.type.rawValue)"
        }
        return nil
    }

    private static func unknownObject(_ context: CheckContext) throws {
        let source = try context.source()
        defer { source.close() }
        let request = ReadRequest(.object(unknown))
        context.expect("describe of an unknown object", [.notFound]) { () throws(Refusal) in
            _ = try source.describe(request)
        }
        context.expect("read of an unknown object", [.notFound]) { () throws(Refusal) in
            try source.read(request).close()
        }
        do throws(Refusal) {
            let answer = try source.discover([unknown])
            if case .success(let catalog) = answer.value, catalog.objects.contains(where: { $0.id == unknown }) {
                context.find("discover found an object that does not exist")
            }
        } catch {
            if error.error.code != .notFound {
                context.find("discover of an unknown object was answered \(error.error.code), where not-found is due")
            }
        }
    }

    private static func unknownColumn(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let request = ReadRequest(target, columns: [unknown])
            context.expect("describe of an unknown column of \(target.name)", [.notFound], field: unknown) {
                () throws(Refusal) in _ = try source.describe(request)
            }
            context.expect("read of an unknown column of \(target.name)", [.notFound], field: unknown) {
                () throws(Refusal) in try source.read(request).close()
            }
        }
    }

    private static func badQuery(_ context: CheckContext) throws {
        let source = try context.source()
        defer { source.close() }
        let queries = ["this is not a query of any language (", "", "\u{1F600}'\"`;--", "SELECT 1; SELECT 2"]
        for query in queries {
            do throws(Refusal) {
                _ = try source.describe(ReadRequest(.query(query)))
                context.note("accepts the query \"\(query)\"")
            } catch {
                let due: [ConnectorError.Code] = [.badRequest, .notFound, .badData, .unsupported]
                if !due.contains(error.error.code) {
                    context.find("the query \"\(query)\" was answered \(error.error.code), where bad-request is due")
                }
            }
        }
    }
}
