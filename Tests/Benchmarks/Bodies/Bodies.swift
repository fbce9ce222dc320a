// SPDX-License-Identifier: Apache-2.0

import CProcess
import ConnectorHTTP
import ConnectorTesting
import PenstockEngine
import PenstockHost
import PenstockModel
import PipedriveConnector

/// Every row of a table as the body of the request that would create its record; nothing is sent.
///
/// The way is that of a run: the connector's library over the C interface, the field map, the destination's own
/// rendering.
@main enum Bodies {
    static func main() throws {
        let words = CommandLine.arguments
        guard words.count >= 4 else {
            print("usage: penstock-bodies LIBRARY SETTINGS TABLE COLUMN…")
            return
        }
        // As the program does.
        penstock_keep_freed(4 << 20)
        let library = try ConnectorLibrary(loading: words[1])
        let settings = try JSON(parsing: Array(words[2].utf8))
        let source = try library.connector.openSource(settings, host: TestHost())
        let request = ReadRequest(.object(words[3]), columns: Array(words[4...]))
        let fields = PipedriveFields(.organization, listing: listing)
        let mapping = try CompiledMapping(
            map: map, insert: InsertDefinition(mode: .append), source: try source.describe(request),
            fields: fields.all.map(\.field))
        let stream = try source.read(request)
        var renderer = try Renderer(mapping, fields)
        while let read = try stream.next() { try renderer.take(mapping.map(read.batch)) }
        stream.close()
        source.close()
        print("\(renderer.rows) rows, \(renderer.bytes) bytes")
    }

    private static let map = [
        MapEntry(target: "name", from: "name"), MapEntry(target: "website", from: "website"),
        MapEntry(target: "address", from: "address"), MapEntry(target: "employee_count", from: "employees"),
        MapEntry(target: "Customer key", from: "customer_key"), MapEntry(target: "Account notes", from: "notes"),
        MapEntry(target: "Segment", from: "segment", option: .label), MapEntry(target: "ARR", from: "arr_eur"),
        MapEntry(target: "Customer since", from: "customer_since"),
    ]

    private static let listing: [JSON] = [
        standard("website", "varchar"), standard("employee_count", "int"),
        custom("Customer key", "varchar", 0), custom("Account notes", "text", 1),
        custom("Segment", "enum", 2, ["SMB", "Mid", "Enterprise"]), custom("ARR", "double", 3),
        custom("Customer since", "date", 4),
    ]

    /// A field that an account may lack.
    private static func standard(_ code: String, _ type: String) -> JSON {
        let definition: JSONObject = [
            "field_name": .string(code), "field_code": .string(code), "field_type": .string(type),
            "is_custom_field": .bool(false), "options": .null,
        ]
        return .object(definition)
    }

    private static func custom(_ name: String, _ type: String, _ number: Int, _ labels: [String] = []) -> JSON {
        let options = labels.enumerated().map { id, label in
            let option: JSONObject = ["id": .integer(id + 1), "label": .string(label)]
            return JSON.object(option)
        }
        let code = "\(number)f3c1a52b7d94e6f8a1c0d2e4b6f8a9c1d3e5f7\(number)"
        let definition: JSONObject = [
            "field_name": .string(name), "field_code": .string(code), "field_type": .string(type),
            "is_custom_field": .bool(true), "options": labels.isEmpty ? .null : .array(options),
        ]
        return .object(definition)
    }
}

/// Renders mapped rows, and counts what comes out.
private struct Renderer {
    private(set) var rows = 0
    private(set) var bytes = 0
    private let schema: Schema
    private let body: PipedriveBody
    private let text = JSONBuffer()

    init(_ mapping: CompiledMapping, _ fields: PipedriveFields) throws {
        schema = Schema(
            [Schema.Field(WriteRequest.presenceColumn, .bytes, isNullable: false)] + mapping.fieldSchema.fields)
        let request = WriteRequest(object: "organization", mode: .create, schema: schema, inFlightMax: 1)
        body = try PipedriveBody(request, object: .organization, fields: fields)
    }

    mutating func take(_ mapped: MappedBatch) throws {
        let rejected = mapped.rejectedRows
        let width = (schema.fields.count + 7) >> 3
        var bits: [UInt8] = []
        mapped.presence.append(0..<rejected.count, reserved: 1, width: width, to: &bits)
        let batch = RecordBatch(schema, [Column(.bytes, repeating: width, bits)] + mapped.columns)
        let (rows, bytes) = try batch.withPointers { columns throws(ConnectorError) -> (Int, Int) in
            var (rows, bytes) = (0, 0)
            for row in 0..<rejected.count where !rejected[row] {
                text.truncate(to: 0)
                guard try body.render(columns, row, into: text) else { continue }
                rows += 1
                bytes += text.count
            }
            return (rows, bytes)
        }
        self.rows += rows
        self.bytes += bytes
    }
}
