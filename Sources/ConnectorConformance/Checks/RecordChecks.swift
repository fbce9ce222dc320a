// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// Records once they are there: updated, read back, deleted.
enum RecordChecks {
    private static let base = ["write.every-row", "write.ids"]
    /// An id that no record has.
    private static let noSuchID = "987654321"

    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "write.ids", "a created record has an id of its own", "Destinations", .destination, .rehearsal,
            needs: ["write.every-row", "write.once"], by: ids),
        ConformanceCheck(
            "write.update", "an update sets records that are there and creates none", "Destinations", .destination,
            .rehearsal,
            needs: base, by: update),
        ConformanceCheck(
            "write.read-back", "records are read back by id, in the columns asked for, and unknown ids are left out",
            "Destinations", .destination, .rehearsal, needs: base, by: readBack),
        ConformanceCheck(
            "write.read-one", "a record is read back alone for what read_one says, and is the same as among others",
            "Objects", .destination, .rehearsal, needs: base + ["write.read-back"], by: readOne),
        ConformanceCheck(
            "write.delete", "a delete removes the record it names", "Destinations", [.destination, .delete], .rehearsal,
            needs: base + ["write.read-back"], by: delete),
        ConformanceCheck(
            "write.costs", "writes are announced as what they are, for what the object says that they cost", "Objects",
            .destination, .rehearsal, needs: base + ["write.tickets", "write.leave"], by: costs),
        ConformanceCheck(
            "write.prepare", "a marker field is made once and found again", "Destinations", [.destination, .prepare],
            .rehearsal, needs: ["write.fields"], by: prepare),
    ]

    private static func created(_ context: CheckContext, _ maker: RowMaker, rows: Int) throws -> [String] {
        let trial = try WriteTrial(context, maker, .init(rows: rows))
        guard trial.createdIDs.count == rows else {
            throw CheckFailure("of \(rows) rows \(trial.createdIDs.count) were created: \(trial.summary)")
        }
        return trial.createdIDs
    }

    private static func ids(_ context: CheckContext) throws {
        let ids = try created(context, try WriteChecks.maker(context), rows: 7)
        if ids.contains("") { context.find("a created row has no remote_id") }
        if Set(ids).count != ids.count { context.find("two created rows have the same remote_id") }
    }

    private static func update(_ context: CheckContext) throws {
        let maker = try WriteChecks.maker(context)
        let ids = try created(context, maker, rows: 4)
        let trial = try WriteTrial(
            context, maker, .init(mode: .update, rows: 5, ids: ids + [noSuchID], word: " again"))
        for result in trial.results {
            let place = rowNumber(result, trial)
            if place < ids.count, ![2, 3].contains(result.status) {
                context.find("the update of a record that is there is \(result.statusName): \(result.message)")
            }
            if place == ids.count, ![16, 18, 17].contains(result.status) {
                context.find("the update of a record that does not exist is \(result.statusName), not REJECTED")
            }
        }
        for entry in trial.host.writes where entry.intent.kind != .update {
            context.find("an update was announced as another kind of request")
        }
    }

    /// The number of a result's row in the whole trial.
    private static func rowNumber(_ result: ReportedResult, _ trial: WriteTrial) -> Int {
        trial.taken.filter { $0.key < result.batch }.map(\.value).reduce(0, +) + result.row
    }

    private static func records(
        _ context: CheckContext, _ object: ObjectDescriptor, _ ids: [String], _ fields: [String]
    ) throws -> Sample {
        let destination = try context.destination()
        defer { destination.close() }
        guard object.costs.readByIDsMax == 0 else { return try records(destination, object.id, ids, fields) }
        return try records(destination, ReadBackRequest(object: object.id, selection: .all, fields: fields))
    }

    private static func records(
        _ destination: DestinationUnderTest, _ object: String, _ ids: [String], _ fields: [String]
    ) throws -> Sample {
        try records(destination, ReadBackRequest(object: object, selection: .ids(ids), fields: fields))
    }

    private static func records(_ destination: DestinationUnderTest, _ request: ReadBackRequest) throws -> Sample {
        let read = try destination.readBack(request)
        defer { read.close() }
        let schema = try read.schema().imported()
        var sample = Sample(schema.schema)
        while let batch = try read.next() { try sample.append(batch, schema) }
        return sample
    }

    private static func readBack(_ context: CheckContext) throws {
        let object = try FieldChecks.object(context)
        let maker = try WriteChecks.maker(context)
        let most = object.costs.readByIDsMax > 0 ? min(3, object.costs.readByIDsMax) : 3
        let ids = try created(context, maker, rows: most)
        let fields = maker.fields.map(\.key)
        let asked = ids.count < object.costs.readByIDsMax ? ids + [noSuchID] : ids
        let sample = try records(context, object, asked, fields)
        let names = sample.schema.fields.map(\.name)
        if names != ["id"] + fields {
            context.find("the columns are \(names.joined(separator: ", ")), not id, \(fields.joined(separator: ", "))")
        }
        for (field, column) in zip(maker.fields, sample.schema.fields.dropFirst())
        where column.type != field.kind.columnType {
            context.find("\(field.key), of the kind \(field.kind.rawValue), comes back as \(column.type.rawValue)")
        }
        let found = sample.values(0).map { value in if case .text(let id) = value { id } else { "\(value)" } }
        for id in ids where !found.contains(id) { context.find("the record \(id), just created, is not read back") }
        if found.contains(noSuchID) { context.find("a record is read back that does not exist") }
        if Set(found).count != found.count { context.find("a record is read back twice") }
    }

    private static func readOne(_ context: CheckContext) throws {
        let object = try FieldChecks.object(context)
        guard object.costs.readOne > 0 else { throw CheckSkip("\(object.id) has no request for one record alone") }
        let maker = try WriteChecks.maker(context)
        let ids = try created(context, maker, rows: 2)
        let fields = maker.fields.map(\.key)
        let host = context.host()
        let destination = try context.destination(host)
        defer { destination.close() }
        // What a connection reads once is not what a record costs.
        _ = try records(destination, object.id, [ids[0]], fields)
        for (id, expected) in [(ids[0], 1), (noSuchID, 0)] {
            let before = host.entries.count
            let sample = try records(destination, object.id, [id], fields)
            let asked = host.entries.dropFirst(before)
            if sample.rows.count != expected {
                context.find("of the id \(id) alone \(sample.rows.count) records are read back, not \(expected)")
            }
            let cost = asked.reduce(0) { $0 + $1.intent.cost }
            if cost != object.costs.readOne {
                context.find("a record that is read back alone costs \(cost), and read_one is \(object.costs.readOne)")
            }
            if asked.contains(where: { $0.intent.kind != .read }) {
                context.find("a read-back was announced as another kind of request")
            }
        }
        guard object.costs.readByIDsMax > 1 else { return }
        let alone = try records(destination, object.id, [ids[0]], fields)
        let among = try records(destination, object.id, ids, fields)
        guard let row = among.values(0).firstIndex(of: .text(ids[0])), !alone.rows.isEmpty else { return }
        for (place, field) in alone.schema.fields.enumerated() where alone.values(place)[0] != among.values(place)[row]
        {
            context.find("\(field.name) of a record that is read back alone is not what it is among others")
        }
    }

    private static func costs(_ context: CheckContext) throws {
        let object = try FieldChecks.object(context)
        let maker = try WriteChecks.maker(context)
        let create = try WriteTrial(context, maker, .init(rows: 3))
        let ids = create.createdIDs
        hold(create, .create, object.costs.create, "create", context)
        guard !ids.isEmpty else { return }
        let update = try WriteTrial(context, maker, .init(mode: .update, rows: ids.count, ids: ids, word: " again"))
        hold(update, .update, object.costs.update, "update", context)
        guard try context.connector().capabilities.contains(.delete) else { return }
        let delete = try WriteTrial(context, maker, .init(mode: .delete, rows: ids.count, ids: ids))
        hold(delete, .delete, object.costs.delete, "delete", context)
    }

    private static func hold(
        _ trial: WriteTrial, _ kind: RequestIntent.Kind, _ cost: Int64, _ name: String, _ context: CheckContext
    ) {
        for entry in trial.host.writes {
            if entry.intent.kind != kind { context.find("a \(name) was announced as another kind of request") }
            if entry.intent.cost != cost {
                context.find("a \(name) asks for \(entry.intent.cost), and the object says that it costs \(cost)")
            }
        }
    }

    private static func delete(_ context: CheckContext) throws {
        let object = try FieldChecks.object(context)
        let maker = try WriteChecks.maker(context)
        let ids = try created(context, maker, rows: 3)
        let trial = try WriteTrial(context, maker, .init(mode: .delete, rows: 3, ids: ids))
        for result in trial.results where result.status != 4 {
            context.find("the delete of a record that is there is \(result.statusName): \(result.message)")
        }
        let left = try records(context, object, ids, maker.fields.map(\.key)).values(0)
        let still = left.filter { value in if case .text(let id) = value { ids.contains(id) } else { false } }
        if !still.isEmpty { context.find("\(still.count) deleted records are still read back") }
    }

    private static func prepare(_ context: CheckContext) throws {
        let object = try FieldChecks.object(context)
        let destination = try context.destination()
        defer { destination.close() }
        let first = try destination.prepare(object.id, label: "Penstock check")
        let second = try destination.prepare(object.id, label: "Penstock check")
        if first.isEmpty { context.find("prepare returned no key") }
        if first != second { context.find("asked twice for one label, prepare returned \(first) and \(second)") }
    }
}
