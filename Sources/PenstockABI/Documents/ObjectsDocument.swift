// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension ObjectDescriptor {
    /// The objects as they cross the boundary.
    static func document(_ objects: [ObjectDescriptor]) -> JSON {
        Document.list("objects", objects.map(\.document))
    }

    /// The objects in a document.
    package static func list(document: JSON) throws(DocumentError) -> [ObjectDescriptor] {
        try document.decoded("objects") { item throws(DocumentError) in try ObjectDescriptor(document: item) }
    }

    private var document: JSON {
        .object(
            [
                "id": .string(id), "title": .string(title), "required_on_create": .strings(requiredOnCreate),
                "created_at_field": .string(createdAtField), "updated_at_field": .string(updatedAtField),
                "rows_at_once": .integer(rowsAtOnce),
                "costs": .object(
                    [
                        "create": .integer(costs.create), "update": .integer(costs.update),
                        "delete": .integer(costs.delete), "read_by_ids": .integer(costs.readByIDs),
                        "read_by_ids_max": .integer(costs.readByIDsMax), "read_one": .integer(costs.readOne),
                        "read_page": .integer(costs.readPage),
                        "read_page_max": .integer(costs.readPageMax),
                    ] as JSONObject),
            ] as JSONObject)
    }

    private init(document: JSON) throws(DocumentError) {
        let costs = document["costs"] ?? .object([:] as JSONObject)
        self.init(
            id: try document.text("id"), title: try document.text("title"),
            requiredOnCreate: try document.texts("required_on_create"),
            costs: RequestCosts(
                create: try costs.cost("create"), update: try costs.cost("update"), delete: try costs.cost("delete"),
                readByIDs: try costs.cost("read_by_ids"),
                readByIDsMax: try costs.integer("read_by_ids_max") ?? 0,
                readPage: try costs.cost("read_page"),
                readPageMax: try costs.integer("read_page_max") ?? 0,
                readOne: try costs.cost("read_one")),
            createdAtField: try document.textIfPresent("created_at_field") ?? "",
            updatedAtField: try document.textIfPresent("updated_at_field") ?? "",
            rowsAtOnce: max(0, try document.integer("rows_at_once") ?? 0))
    }
}
