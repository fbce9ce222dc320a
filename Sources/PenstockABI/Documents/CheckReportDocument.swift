// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension CheckReport {
    /// The report as it crosses the boundary.
    var document: JSON {
        var identity = JSONObject()
        for (key, value) in self.identity.sorted(by: { $0.key < $1.key }) { identity[key] = .string(value) }
        return .object(
            [
                "v": .integer(1), "steps": .array(steps.map(\.document)), "identity": .object(identity),
            ] as JSONObject)
    }

    /// The report in a document.
    package init(document: JSON) throws(DocumentError) {
        let steps = try document.decoded("steps") { item throws(DocumentError) in try Step(document: item) }
        guard !steps.isEmpty else { throw DocumentError(reason: "it has no steps") }
        var identity: [String: String] = [:]
        for member in document["identity"]?.objectValue?.members ?? [] {
            identity[member.key] = member.value.stringValue ?? member.value.text
        }
        self.init(steps, identity: identity)
    }
}

extension CheckReport.Step {
    fileprivate var document: JSON {
        var object: JSONObject = ["id": .string(id), "message": .string(message)]
        if let failure { object["error"] = failure.document }
        return .object(object)
    }

    fileprivate init(document: JSON) throws(DocumentError) {
        let id = try document.text("id")
        let message = try document.textIfPresent("message") ?? ""
        guard let error = document["error"], !error.isNull else {
            self.init(id, message)
            return
        }
        self.init(id, message, failure: try ConnectorError(document: error))
    }
}

extension ConnectorError {
    /// The error as it stands in a document; empty parts are left out.
    var document: JSON {
        var object: JSONObject = ["code": .string(code.description), "message": .string(message)]
        if !detail.isEmpty { object["detail"] = .string(detail) }
        if !field.isEmpty { object["field"] = .string(field) }
        if !vendorCode.isEmpty { object["vendor_code"] = .string(vendorCode) }
        if let retryAfterMilliseconds { object["retry_after_ms"] = .integer(retryAfterMilliseconds) }
        return .object(object)
    }

    /// The error in a document; a code that is not known here is `internal`.
    init(document: JSON) throws(DocumentError) {
        let name = try document.text("code")
        let code = (1...Code.contractBreach.rawValue).map(Code.init).first { $0.description == name }
        self.init(
            code ?? .internalFault, try document.text("message"),
            detail: try document.textIfPresent("detail") ?? "", field: try document.textIfPresent("field") ?? "",
            vendorCode: try document.textIfPresent("vendor_code") ?? "",
            retryAfterMilliseconds: try document.integer("retry_after_ms").map(Int64.init))
    }
}
