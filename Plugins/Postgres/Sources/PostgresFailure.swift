// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// What the server's codes mean for whoever must act.
enum PostgresFailure {
    /// The error that a statement ended with.
    ///
    /// - Parameters:
    ///   - doing: What for, as the beginning of a sentence.
    ///   - statementFault: The code where the statement itself is at fault.
    static func statement(
        _ result: PostgresResult, _ doing: String, statementFault: ConnectorError.Code
    ) -> ConnectorError {
        let state = result.state
        let (code, advice) = meaning(state, statementFault)
        var words = result.primary
        if let position = result.position, statementFault == .badRequest { words += " at character \(position)" }
        if !result.hint.isEmpty {
            words += " (" + (result.hint.hasSuffix(".") ? String(result.hint.dropLast()) : result.hint) + ")"
        }
        return ConnectorError(
            code, "\(doing) stopped: \(words); \(advice).", detail: result.detail, vendorCode: state)
    }

    /// The code and the advice for an SQLSTATE.
    static func meaning(
        _ state: String, _ statementFault: ConnectorError.Code
    ) -> (ConnectorError.Code, String) {
        switch state {
        case "57014":
            return (.timedOut, "it took too long or somebody cancelled it, so raise statement_timeout or read less")
        case "57P01", "57P02", "57P03", "57P05": return (.unavailable, "the server ended the session, so try again")
        case "42501": return (.forbidden, "grant the role the right to read it")
        case "42P01", "42703", "3F000": return (.notFound, "correct the name")
        case "25006":
            return (.badRequest, "the database is only read, so write a SELECT that changes nothing")
        case "28000", "28P01": return (.unauthorized, "correct user and password")
        case "3D000": return (.notFound, "correct the name of the database")
        case "0A000": return (statementFault, "the server cannot do that")
        case "": return (.unavailable, "the connection is lost, so try again")
        default: break
        }
        switch state.prefix(2) {
        case "08": return (.unavailable, "the connection is lost, so try again")
        case "22": return (.badData, "correct the value, the query or the view")
        case "40", "55": return (.unavailable, "try again")
        case "53": return (.unavailable, "the server is short of room, so try again later")
        case "58", "XX": return (.unavailable, "look into the server's log")
        default: return (statementFault, "correct the query or the view")
        }
    }

    /// The error of a connection that was lost in the middle of something.
    static func lost(_ doing: String, _ words: String) -> ConnectorError {
        ConnectorError(
            .unavailable,
            "\(doing) stopped: the connection to the server is lost; try again once the server can be reached.",
            detail: oneLine(words), vendorCode: "08006")
    }

    /// libpq's words without its line ends.
    static func oneLine(_ words: String) -> String {
        words.split(whereSeparator: \.isNewline).joined(separator: "; ")
    }
}

/// Why a connection was not made, and at which step.
struct PostgresRefusal {
    /// The step of a check: `name`, `network`, `tls` or `credential`.
    var step: String
    /// The error.
    var error: ConnectorError

    /// What libpq's words say.
    ///
    /// - Parameters:
    ///   - words: Verbose, so that the server's own begin with their SQLSTATE; free of secrets.
    ///   - certificateState: As ``PostgresHandle/certificateState``, asked for where verification failed.
    init(
        words raw: String, stage: PostgresHandle.Stage?, host: String, isMissingPassword: Bool,
        certificateState: () -> Int
    ) {
        let words = PostgresFailure.oneLine(raw)
        let site = host.isEmpty ? "the server" : host
        if let refusal = Self.certificate(words, site, certificateState) {
            self = refusal
        } else if isMissingPassword {
            self.init(
                "credential", .unauthorized,
                "\(site) wants a password, and neither a setting nor libpq's password file has one; give one.",
                words, "28P01", field: "password")
        } else if let state = Self.state(in: words) {
            self = Self.server(state, words, site)
        } else if words.contains("could not translate host name") || words.contains("could not parse network address") {
            self.init(
                "name", .unavailable, "The name \(site) is not known; correct the setting host, or try again.", words,
                "", field: "host")
        } else if stage == .encryption {
            self.init(
                "tls", .unavailable, "No encrypted connection with \(site) could be agreed on; look at sslmode.", words,
                "tls")
        } else if stage == nil, !words.contains("connection to server") {
            self.init(
                "network", .badConfig, "libpq cannot use these settings: \(words); correct them.", words, "")
        } else {
            self.init(
                "network", .unavailable,
                "\(site) cannot be reached; see that the server runs there and that the network lets it be reached.",
                words, "08001", field: "host")
        }
    }

    /// A step that took longer than it may.
    init(timedOutAt stage: PostgresHandle.Stage?, host: String, seconds: Int64) {
        let site = host.isEmpty ? "The server" : host
        self.init(
            stage == .encryption ? "tls" : stage == .credential ? "credential" : "network", .unavailable,
            "\(site) did not answer within \(seconds) s; see that it can be reached, or raise connect_timeout.", "",
            "08001", field: "connect_timeout")
    }

    init(
        _ step: String, _ code: ConnectorError.Code, _ message: String, _ words: String, _ vendorCode: String,
        field: String = ""
    ) {
        self.step = step
        error = ConnectorError(code, message, detail: words, field: field, vendorCode: vendorCode)
    }

    private static func certificate(_ words: String, _ site: String, _ state: () -> Int) -> PostgresRefusal? {
        if words.contains("does not match host name") {
            return PostgresRefusal(
                "tls", .unauthorized,
                "The certificate of \(site) is for another host name; connect by the name that it is for.", words,
                "tls-host-name", field: "host")
        }
        if words.contains("certificate verify failed") {
            switch state() {
            case 2:
                return PostgresRefusal(
                    "tls", .unauthorized, "The certificate of \(site) has expired; the server needs a new one.", words,
                    "tls-expired")
            case 3:
                return PostgresRefusal(
                    "tls", .unauthorized,
                    "The certificate of \(site) is not valid yet; compare the clocks of both machines.", words,
                    "tls-not-yet-valid")
            default:
                return PostgresRefusal(
                    "tls", .unauthorized,
                    "The certificate of \(site) is signed by nobody that is trusted here; name its authority in "
                        + "sslrootcert.", words, "tls-unknown-issuer", field: "sslrootcert")
            }
        }
        if words.contains("does not support SSL") {
            return PostgresRefusal(
                "tls", .unauthorized, "\(site) offers no TLS; turn it on there, or set sslmode to prefer.", words,
                "tls",
                field: "sslmode")
        }
        for (field, sign) in [
            ("sslrootcert", "root certificate file"), ("sslcert", "certificate file"), ("sslkey", "private key file"),
        ] where words.contains(sign) {
            let fault = words.firstRange(of: sign).map { String(words[$0.lowerBound...]) } ?? words
            return PostgresRefusal(
                "tls", .badConfig, "The setting \(field) names no file that can be used: \(fault).", words, "",
                field: field)
        }
        return nil
    }

    private static func server(_ state: String, _ words: String, _ site: String) -> PostgresRefusal {
        let said = words.firstRange(of: state + ": ").map { words[$0.upperBound...] } ?? ""
        let sentence = said.prefix { $0 != ";" }.trimmed
        switch state {
        case "28P01", "28000":
            // Where encryption decides whether the server lets anybody in, the server says so here.
            return PostgresRefusal(
                "credential", .unauthorized,
                "\(site) refused the login: \(sentence); correct user and password, or the server's pg_hba.conf.",
                words, state, field: "password")
        case "3D000":
            return PostgresRefusal(
                "credential", .notFound, "\(site) refused the login: \(sentence); correct the setting dbname.", words,
                state, field: "dbname")
        case "42501":
            return PostgresRefusal(
                "right", .forbidden,
                "\(site) refused the login: \(sentence); grant the role the right to connect to the database.", words,
                state)
        default:
            let (code, advice) = PostgresFailure.meaning(state, .unavailable)
            return PostgresRefusal(
                "network", code, "\(site) refused the connection: \(sentence); \(advice).", words, state)
        }
    }

    /// The SQLSTATE in the server's words, which are `FATAL:  28P01: password …` in any language.
    private static func state(in words: String) -> String? {
        for part in words.split(separator: ": ") {
            let word = part.trimmed
            let isState = word.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
            if word.utf8.count == 5, isState, word.contains(where: \.isNumber) { return word }
        }
        return nil
    }
}

extension Substring {
    /// Without the blanks at both ends.
    fileprivate var trimmed: String {
        var rest = drop { $0 == " " }
        while rest.last == " " { rest = rest.dropLast() }
        return String(rest)
    }
}
