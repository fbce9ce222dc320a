// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension Catalog {
    /// The catalog as it crosses the boundary.
    var document: JSON { Document.list("objects", objects.map(\.document)) }

    /// The catalog in a document.
    package init(document: JSON) throws(DocumentError) {
        self.init(
            try document.decoded("objects") { item throws(DocumentError) in try CatalogObject(document: item) })
    }
}

extension CatalogObject {
    fileprivate var document: JSON {
        var object: JSONObject = [
            "id": .string(id), "kind": .string(kind.rawValue), "columns": .array(columns.map(\.document)),
            "primary_key": .strings(primaryKey),
        ]
        if let estimatedRows { object["estimated_rows"] = .integer(estimatedRows) }
        if !cursorColumns.isEmpty { object["cursor_columns"] = .strings(cursorColumns) }
        if !detail.isEmpty { object["detail"] = .string(detail) }
        return .object(object)
    }

    fileprivate init(document: JSON) throws(DocumentError) {
        let kindName = try document.text("kind")
        guard let kind = Kind(rawValue: kindName) else {
            throw DocumentError(reason: "the kind \(kindName) does not exist")
        }
        self.init(
            try document.text("id"), kind,
            columns: try document.decoded("columns") { item throws(DocumentError) in
                try Schema.Field(document: item)
            },
            primaryKey: try document.texts("primary_key"),
            estimatedRows: try document.integer("estimated_rows").map(Int64.init),
            cursorColumns: try document.texts("cursor_columns"), detail: try document.textIfPresent("detail") ?? "")
    }
}

extension Schema.Field {
    fileprivate var document: JSON {
        .object(
            [
                "name": .string(name), "type": .string(type.rawValue), "nullable": .bool(isNullable),
                "native_type": .string(nativeType),
            ] as JSONObject)
    }

    fileprivate init(document: JSON) throws(DocumentError) {
        let typeName = try document.text("type")
        guard let type = DataType(rawValue: typeName) else {
            throw DocumentError(reason: "the type \(typeName) does not exist")
        }
        self.init(
            try document.text("name"), type, isNullable: try document.flag("nullable", true),
            nativeType: try document.textIfPresent("native_type") ?? "")
    }
}
