// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// How to reach one server; what is nil is left to the client library and its option files.
struct MySQLSettings: Sendable {
    /// How much a connection is protected, weakest first.
    enum TLS: Int, Sendable, Comparable {
        case disable
        case prefer
        case require
        case verifyCA
        case verifyFull

        /// The spellings that are allowed.
        static let names = ["disable", "prefer", "preferred", "required", "verify-ca", "verify-full"]

        /// A mode by one of ``names``, or by MySQL's own word for it.
        init?(_ name: String) {
            switch name {
            case "disable", "disabled": self = .disable
            case "prefer", "preferred": self = .prefer
            case "require", "required": self = .require
            case "verify-ca": self = .verifyCA
            case "verify-full", "verify-identity": self = .verifyFull
            default: return nil
            }
        }

        static func < (first: TLS, second: TLS) -> Bool { first.rawValue < second.rawValue }
    }

    var host: String?
    var port: Int?
    var socket: String?
    var database: String?
    var user: String?
    var password: Secret?
    var tls: TLS?
    var ca: String?
    var cert: String?
    var key: String?
    let optionFile: String?
    let optionGroup: String
    var connectSeconds: Int
    var statementMilliseconds: Int?
    /// How long an answer may be waited for, or nil for as long as the server lets it take.
    var answerSeconds: Int?
    let applicationName: String

    /// The fields that a URL replaces.
    private static let placeFields = ["host", "port", "socket", "database", "user", "tls", "ca", "cert", "key"]

    /// Settings as they were written.
    ///
    /// - Throws: ``ConnectorError`` `badConfig`, naming the field.
    init(_ settings: ConnectorSettings) throws(ConnectorError) {
        for name in Self.placeFields + ["url", "password", "option_file", "option_group", "application_name"] {
            guard let text = settings.text(name), text.isEmpty || text.utf8.contains(0) else { continue }
            throw Self.refusal("is empty or holds a NUL character; write a value or leave it out", name)
        }
        optionFile = settings.text("option_file")
        optionGroup = settings.text("option_group") ?? "penstock"
        connectSeconds = settings.integer("connect_timeout") ?? 10
        statementMilliseconds = settings.integer("statement_timeout")
        applicationName = settings.text("application_name") ?? "penstock"
        password = settings.text("password").map(Secret.init)
        if let url = settings.text("url") {
            for name in Self.placeFields where settings.text(name) != nil || settings.integer(name) != nil {
                throw Self.refusal("cannot stand beside url; write the one or the other", name)
            }
            try fill(from: MySQLURL(url))
        } else {
            host = settings.text("host")
            port = settings.integer("port")
            socket = settings.text("socket")
            database = settings.text("database")
            user = settings.text("user")
            ca = settings.text("ca")
            cert = settings.text("cert")
            key = settings.text("key")
            if let name = settings.text("tls") { tls = TLS(name) }
        }
        try checkTogether()
    }

    private mutating func fill(from url: MySQLURL) throws(ConnectorError) {
        host = url.host
        port = url.port
        database = url.database
        user = url.user
        if let inside = url.password {
            if password != nil { throw Self.refusal("stands in url too; write it once", "password") }
            password = Secret(inside)
        }
        for (name, value) in url.options {
            switch name {
            case "tls", "ssl-mode", "sslmode", "ssl_mode":
                let word = String(value.map { $0 == "_" ? "-" : $0 }).lowercased()
                guard let mode = TLS(word) else {
                    throw Self.refusal(
                        "asks for an unknown kind of TLS; allowed are \(TLS.names.joined(separator: ", "))", "url")
                }
                tls = mode
            case "ca", "ssl-ca", "ssl_ca": ca = value
            case "cert", "ssl-cert", "ssl_cert": cert = value
            case "key", "ssl-key", "ssl_key": key = value
            case "socket": socket = value
            default:
                throw Self.refusal(
                    "has the unknown option \(name); allowed after the question mark are tls, ca, cert, key and socket",
                    "url")
            }
        }
    }

    private mutating func checkTogether() throws(ConnectorError) {
        if socket != nil, let field = host != nil ? "host" : port != nil ? "port" : nil {
            throw Self.refusal("cannot stand beside socket; write the one or the other", field)
        }
        if cert == nil, key != nil { throw Self.refusal("needs the setting cert beside it", "key") }
        if key == nil, cert != nil { throw Self.refusal("needs the setting key beside it", "cert") }
        if ca != nil, tls == nil { tls = .verifyFull }
        if tls == .verifyCA, ca == nil {
            throw Self.refusal("is verify-ca, which needs the setting ca, a file of CA certificates", "tls")
        }
        if ca != nil, let tls, tls < .verifyCA {
            throw Self.refusal("is checked only with tls: verify-ca or verify-full; leave it out or change tls", "ca")
        }
        if cert != nil, tls == .disable { throw Self.refusal("has no use with tls: disable; leave it out", "cert") }
        if socket != nil, let tls, tls >= .require {
            throw Self.refusal(
                "cannot be \(Self.word(tls)) on a socket, which has no TLS; use host, or leave tls out", "tls")
        }
    }

    private static func word(_ tls: TLS) -> String {
        switch tls {
        case .disable: "disable"
        case .prefer: "prefer"
        case .require: "required"
        case .verifyCA: "verify-ca"
        case .verifyFull: "verify-full"
        }
    }

    private static func refusal(_ words: String, _ field: String) -> ConnectorError {
        ConnectorError(.badConfig, "The setting \(field) \(words).", field: field)
    }

    /// Whether TCP is meant although the host is `localhost`, which is a socket for the library.
    var needsTCP: Bool { socket == nil && (port != nil || (tls ?? .disable) >= .require) }

    /// How messages name the server.
    var address: String {
        if let socket { return "the socket \(socket)" }
        guard let host else { return "the server of the option files" }
        return port.map { "\(host):\($0)" } ?? host
    }

    /// The same server, reached for a moment only: to end what another connection does.
    var forRelease: MySQLSettings {
        var settings = self
        settings.connectSeconds = 1
        settings.statementMilliseconds = nil
        settings.answerSeconds = 1
        return settings
    }
}
