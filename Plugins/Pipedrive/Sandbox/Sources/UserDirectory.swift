// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A user of the sandbox's account.
package struct SandboxUser: Sendable {
    /// The user's id.
    package let id: Int
    /// The name.
    package var name: String
    /// The e-mail address.
    package var email: String
    /// Whether the user can own records.
    package var isActive: Bool

    /// A user.
    package init(id: Int, name: String, email: String, isActive: Bool = true) {
        self.id = id
        self.name = name
        self.email = email
        self.isActive = isActive
    }

    var isYou: Bool { id == UserDirectory.you }

    var json: JSON {
        .members([
            "id": .integer(id), "name": .string(name), "default_currency": .string("EUR"),
            "locale": .string("en_US"), "lang": .integer(1), "email": .string(email), "phone": .null,
            "activated": .bool(true), "last_login": .string("2026-01-05 08:00:00"),
            "created": .string("2024-03-01 09:00:00"), "modified": .string("2026-01-05 08:00:00"),
            "has_created_company": .bool(isYou),
            "access": .array([
                .members([
                    "app": .string("sales"), "admin": .bool(isYou),
                    "permission_set_id": .string("2f1ab3f4-6f0e-4a58-9a3c-000000000001"),
                ])
            ]),
            "active_flag": .bool(isActive), "timezone_name": .string("Europe/Berlin"),
            "timezone_offset": .string("+01:00"), "role_id": .integer(1), "icon_url": .null,
            "is_you": .bool(isYou), "is_deleted": .bool(false),
        ])
    }
}

/// The users of the account.
struct UserDirectory: Sendable {
    /// The user that the token belongs to.
    static let you = 101

    private(set) var users: [SandboxUser] = [
        SandboxUser(id: you, name: "Mara Lindqvist", email: "mara@acme.example"),
        SandboxUser(id: 112, name: "Jonas Lund", email: "jonas@acme.example"),
        SandboxUser(id: 118, name: "Miko Sato", email: "miko@acme.example"),
        SandboxUser(id: 123, name: "Priya Nair", email: "priya@acme.example"),
        SandboxUser(id: 130, name: "Tomás Rivera", email: "tomas@acme.example"),
        SandboxUser(id: 140, name: "Grete Vogel", email: "grete@acme.example", isActive: false),
    ]

    /// Whether a record can be owned by this user.
    func isActive(_ id: Int) -> Bool { users.contains { $0.id == id && $0.isActive } }

    /// The user with this e-mail address, or nil.
    func withEmail(_ email: String) -> SandboxUser? { users.first { $0.email == email } }

    /// Adds a user, or replaces the one with the same id.
    mutating func put(_ user: SandboxUser) {
        if let index = users.firstIndex(where: { $0.id == user.id }) {
            users[index] = user
        } else {
            users.append(user)
        }
    }

    /// An id that is not taken.
    var freeID: Int { (users.map(\.id).max() ?? 100) + 1 }

    /// The answer of `/users/me`.
    var me: JSON {
        guard var object = users.first(where: \.isYou)?.json.objectValue else { return .null }
        object.append("company_id", .integer(7_000_001))
        object.append("company_name", .string("Sandbox"))
        object.append("company_domain", .string("sandbox"))
        object.append("company_country", .string("DE"))
        object.append("company_industry", .string("Software"))
        object.append("language", .members(["language_code": .string("en"), "country_code": .string("US")]))
        return .object(object)
    }
}
