// SPDX-License-Identifier: Apache-2.0

/// An operation of the API; `object` is the object's position in ``SandboxObject/all``.
enum SandboxRoute: Equatable {
    case list(object: Int)
    case listArchived(object: Int)
    case pipelines
    case stages
    case create(object: Int)
    case read(object: Int, id: String)
    case update(object: Int, id: String)
    case delete(object: Int, id: String)
    case search(object: Int)
    case listFields(object: Int)
    case createField(object: Int)
    case readField(object: Int, code: String)
    case users
    case currentUser

    /// What a method and a path lead to.
    enum Match: Equatable {
        case route(SandboxRoute)
        /// The path exists, with these methods only.
        case wrongMethod(allowed: [String])
        case unknown
    }

    /// Tokens, as `x-token-cost` of the official OpenAPI files says.
    var cost: Int {
        switch self {
        case .list, .listFields: 10
        case .create, .update, .createField, .pipelines, .stages: 5
        case .read, .readField: 1
        case .delete: 3
        case .search, .users, .listArchived: 20
        case .currentUser: 2
        }
    }

    /// Whether the search endpoints' own burst limit applies.
    var isSearch: Bool { if case .search = self { true } else { false } }

    /// The operation's name in counters: method and path, with names for the parts that vary.
    var name: String {
        switch self {
        case .list(let object): "GET \(Self.path(object))"
        case .listArchived(let object): "GET \(Self.path(object))/archived"
        case .pipelines: "GET /api/v2/pipelines"
        case .stages: "GET /api/v2/stages"
        case .create(let object): "POST \(Self.path(object))"
        case .read(let object, _): "GET \(Self.path(object))/{id}"
        case .update(let object, _): "PATCH \(Self.path(object))/{id}"
        case .delete(let object, _): "DELETE \(Self.path(object))/{id}"
        case .search(let object): "GET \(Self.path(object))/search"
        case .listFields(let object): "GET \(Self.fieldsPath(object))"
        case .createField(let object): "POST \(Self.fieldsPath(object))"
        case .readField(let object, _): "GET \(Self.fieldsPath(object))/{field_code}"
        case .users: "GET /v1/users"
        case .currentUser: "GET /v1/users/me"
        }
    }

    private static func path(_ object: Int) -> String { "/api/v2/\(SandboxObject.all[object].path)" }

    private static func fieldsPath(_ object: Int) -> String { "/api/v2/\(SandboxObject.all[object].fieldsPath)" }

    /// Finds the operation.
    static func match(method: String, segments: [String]) -> Match {
        let routes: [String: SandboxRoute]
        if segments.starts(with: ["api", "v2"]) {
            routes = version2(Array(segments.dropFirst(2)))
        } else if segments.starts(with: ["api", "v1"]) {
            routes = version1(Array(segments.dropFirst(2)))
        } else if segments.first == "v1" {
            routes = version1(Array(segments.dropFirst()))
        } else {
            routes = [:]
        }
        if let route = routes[method] { return .route(route) }
        return routes.isEmpty ? .unknown : .wrongMethod(allowed: routes.keys.sorted())
    }

    private static func version1(_ segments: [String]) -> [String: SandboxRoute] {
        switch segments {
        case ["users"]: ["GET": .users]
        case ["users", "me"]: ["GET": .currentUser]
        default: [:]
        }
    }

    private static func version2(_ segments: [String]) -> [String: SandboxRoute] {
        guard let first = segments.first, segments.count <= 2 else { return [:] }
        if segments == ["pipelines"] { return ["GET": .pipelines] }
        if segments == ["stages"] { return ["GET": .stages] }
        let part = segments.count == 2 ? segments[1] : nil
        if let object = SandboxObject.all.firstIndex(where: { $0.path == first }) {
            guard let part else { return ["GET": .list(object: object), "POST": .create(object: object)] }
            if part == "archived", SandboxObject.all[object].hasArchive {
                return ["GET": .listArchived(object: object)]
            }
            if part == "search" { return ["GET": .search(object: object)] }
            return [
                "GET": .read(object: object, id: part), "PATCH": .update(object: object, id: part),
                "DELETE": .delete(object: object, id: part),
            ]
        }
        guard let object = SandboxObject.all.firstIndex(where: { $0.fieldsPath == first }) else { return [:] }
        guard let part else { return ["GET": .listFields(object: object), "POST": .createField(object: object)] }
        return ["GET": .readField(object: object, code: part)]
    }
}
