// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockABI
import PenstockModel

/// A schema that a connector handed out; it is given back when nobody uses it any more.
final class SchemaUnderTest {
    private let room: UnsafeMutablePointer<ArrowSchema>
    private let call: String

    /// Takes over a schema.
    init(_ schema: ArrowSchema, _ call: String) {
        self.call = call
        room = .allocate(capacity: 1)
        room.initialize(to: schema)
    }

    deinit {
        room.pointee.release?(room)
        room.deallocate()
    }

    /// The columns with their layouts.
    ///
    /// - Throws: ``CheckFailure`` for what the host would refuse.
    func imported() throws(CheckFailure) -> ImportedSchema {
        do {
            return try ImportedSchema(room.pointee, call, ContractChecks(connector: "under test"))
        } catch {
            throw CheckFailure(error.message)
        }
    }

    /// What is wrong with it apart from names and formats: lifetimes and lengths.
    func flaws() -> [String] {
        var flaws: [String] = []
        if room.pointee.release == nil { flaws.append("the schema of \(call) is marked as released") }
        for index in 0..<Int(max(0, room.pointee.n_children)) {
            guard let child = room.pointee.children?[index] else {
                flaws.append("column \(index) of the schema is NULL")
                continue
            }
            if child.pointee.release == nil { flaws.append("column \(index) of the schema is marked as released") }
        }
        return flaws
    }

    /// Releases the schema.
    ///
    /// - Returns: Whether it is marked as released afterwards.
    func release() -> Bool {
        room.pointee.release?(room)
        let isMarked = room.pointee.release == nil
        room.pointee.release = nil
        return isMarked
    }

    /// Moves the first column out, releases the rest, and then the column.
    ///
    /// - Returns: Whether the column was still whole after the rest was released.
    func survivesMovingAColumnOut() -> Bool {
        guard let place = room.pointee.children?[0], place.pointee.release != nil else { return false }
        var moved = place.pointee
        place.pointee.release = nil
        let name = moved.name.map { String(cString: $0) }
        _ = release()
        let isWhole = moved.name.map { String(cString: $0) } == name
        moved.release?(&moved)
        return isWhole && moved.release == nil
    }
}
