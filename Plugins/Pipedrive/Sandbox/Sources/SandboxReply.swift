// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What the server is to do with a request.
package struct SandboxReply: Sendable {
    /// How the answer reaches the client.
    package enum Delivery: Sendable, Equatable {
        /// Whole.
        case answer
        /// One byte at a time, with a pause in milliseconds.
        case slow(Int)
        /// Without an end, or as good as.
        case flood(SandboxFlood)
        /// Not at all: the connection is reset.
        case reset
        /// Not at all: nothing happens.
        case hang
    }

    /// The answer, which a reset or a hang does not send.
    package var answer: SandboxAnswer
    /// How it is sent.
    package var delivery = Delivery.answer
    /// Tokens spent.
    package var cost = 0
    /// The fault that was played, as it was written, or nil.
    package var fault: String?
    /// Whether the token was accepted.
    package var isAuthorized = true

    var isSlow: Bool { if case .slow = delivery { true } else { false } }
}

extension SandboxReply {
    /// Plays a fault on an answer.
    init(playing fault: SandboxFault, answer: SandboxAnswer, cost: Int) {
        self.init(answer: answer, cost: cost, fault: fault.text)
        switch fault.kind {
        case .status(let status), .statusAfter(let status):
            self.answer = .failure(status, "The sandbox plays a fault", code: "ERR_SANDBOX_FAULT")
            self.answer.recordID = answer.recordID
            if status == 429 { self.answer.headers = [("Retry-After", "1")] }
        case .resetBefore, .resetAfter, .late: delivery = .reset
        case .hang, .hangAfter: delivery = .hang
        case .garbageHTML:
            self.answer = .html(200, "We will be right back")
            self.answer.recordID = answer.recordID
        case .garbageCut: self.answer.body.removeLast(answer.body.count / 2)
        case .garbageWithoutID:
            let data = JSON.members(["name": .string("Nobody")])
            self.answer.body = JSON.members(["success": .bool(true), "data": data]).utf8
        case .garbageRefusal: self.answer.body = Array(#"{"success":false,"error":"maybe","data":null}"#.utf8)
        case .garbageEmpty: self.answer.body = []
        case .block: self.answer = .html(403, "Attention Required! | Cloudflare")
        case .daily:
            self.answer = .gateway(
                429, "daily request budget exceeded",
                headers: [("Retry-After", "3939"), ("x-daily-ratelimit-token-remaining", "0")])
        case .redirect(let port):
            self.answer = .html(307, "Moved")
            self.answer.headers = [("Location", "http://127.0.0.1:\(port)/elsewhere")]
        case .flood(let flood): delivery = .flood(flood)
        case .slow(let pause): delivery = .slow(pause)
        }
    }
}

extension SandboxFault {
    /// Whether it looks like a refusal, which costs no tokens.
    var isRefusal: Bool { [.status(429), .status(401), .block, .daily].contains(kind) }

    /// Whether the request is carried out.
    var commits: Bool {
        switch kind {
        case .status, .resetBefore, .hang, .late, .block, .daily, .redirect: false
        case .statusAfter, .resetAfter, .hangAfter, .garbageHTML, .garbageCut, .garbageWithoutID, .garbageRefusal,
            .garbageEmpty, .flood, .slow:
            true
        }
    }
}
