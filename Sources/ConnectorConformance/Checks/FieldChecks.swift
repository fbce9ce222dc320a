// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// What a destination says about its objects, without writing.
enum FieldChecks {
    private static let unknown = "penstock_check_no_such_thing"

    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "write.fields", "the fields of every object are as described, and twice the same", "Fields", .destination,
            .settings, needs: ["settings.open", "descriptor.objects"], by: fields),
        ConformanceCheck(
            "write.limits", "the limits are told without asking the other side", "Limits", .destination, .settings,
            needs: ["settings.open"], by: limits),
        ConformanceCheck(
            "write.unknown-object", "an object that does not exist is NOT_FOUND", "Destinations", .destination,
            .settings,
            needs: ["write.fields"], by: unknownObject),
        ConformanceCheck(
            "write.begin", "a field that cannot be written is refused before a row is sent", "Destinations",
            .destination,
            .settings, needs: ["write.fields"], by: begin),
    ]

    /// The fields of an object, or why they cannot be used.
    static func fields(_ destination: DestinationUnderTest, _ object: String) throws -> [DestinationField] {
        do {
            return try destination.fields(object).value.get()
        } catch let error as DocumentError {
            throw CheckFailure("the fields of \(object) are not as described: \(error.reason)")
        }
    }

    /// The object given, or the first.
    static func object(_ context: CheckContext) throws -> ObjectDescriptor {
        let objects = try context.objects()
        let given = context.order.objects
        if let found = objects.first(where: { given.contains($0.id) }) { return found }
        if !given.isEmpty, try !context.connector().capabilities.contains(.source) {
            throw CheckSkip("it writes no object \(given.joined(separator: ", "))")
        }
        guard let first = objects.first else { throw CheckSkip("it writes no object") }
        return first
    }

    private static func fields(_ context: CheckContext) throws {
        let destination = try context.destination()
        defer { destination.close() }
        for object in try context.objects() {
            let first = try fields(destination, object.id)
            let keys = first.map(\.key)
            if keys.isEmpty { context.find("\(object.id) has no fields") }
            if Set(keys).count != keys.count { context.find("\(object.id) has a field twice") }
            for key in object.requiredOnCreate where !keys.contains(key) {
                context.find("\(object.id) requires \(key), which is not a field")
            }
            for field in first {
                let name = "\(object.id).\(field.key)"
                if field.key.isEmpty { context.find("\(object.id) has a field without a key") }
                if field.kind == .id, field.isWritableOnCreate || field.isWritableOnUpdate {
                    context.find("\(name) is an id and says that it can be written")
                }
                if field.isRequiredOnCreate, !field.isWritableOnCreate {
                    context.find("\(name) is required but cannot be written")
                }
                let ids = field.options.map(\.id)
                if Set(ids).count != ids.count { context.find("\(name) has an option twice") }
                if let most = field.lengthMax, most < 1 { context.find("\(name) has room for \(most) characters") }
            }
            if try fields(destination, object.id) != first {
                context.find("asked twice, \(object.id) has other fields")
            }
        }
    }

    private static func limits(_ context: CheckContext) throws {
        let host = context.host()
        let destination = try context.destination(host)
        defer { destination.close() }
        switch try destination.limits().value {
        case .failure(let error): context.find("the limits are not as described: \(error.reason)")
        case .success(let limits):
            let buckets = limits.map(\.bucket)
            if Set(buckets).count != buckets.count { context.find("a limit is there twice") }
            for limit in limits {
                if limit.bucket.isEmpty { context.find("a limit has no name") }
                let numbers = [limit.limit, limit.remaining, limit.windowMilliseconds, limit.resetsInMilliseconds]
                if numbers.contains(where: { ($0 ?? 0) < 0 }) { context.find("\(limit.bucket) has a number below 0") }
            }
        }
        if !host.entries.isEmpty { context.find("it asked for leave to send \(host.entries.count) requests") }
    }

    private static func unknownObject(_ context: CheckContext) throws {
        let destination = try context.destination()
        defer { destination.close() }
        context.expect("fields of an unknown object", [.notFound]) { () throws(Refusal) in
            _ = try destination.fields(unknown)
        }
        let schema = Schema([
            Schema.Field(WriteRequest.rowKeyColumn, .text, isNullable: false), Schema.Field("x", .text),
        ])
        let request = WriteRequest(object: unknown, mode: .create, schema: schema, inFlightMax: 1)
        let inbox = ResultInboxUnderTest(context.transcript)
        context.expect("begin for an unknown object", [.notFound]) { () throws(Refusal) in
            try destination.begin(request, inbox).end()
        }
    }

    private static func begin(_ context: CheckContext) throws {
        let host = context.host()
        let destination = try context.destination(host)
        defer { destination.close() }
        let object = try object(context)
        let fields = try fields(destination, object.id)
        let before = host.writes.count
        let inbox = ResultInboxUnderTest(context.transcript)
        var columns: [(String, Schema.Field, [ConnectorError.Code])] = [
            ("a field that does not exist", Schema.Field(unknown, .text), [.notFound, .badRequest])
        ]
        if let fixed = fields.first(where: { !$0.isWritableOnCreate }) {
            columns.append(
                (
                    "the field \(fixed.key), which cannot be written", Schema.Field(fixed.key, fixed.kind.columnType),
                    [.badRequest, .notFound, .unsupported]
                ))
        }
        for (what, column, codes) in columns {
            let schema = Schema([Schema.Field(WriteRequest.rowKeyColumn, .text, isNullable: false), column])
            let request = WriteRequest(object: object.id, mode: .create, schema: schema, inFlightMax: 1)
            context.expect("begin with \(what)", codes) { () throws(Refusal) in
                try destination.begin(request, inbox).end()
            }
        }
        if host.writes.count != before { context.find("it asked for leave to write before a row was submitted") }
        if !inbox.results.isEmpty { context.find("it reported rows that were never submitted") }
    }
}
