// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// What the numbers of the client library (2000…) and of the server mean for whoever must act.
enum MySQLErrors {
    /// A failed call: the number, the server's or library's words, and the SQLSTATE.
    struct Report: Sendable {
        var number: UInt32
        var words: String
        var state: String
    }

    /// The step of a check that a failed attempt to connect belongs to.
    static func step(_ number: UInt32) -> String {
        switch number {
        case 2005: "name"
        case 2026, 3159: "tls"
        case 1045, 1130, 1131, 1132, 1133, 1251, 1275, 1396, 1524, 1698, 1820, 1862, 2049, 2054, 2058, 2059, 2061,
            3118, 4151:
            "credential"
        case 1044, 1049, 1142, 1143, 1227: "right"
        default: "network"
        }
    }

    /// The connection is gone, or never came to be.
    static func isLost(_ number: UInt32) -> Bool {
        switch number {
        case 1053, 1927, 2006, 2013, 2027, 2055, 4031: true
        default: false
        }
    }

    /// The error of a failed attempt to connect.
    static func connecting(_ report: Report, _ settings: MySQLSettings) -> ConnectorError {
        let place = settings.address
        let vendor = "MYSQL \(report.number) \(report.state)"
        func error(_ code: ConnectorError.Code, _ words: String, _ field: String = "") -> ConnectorError {
            ConnectorError(code, words, detail: report.words, field: field, vendorCode: vendor)
        }
        switch step(report.number) {
        case "name":
            return error(
                .unavailable, "The name of \(place) is not known; correct host, or the name service.", "host")
        case "tls": return error(.unauthorized, certificate(report, place), "tls")
        case "credential":
            return error(
                .unauthorized,
                "The login at \(place) was refused: \(report.words); correct user and password, or have the user made "
                    + "and unlocked.", "user")
        case "right":
            if report.number == 1049 {
                return error(.notFound, "\(place) says: \(report.words); correct the setting database.", "database")
            }
            return error(.forbidden, "\(place) says: \(report.words); grant the user the right to it.", "database")
        default: return error(.unavailable, unreachable(report, place))
        }
    }

    private static func unreachable(_ report: Report, _ place: String) -> String {
        switch report.number {
        case 1040, 1203, 1226:
            "\(place) takes no more connections (\(report.words)); try again later, or raise its limit."
        case 1129: "\(place) has blocked this machine (\(report.words)); its owner can FLUSH HOSTS."
        default: "\(place) cannot be reached: \(report.words); see that it runs and that host and port are right."
        }
    }

    /// The sentence for a connection that is not safe enough; one for each cause.
    private static func certificate(_ report: Report, _ place: String) -> String {
        let words = report.words.lowercased()
        if words.contains("does not support") || report.number == 3159 {
            return
                "\(place) and tls do not fit (\(report.words)); turn TLS on at the server, or change the setting tls."
        }
        if words.contains("expired") {
            return "The certificate of \(place) has expired; its owner must renew it."
        }
        if words.contains("not yet valid") {
            return "The certificate of \(place) is not valid yet; set this machine's clock, or have it renewed."
        }
        if words.contains("validation of ssl server certificate") || words.contains("host") {
            return
                "The certificate of \(place) is for another host name; connect by the name that stands in it, or have "
                + "it made for this one."
        }
        let causes = ["self-signed", "self signed", "issuer", "verify failed", "not trusted", "certificate chain"]
        if causes.contains(where: words.contains) {
            return
                "The certificate of \(place) does not come from a CA that is trusted here; name the file of its CA in "
                + "the setting ca."
        }
        return "TLS with \(place) did not come about: \(report.words); correct tls, ca, cert and key."
    }

    /// The error of a failed statement.
    ///
    /// - Parameters:
    ///   - doing: What for, for the message, for example `Reading crm.orgs`.
    ///   - statementFault: The code where the statement itself is at fault.
    static func statement(
        _ report: Report, _ doing: String, _ settings: MySQLSettings, statementFault: ConnectorError.Code
    ) -> ConnectorError {
        let (code, advice) = meaning(report.number, settings, statementFault)
        return ConnectorError(
            code, "\(doing) stopped: \(report.words); \(advice).", vendorCode: "MYSQL \(report.number) \(report.state)")
    }

    private static func meaning(
        _ number: UInt32, _ settings: MySQLSettings, _ statementFault: ConnectorError.Code
    ) -> (ConnectorError.Code, String) {
        if isLost(number) { return (.unavailable, "the connection to \(settings.address) is lost, so try again") }
        switch number {
        case 1969, 3024:
            let limit = settings.statementMilliseconds.map { "statement_timeout (\($0) ms)" } ?? "the server's limit"
            return (.timedOut, "it took longer than \(limit) allows, so raise it or read less")
        case 1317: return (.timedOut, "somebody ended it with KILL QUERY, so ask why and run again")
        case 1205, 1213: return (.unavailable, "somebody else holds a lock on it, so try again")
        case 1412: return (.schemaChanged, "the table was changed at that moment, so look at it and run again")
        case 1146, 1051, 1109: return (.notFound, "correct the name, or grant the right to see it")
        case 1356: return (.notFound, "the view reads something that is gone or may not be read, so correct the view")
        case 1054: return (.notFound, "correct the name of the column")
        case 1142, 1143, 1370, 1044, 1227: return (.forbidden, "grant the user the right to read it")
        case 1792, 1290: return (.badRequest, "Penstock only reads, so write a SELECT that changes nothing")
        case 1021, 1114, 3, 28: return (.unavailable, "the server's disk or a temporary table is full")
        case 1037, 1038, 1041, 2008: return (.unavailable, "there is too little memory")
        case 1040, 1203, 1226, 1461: return (.unavailable, "the server is at its limit, so try again later")
        case 2020: return (.badData, "a value is larger than the client library takes")
        case 1153, 1301: return (.unavailable, "a row is larger than max_allowed_packet of the server, so raise it")
        default: return (statementFault, "correct the query or the view")
        }
    }
}
