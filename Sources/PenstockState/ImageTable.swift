// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The tables of ``BeforeImages``.
struct ImageTable {
    let connection: SQLiteConnection

    // MARK: - Writing

    /// Makes one change after the other.
    func apply(_ changes: [ImageChange]) throws(StateError) {
        var made = MadeRecords(changes, connection)
        for change in changes { try apply(change, &made) }
    }

    private func apply(_ change: ImageChange, _ made: inout MadeRecords) throws(StateError) {
        switch change {
        case .run(let run): try begin(run)
        case .record(let image): try image.action == .create ? addMade(image, &made) : add(image)
        case .found(let image): if try !made.contains(image) { try addMade(image, &made) }
        case .done(let run, let key, let time):
            guard var image = try find(key, run) else { return }
            image.doneAtMilliseconds = max(image.doneAtMilliseconds, time)
            try replace(image)
        case .undone(let position, let action, let undone): try markUndone(position, action, undone)
        case .writing(let key, let field, let value): try write(key, field) { $0.next = value.text }
        case .wrote(let key, let field, let value): try write(key, field) { $0 = (value.text, nil) }
        case .forget(let key, let field): try write(key, field) { $0 = (nil, nil) }
        case .refused(let key):
            for field in try written(key).keys { try write(key, field) { $0.next = nil } }
        }
    }

    private func begin(_ run: ImageRun) throws(StateError) {
        let fields = JSON.array(
            run.fields.map { .array([.string($0.key), .string($0.name), .string($0.kind.rawValue)]) })
        let known = try connection.statement("SELECT id FROM run WHERE number = ?1")
            .first([.integer(run.number)]) { $0.text(0) ?? "" }
        // A state that was reset or put back counts its runs anew.
        if let known, known != run.id { try forget(run.number) }
        let next = "(SELECT coalesce(max(id), 0) FROM"
        try connection.statement(
            """
            INSERT INTO run (number, id, object, fields, undoes, image_from, made_from)
            VALUES (?1, ?2, ?3, ?4, ?5, \(next) image), \(next) made)) ON CONFLICT DO NOTHING
            """
        ).execute([
            .integer(run.number), .text(run.id), .text(run.object), .text(fields.text), SQLiteValue(run.undoes),
        ])
    }

    /// Forgets a run and its images.
    func forget(_ number: Int64) throws(StateError) {
        for table in ["image", "made"] {
            try connection.statement("DELETE FROM \(table) WHERE run = ?1").execute([.integer(number)])
        }
        try connection.statement("DELETE FROM run WHERE number = ?1").execute([.integer(number)])
    }

    private func add(_ image: RecordImage) throws(StateError) {
        if let known = try find(image.key, image.run) { return try replace(known.merged(with: image)) }
        let fields = Self.text(image)
        try connection.statement(
            """
            INSERT INTO image (run, key, remote_id, action, fields, done_at, is_undone, "check")
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)
            """
        ).execute([
            .integer(image.run), .fingerprint(image.key), .text(image.remoteID), .integer(image.action.rawValue),
            .text(fields), .integer(image.doneAtMilliseconds), .integer(Self.check(image, fields)),
        ])
    }

    private func replace(_ image: RecordImage) throws(StateError) {
        let fields = Self.text(image)
        try connection.statement(
            """
            UPDATE image SET remote_id = ?2, action = ?3, fields = ?4, done_at = ?5, is_undone = ?6, "check" = ?7
            WHERE id = ?1
            """
        ).execute([
            .integer(image.position), .text(image.remoteID), .integer(image.action.rawValue), .text(fields),
            .integer(image.doneAtMilliseconds), .integer(image.undone.rawValue),
            .integer(Self.check(image, fields)),
        ])
    }

    private func addMade(_ image: RecordImage, _ made: inout MadeRecords) throws(StateError) {
        made.add(image)
        try connection.statement(
            """
            INSERT INTO made (run, key, remote_id, mark, done_at, is_undone, "check") VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)
            """
        ).execute([
            .integer(image.run), .fingerprint(image.key), .text(image.remoteID), .bytes(image.mark),
            .integer(image.doneAtMilliseconds), .integer(Self.check(image, "")),
        ])
    }

    private func markUndone(_ position: Int64, _ action: RecordImage.Action, _ undone: RecordImage.Undone)
        throws(StateError)
    {
        let table = action == .create ? "made" : "image"
        if undone != .inPart {
            try connection.statement("UPDATE \(table) SET is_undone = ?2 WHERE id = ?1")
                .execute([.integer(position), .integer(undone.rawValue)])
        }
        guard action != .create else { return }
        try connection.statement(
            """
            UPDATE image SET is_undone = 0 WHERE key = (SELECT key FROM image WHERE id = ?1)
            AND run = (SELECT run.undoes FROM run JOIN image ON image.run = run.number WHERE image.id = ?1)
            """
        ).execute([.integer(position)])
    }

    private func write(
        _ key: Fingerprint, _ field: String, _ change: (inout (value: String?, next: String?)) -> Void
    ) throws(StateError) {
        let sql = "SELECT value, next FROM written WHERE key = ?1 AND field = ?2"
        let known: (value: String?, next: String?)? = try connection.statement(sql)
            .first([.fingerprint(key), .text(field)]) { ($0.text(0), $0.text(1)) }
        var wanted = known ?? (nil, nil)
        change(&wanted)
        if let known, known == wanted { return }
        guard wanted.value != nil || wanted.next != nil else {
            return try connection.statement("DELETE FROM written WHERE key = ?1 AND field = ?2")
                .execute([.fingerprint(key), .text(field)])
        }
        try connection.statement(
            "INSERT OR REPLACE INTO written (key, field, value, next, \"check\") VALUES (?1, ?2, ?3, ?4, ?5)"
        ).execute([
            .fingerprint(key), .text(field), SQLiteValue(wanted.value), SQLiteValue(wanted.next),
            .integer(Self.check(key, field, wanted.value, wanted.next)),
        ])
    }

    // MARK: - Reading

    func run(_ number: Int64) throws(StateError) -> ImageRun? {
        try connection.statement("SELECT id, object, fields, undoes FROM run WHERE number = ?1").first([
            .integer(number)
        ]) {
            row throws(StateError) in
            guard let id = row.text(0), let object = row.text(1), let text = row.text(2),
                // What is no JSON is not what was written.
                let fields = (try? JSON(parsing: text))?.arrayValue
            else { throw .damaged("\(connection.path), run \(number)") }
            return ImageRun(
                number: number, id: id, object: object,
                fields: fields.compactMap { field in
                    guard let items = field.arrayValue, items.count == 3, let key = items[0].stringValue,
                        let name = items[1].stringValue,
                        let kind = items[2].stringValue.flatMap(DestinationField.Kind.init(rawValue:))
                    else { return nil }
                    return ImageRun.Field(key: key, name: name, kind: kind)
                }, undoes: row.optionalInteger(3))
        }
    }

    func records(
        run: Int64, _ action: RecordImage.Action, after position: Int64, limit: Int
    ) throws(StateError) -> [RecordImage] {
        let table = action == .create ? "made" : "image"
        let columns = action == .create ? "2, '[]'" : "action, fields"
        let mark = action == .create ? "mark" : "x''"
        let sql = """
            SELECT id, run, key, remote_id, \(columns), \(mark), done_at, is_undone, "check" FROM \(table)
            WHERE id > max(?1, (SELECT \(table)_from FROM run WHERE number = ?2)) AND run = ?2 ORDER BY id LIMIT ?3
            """
        var images: [RecordImage] = []
        try connection.statement(sql).rows([.integer(position), .integer(run), .integer(Int64(limit))]) {
            row throws(StateError) in images.append(try decode(row))
        }
        return images
    }

    /// Times of two runs are compared with this much room: the other side's clock is known to a second.
    private static let clockRoom: Int64 = 2_000

    func ownChanges(of image: RecordImage) throws(StateError) -> OwnChanges {
        let record: [SQLiteValue] = [.fingerprint(image.key), .text(image.remoteID)]
        let last: Int64? =
            try connection.statement("SELECT max(done_at) FROM image WHERE key = ?1 AND remote_id = ?2")
            .first(record) { $0.optionalInteger(0) } ?? nil
        // A state that was reset counts its runs anew, so that only the time says which of them came later.
        let sql = """
            SELECT run.id FROM image JOIN run ON run.number = image.run
            WHERE image.key = ?1 AND image.remote_id = ?2 AND image.run > ?3 AND image.done_at > 0
            AND image.done_at >= ?4 AND image.is_undone <> \(RecordImage.Undone.whole.rawValue) AND run.undoes IS NULL
            ORDER BY image.run DESC LIMIT 1
            """
        let since = image.doneAtMilliseconds - Self.clockRoom
        let later = try connection.statement(sql).first(record + [.integer(image.run), .integer(since)]) { $0.text(0) }
        return OwnChanges(lastAtMilliseconds: last == 0 ? nil : last, laterRun: later ?? nil)
    }

    private func find(_ key: Fingerprint, _ run: Int64) throws(StateError) -> RecordImage? {
        let sql = """
            SELECT id, run, key, remote_id, action, fields, x'', done_at, is_undone, "check" FROM image
            WHERE key = ?1 AND run = ?2
            """
        return try connection.statement(sql).first([.fingerprint(key), .integer(run)]) { row throws(StateError) in
            try decode(row)
        }
    }

    func written(_ key: Fingerprint) throws(StateError) -> [String: WrittenValues] {
        var out: [String: WrittenValues] = [:]
        try connection.statement("SELECT field, value, next, \"check\" FROM written WHERE key = ?1")
            .rows([.fingerprint(key)]) { row throws(StateError) in
                guard let field = row.text(0),
                    row.integer(3) == Self.check(key, field, row.text(1), row.text(2))
                else { throw .damaged("\(connection.path), what was written last") }
                // The checksum says that these are the texts that were written, which are JSON.
                out[field] = WrittenValues(
                    last: row.text(1).flatMap { try? JSON(parsing: $0) },
                    next: row.text(2).flatMap { try? JSON(parsing: $0) })
            }
        return out
    }

    private func decode(_ row: SQLiteStatement) throws(StateError) -> RecordImage {
        let position = row.integer(0)
        guard let key = row.fingerprint(2), let id = row.text(3),
            let action = RecordImage.Action(rawValue: row.integer(4)), let text = row.text(5),
            // What is no JSON is not what was written.
            let items = (try? JSON(parsing: text))?.arrayValue
        else { throw .damaged("\(connection.path), image \(position)") }
        let fields = items.compactMap { FieldImage(stored: $0) }
        var image = RecordImage(
            run: row.integer(1), key: key, remoteID: id, action: action, fields: fields, mark: row.bytes(6),
            doneAtMilliseconds: row.integer(7))
        image.position = position
        image.undone = RecordImage.Undone(rawValue: row.integer(8)) ?? .whole
        let check = Self.check(image, action == .create ? "" : text)
        guard fields.count == items.count, check == row.integer(9) else {
            throw .damaged("\(connection.path), image \(position)")
        }
        return image
    }

    // MARK: - Checksums

    private static func text(_ image: RecordImage) -> String { JSON.array(image.fields.map(\.stored)).text }

    private static func check(_ image: RecordImage, _ fields: String) -> Int64 {
        var check = RowCheck("image")
        check.add(image.run)
        check.add(image.key)
        check.add(image.remoteID)
        check.add(image.action.rawValue)
        check.add(fields)
        check.add(image.mark)
        check.add(image.doneAtMilliseconds)
        return check.value
    }

    private static func check(_ key: Fingerprint, _ field: String, _ value: String?, _ next: String?) -> Int64 {
        var check = RowCheck("written")
        check.add(key)
        check.add(field)
        check.add(value)
        check.add(next)
        return check.value
    }
}
