// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit

/// An answer that is not a success, or no answer, in the connector's own terms.
package struct PipedriveProblem: Error, Sendable, Hashable {
    /// What it means, for the person who must act.
    package var error: ConnectorError
    /// Whether every later request would get the same, so that the work ends here.
    package var endsWork: Bool
    /// Whether Pipedrive's edge has shut this machine out, which every further request makes last longer.
    package var isBlocked = false

    /// Waits longer than this are for the daily budget; a burst window has 2 seconds.
    private static let burstWaitMax: Int64 = 60_000
    /// How long to wait after a burst 429 that does not say: one window.
    private static let burstWait: Int64 = 2_000
    /// How long to leave Pipedrive alone after its edge has shut this machine out and did not say for how long.
    private static let blockWait: Int64 = 300_000

    /// What an answer of any status but 200 and 201 means.
    ///
    /// - Parameters:
    ///   - object: The object of the request, for the names of fields, or nil.
    ///   - now: Milliseconds since 1970-01-01T00:00:00Z.
    package init(_ response: HTTPResponse, object: PipedriveObject?, now: Int64) {
        let said = Said(response.body)
        endsWork = false
        switch response.status {
        case 401:
            error = ConnectorError(
                .unauthorized, "Pipedrive refused the API token; set api_token to the one that is valid now.",
                field: "api_token")
            endsWork = true
        case 402:
            // Nobody but the owner of the account can help, and no row is at fault.
            error = ConnectorError(
                .unauthorized, "The Pipedrive account is not open: its trial is over or it is unpaid.",
                vendorCode: "account-not-open")
            endsWork = true
        case 300..<400:
            error = ConnectorError(
                .unauthorized,
                "Pipedrive answered with a redirection, which is not followed: the credential is for one host only; "
                    + "check base_url or company_domain.", vendorCode: "redirect")
            endsWork = true
        case 403 where !said.isJSON:
            error = ConnectorError(
                .quotaSpent,
                "Pipedrive blocks requests from this network for now, after too many of them; nothing is sent until "
                    + "it has had time to forget.", vendorCode: "blocked",
                retryAfterMilliseconds: max(Self.retryAfter(response, now) ?? 0, Self.blockWait))
            endsWork = true
            isBlocked = true
        case 429: (error, endsWork) = Self.throttled(response, now)
        case 403: error = said.error(.forbidden, response, object)
        case 404, 410: error = said.error(.notFound, response, object)
        case 408: error = said.error(.timedOut, response, object)
        case 400..<500: error = said.error(.badData, response, object)
        case 500..<600:
            error = said.error(.unavailable, response, object)
            error.retryAfterMilliseconds = Self.retryAfter(response, now)
        default: error = said.error(.unavailable, response, object)
        }
        if [403, 415].contains(response.status), said.isJSON { explainFeature(object) }
        if error.vendorCode.isEmpty { error.vendorCode = said.code.isEmpty ? String(response.status) : said.code }
    }

    /// Says what an account lacks where the answer is about a field that not every account has, or about a limit of the
    /// account's plan.
    private mutating func explainFeature(_ object: PipedriveObject?) {
        if let field = object?.fields.first(where: { $0.field.key == error.field && !$0.feature.isEmpty }) {
            error.message =
                "The account cannot take \(field.field.key), which needs \(field.feature); leave it out of the map. "
                + error.message
        } else if error.vendorCode.hasPrefix("feature_capping") {
            error.message =
                "The plan of the Pipedrive account allows no more of these; make room there, or take a larger plan. "
                + error.message
        }
    }

    /// What it means that an answer says success but not what was asked for.
    init(unreadable status: Int, site: String) {
        error = ConnectorError(
            .unavailable, "\(site) answered with status \(status) and something that cannot be read.",
            vendorCode: String(status))
        endsWork = false
    }

    /// Whether a refusal is for the day's budget rather than for the rate.
    static func isDaily(_ response: HTTPResponse, _ now: Int64) -> Bool {
        Said(response.body).message.lowercased().contains("daily") || (retryAfter(response, now) ?? 0) > burstWaitMax
            || response.number("x-daily-ratelimit-token-remaining") == 0
    }

    private static func throttled(_ response: HTTPResponse, _ now: Int64) -> (ConnectorError, Bool) {
        let wait = retryAfter(response, now)
        if isDaily(response, now) {
            let error = ConnectorError(
                .quotaSpent, "The Pipedrive account has used up its API tokens for today.",
                retryAfterMilliseconds: wait)
            return (error, true)
        }
        let error = ConnectorError(
            .rateLimited, "Pipedrive asked to send more slowly.",
            retryAfterMilliseconds: max(wait ?? 0, PipedriveAPI.resetMilliseconds(response) ?? 0, burstWait))
        return (error, false)
    }

    /// What the header of an answer asks to wait, in milliseconds, or nil.
    static func retryAfter(_ response: HTTPResponse, _ now: Int64) -> Int64? {
        response.header("retry-after").flatMap { RetryAfter.milliseconds($0, now: now) }
    }

    /// What it means that there is no answer.
    ///
    /// - Parameter site: The host that was asked.
    package init(_ failure: HTTPFailure, site: String) {
        let (code, message, vendorCode) = Self.words(failure.cause, site)
        error = ConnectorError(
            code, message, detail: failure.detail, field: failure.cause == .caFile ? "ca_file" : "",
            vendorCode: vendorCode)
        endsWork = failure.cause == .caFile || !vendorCode.isEmpty
    }

    /// Code, message and, for what no repetition cures, a slug of our own.
    private static func words(_ cause: HTTPFailure.Cause, _ site: String) -> (ConnectorError.Code, String, String) {
        switch cause {
        case .hostNotFound:
            (.unavailable, "The host name \(site) is not known; check the connection's address and the network.", "")
        case .notConnected: (.unavailable, "\(site) does not accept connections.", "")
        case .certificateUnknown:
            (
                .unavailable,
                "The certificate of \(site) was made by nobody this machine trusts; set ca_file if it is your own.",
                "tls-unknown-issuer"
            )
        case .certificateExpired:
            (
                .unavailable,
                "The certificate of \(site) is out of date; check this machine's clock, then tell who runs the host.",
                "tls-expired"
            )
        case .certificateForOtherHost:
            (.unavailable, "The certificate of \(site) is for another host name; check base_url.", "tls-host-name")
        case .tls: (.unavailable, "No TLS connection with \(site) could be agreed on.", "tls")
        case .caFile: (.badConfig, "The file of ca_file cannot be read as certificates.", "")
        case .timedOut: (.timedOut, "\(site) did not answer within the time allowed.", "")
        case .tooLarge: (.unavailable, "\(site) sent an answer that is too large.", "")
        case .connectionLost: (.unavailable, "The connection to \(site) broke before the answer was complete.", "")
        case .notRepeated:
            (.unavailable, "The connection to \(site) broke after the request was sent; it is not repeated.", "")
        case .cancelled: (.cancelled, "The work was cancelled.", "")
        }
    }
}

/// What the body of an answer says.
private struct Said {
    var isJSON = false
    var message = ""
    var code = ""

    init(_ body: [UInt8]) {
        // A body that is not JSON says nothing that can be shown; that is not an error of its own.
        guard let json = try? JSON(parsing: body), json.objectValue != nil else { return }
        isJSON = true
        message = Self.line(json["error"]?.stringValue ?? json["message"]?.stringValue ?? "")
        code = json["code"]?.stringValue ?? (json["errorCode"] ?? json["code"])?.numberText ?? ""
    }

    /// One line of at most 400 characters; `…` behind it where there was more.
    private static func line(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(400).map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
        var line = String(String.UnicodeScalarView(scalars))
        while line.last == "." || line.last == " " { line.removeLast() }
        return text.unicodeScalars.count > 400 ? line + "…" : line
    }

    func error(_ code: ConnectorError.Code, _ response: HTTPResponse, _ object: PipedriveObject?) -> ConnectorError {
        guard !message.isEmpty else {
            return ConnectorError(
                code, "Pipedrive answered with status \(response.status) and nothing that explains it.",
                vendorCode: self.code)
        }
        return ConnectorError(
            code, "Pipedrive answered: \(message).", field: Self.field(message, object), vendorCode: self.code)
    }

    /// The field that a message is about: a 40-digit code, a property at the start of a reason, or one in quotes.
    static func field(_ message: String, _ object: PipedriveObject?) -> String {
        let words = message.utf8.split { !isWord($0) }
        if let code = words.first(where: { $0.count == 40 && $0.allSatisfy(isHex) }) { return String(code) ?? "" }
        let keys = (object?.fields.map(\.field.key) ?? []) + ["id"]
        var reasons = message[...]
        if let range = reasons.firstRange(of: "Validation failed: ") { reasons = reasons[range.upperBound...] }
        for reason in reasons.split(separator: ";") {
            let path = reason.utf8.drop { $0 == 0x20 }.prefix(while: isWord)
            if let key = keys.first(where: { $0.utf8.elementsEqual(path) }) { return key }
        }
        let quoted = message.split(separator: "'", omittingEmptySubsequences: false)
        return quoted.count >= 3 && quoted[1].utf8.allSatisfy(isWord) ? String(quoted[1]) : ""
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
