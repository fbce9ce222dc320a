// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

@testable import PenstockABI

@Suite struct ObjectsDocumentTests {
    private let costs = RequestCosts(
        create: 1, update: 2, delete: 3, readByIDs: 4, readByIDsMax: 5, readPage: 6, readPageMax: 7, readOne: 8)

    @Test func objectsCrossAsTheyAre() throws {
        let objects = [
            ObjectDescriptor(
                id: "thing", title: "Thing", requiredOnCreate: ["name"], costs: costs, createdAtField: "a",
                updatedAtField: "b", rowsAtOnce: 500),
            ObjectDescriptor(id: "other", title: "Other", requiredOnCreate: [], costs: costs),
        ]
        #expect(try ObjectDescriptor.list(document: ObjectDescriptor.document(objects)) == objects)
    }

    @Test("how many rows an object takes at once is left to the host unless it says so", arguments: ["", "-3", "0"])
    func rowsAtOnceIsOptional(text: String) throws {
        let member = text.isEmpty ? "" : ", \"rows_at_once\": \(text)"
        let document = try Document.parse(
            Array("{\"v\": 1, \"objects\": [{\"id\": \"thing\", \"title\": \"Thing\"\(member)}]}".utf8))
        #expect(try ObjectDescriptor.list(document: document).map(\.rowsAtOnce) == [0])
    }

    @Test("A request costs nothing less than 0, and nothing that cannot be added up", arguments: ["-5", "1000000001"])
    func costsAreBounded(cost: String) throws {
        for name in ["create", "update", "delete", "read_by_ids", "read_page", "read_one"] {
            let costs = "{\"\(name)\": \(cost)}"
            let document = try Document.parse(
                Array("{\"v\": 1, \"objects\": [{\"id\": \"t\", \"title\": \"T\", \"costs\": \(costs)}]}".utf8))
            let error = #expect(throws: DocumentError.self) { try ObjectDescriptor.list(document: document) }
            #expect(error?.reason.contains("\(name) is \(cost)") == true)
        }
    }
}
