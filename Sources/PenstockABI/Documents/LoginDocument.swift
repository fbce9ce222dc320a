// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How a login in a browser crosses the boundary: as `x-login` of the settings' schema, which older hosts pass over.
extension BrowserLogin {
    /// The keyword of the settings' schema.
    static let keyword = "x-login"

    /// The login that a schema names, or nil.
    ///
    /// - Throws: ``DocumentError`` also where it names a setting that `fields` lacks.
    static func of(schema: JSON, _ fields: [ConfigField]) throws(DocumentError) -> BrowserLogin? {
        guard let json = schema[keyword], !json.isNull else { return nil }
        do {
            let login = try BrowserLogin(json)
            try login.check(fields)
            return login
        } catch {
            throw DocumentError(reason: "\(keyword): \(error.reason)")
        }
    }

    private init(_ json: JSON) throws(DocumentError) {
        guard json.objectValue != nil else { throw DocumentError(reason: "it is not an object") }
        self.init(
            authorizeURL: try json.text("authorize_url"),
            authorizeURLSetting: try json.textIfPresent("authorize_url_setting") ?? "",
            clientIDSetting: try json.text("client_id"), needs: try json.texts("needs"), gives: try json.text("gives"),
            insteadOf: try json.texts("instead_of"), scope: try json.textIfPresent("scope") ?? "",
            pkceSetting: try json.textIfPresent("pkce_setting") ?? "", port: try json.integer("port"))
    }

    private func check(_ fields: [ConfigField]) throws(DocumentError) {
        let named =
            [authorizeURLSetting, clientIDSetting, gives, pkceSetting].filter { !$0.isEmpty } + needs + insteadOf
        for name in named where !fields.contains(where: { $0.name == name }) {
            throw DocumentError(reason: "there is no setting \(name)")
        }
        guard fields.contains(where: { $0.name == gives && $0.isSecret }) else {
            throw DocumentError(reason: "\(gives) is not a secret")
        }
        if !pkceSetting.isEmpty, !fields.contains(where: { $0.name == pkceSetting && $0.kind == .boolean }) {
            throw DocumentError(reason: "\(pkceSetting) is not true or false")
        }
        guard port.map({ (1...65_535).contains($0) }) ?? true else {
            throw DocumentError(reason: "port is not from 1 to 65535")
        }
    }

    /// The object under ``keyword``.
    var json: JSON {
        var object: JSONObject = ["authorize_url": .string(authorizeURL), "client_id": .string(clientIDSetting)]
        if !authorizeURLSetting.isEmpty { object["authorize_url_setting"] = .string(authorizeURLSetting) }
        object["needs"] = .strings(needs)
        object["gives"] = .string(gives)
        object["instead_of"] = .strings(insteadOf)
        if !scope.isEmpty { object["scope"] = .string(scope) }
        if !pkceSetting.isEmpty { object["pkce_setting"] = .string(pkceSetting) }
        if let port { object["port"] = .integer(port) }
        return .object(object)
    }
}
