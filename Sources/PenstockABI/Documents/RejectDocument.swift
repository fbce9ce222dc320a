// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SourceReject {
    /// The name of the last column of a batch, which says why a row must be rejected.
    package static let columnName = "__penstock_reject"

    /// The reject as it stands in that column.
    var document: JSON {
        .object(["column": .string(column), "value": .string(value), "message": .string(message)] as JSONObject)
    }

    /// The reject in the cell of row `row`.
    init(row: Int, cell: some Collection<UInt8>) throws(DocumentError) {
        let document: JSON
        do {
            document = try JSON(parsing: Array(cell))
        } catch {
            throw DocumentError(reason: "\(Self.columnName) of row \(row) is not JSON: \(error)")
        }
        self.init(
            row: row, column: try document.textIfPresent("column") ?? "",
            value: try document.textIfPresent("value") ?? "", message: try document.text("message"))
    }
}
