// SPDX-License-Identifier: Apache-2.0

/// A fault that the sandbox plays on chosen requests.
///
/// Written as `KIND[=VALUE][:FILTER=VALUE]…`, for example `status=503:every=7` or `reset-after:nth=5:method=POST`.
package struct SandboxFault: Sendable, Hashable {
    /// What goes wrong.
    package enum Kind: Sendable, Hashable {
        /// The status is answered and nothing is done.
        case status(Int)
        /// The request is carried out, then the status is answered.
        case statusAfter(Int)
        /// The connection is reset and nothing is done.
        case resetBefore
        /// The request is carried out, then the connection is reset before the first byte of the answer.
        case resetAfter
        /// No answer ever comes and nothing is done.
        case hang
        /// The request is carried out and no answer ever comes.
        case hangAfter
        /// The request is carried out and answered with 200 and an HTML page.
        case garbageHTML
        /// The request is carried out and answered with 200 and half of the JSON.
        case garbageCut
        /// The request is carried out and answered with 200 and a record without an id.
        case garbageWithoutID
        /// The request is carried out and answered with 200 and `"success": false`.
        case garbageRefusal
        /// The request is carried out and answered with 200 and nothing.
        case garbageEmpty
        /// The connection is reset, and the request is carried out so many milliseconds later.
        case late(Int)
        /// 403 with an HTML page, as Pipedrive's edge answers who goes on in spite of refusals; nothing is done.
        case block
        /// 429 for the day's budget, with the time until it is renewed; nothing is done.
        case daily
        /// 307 to another port of this machine; nothing is done.
        case redirect(Int)
        /// The request is carried out, and the answer is more than anybody can take in.
        case flood(SandboxFlood)
        /// The request is carried out and answered one byte at a time, with this pause in milliseconds.
        case slow(Int)
    }

    /// What goes wrong.
    package var kind: Kind
    /// Only requests with this method, in capitals; nil for all.
    package var method: String?
    /// Only requests whose path starts so; nil for all.
    package var path: String?
    /// Only the n-th matching request, counted from 1.
    package var nth: Int?
    /// Every n-th matching request.
    package var every: Int?
    /// At most so many times.
    package var count: Int?
    /// How it was written.
    package let text: String

    /// Parses a fault as it is written on the command line.
    ///
    /// - Throws: ``SandboxFaultError`` with a sentence for the person who wrote it.
    package init(parsing text: String) throws(SandboxFaultError) {
        self.text = text
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        kind = try Self.kind(parts.first ?? "", in: text)
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { throw SandboxFaultError(text, "\"\(part)\" is not FILTER=VALUE") }
            try filter(String(pair[0]), String(pair[1]))
        }
    }

    private static func kind(_ part: Substring, in text: String) throws(SandboxFaultError) -> Kind {
        let pair = part.split(separator: "=", maxSplits: 1)
        let value = pair.count == 2 ? String(pair[1]) : nil
        switch (pair.first.map(String.init) ?? "", value) {
        case ("status", let value?), ("status-after", let value?):
            guard let status = Int(value), (200...599).contains(status) else {
                throw SandboxFaultError(text, "a status is a number from 200 to 599")
            }
            return part.hasPrefix("status-after") ? .statusAfter(status) : .status(status)
        case ("reset-before", nil): return .resetBefore
        case ("reset-after", nil): return .resetAfter
        case ("hang", nil): return .hang
        case ("hang-after", nil): return .hangAfter
        case ("garbage", nil), ("garbage", "html"): return .garbageHTML
        case ("garbage", "cut"): return .garbageCut
        case ("garbage", "no-id"): return .garbageWithoutID
        case ("garbage", "refusal"): return .garbageRefusal
        case ("garbage", "empty"): return .garbageEmpty
        case ("block", nil): return .block
        case ("daily", nil): return .daily
        case ("endless", nil): return .flood(.endless)
        case ("huge", nil): return .flood(.huge)
        case ("bomb", nil): return .flood(.bomb)
        case ("redirect", let value?):
            guard let port = Int(value), (1...65_535).contains(port) else {
                throw SandboxFaultError(text, "\"\(value)\" is not a port of this machine")
            }
            return .redirect(port)
        case ("late", let value?):
            guard let time = SandboxOptions.duration(value) else {
                throw SandboxFaultError(text, "\"\(value)\" is not a time such as 2s")
            }
            return .late(Int(time / 1_000_000))
        case ("slow", nil): return .slow(5)
        case ("slow", let value?):
            guard let pause = SandboxOptions.duration(value) else {
                throw SandboxFaultError(text, "\"\(value)\" is not a pause such as 20ms")
            }
            return .slow(Int(pause / 1_000_000))
        default:
            throw SandboxFaultError(
                text,
                "the kinds are status=N, status-after=N, reset-before, reset-after, late=TIME, hang, hang-after, "
                    + "garbage[=html|cut|no-id|refusal|empty], slow[=PAUSE], endless, huge, bomb, redirect=PORT, "
                    + "block and daily")
        }
    }

    private mutating func filter(_ name: String, _ value: String) throws(SandboxFaultError) {
        switch name {
        case "method": method = value.uppercased()
        case "path": path = value
        case "nth", "every", "count":
            guard let number = Int(value), number > 0 else {
                throw SandboxFaultError(text, "\(name) is a number from 1")
            }
            if name == "nth" { nth = number } else if name == "every" { every = number } else { count = number }
        default: throw SandboxFaultError(text, "the filters are method, path, nth, every and count")
        }
    }
}

/// Why a text is not a fault.
package struct SandboxFaultError: Error, CustomStringConvertible {
    /// One sentence.
    package let description: String

    init(_ fault: String, _ reason: String) { description = "The fault \"\(fault)\" cannot be used: \(reason)." }
}

/// A fault with its counts.
struct ActiveFault: Sendable {
    let fault: SandboxFault
    private var matched = 0
    private(set) var fired = 0

    init(_ fault: SandboxFault) { self.fault = fault }

    /// Counts the request where it matches, and tells whether the fault is played on it.
    mutating func plays(method: String, path: String) -> Bool {
        guard fault.method.map({ $0 == method }) ?? true, fault.path.map({ path.hasPrefix($0) }) ?? true else {
            return false
        }
        matched += 1
        if let nth = fault.nth, matched != nth { return false }
        if let every = fault.every, !matched.isMultiple(of: every) { return false }
        if let count = fault.count, fired >= count { return false }
        fired += 1
        return true
    }
}
