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
        case .resetBefore, .resetAfter: delivery = .reset
        case .hang, .hangAfter: delivery = .hang
        case .garbageHTML:
            self.answer = .html(200, "We will be right back")
            self.answer.recordID = answer.recordID
        case .garbageCut: self.answer.body.removeLast(answer.body.count / 2)
        case .slow(let pause): delivery = .slow(pause)
        }
    }
}

extension SandboxFault {
    /// Whether it looks like a refusal, which costs no tokens.
    var isRefusal: Bool { kind == .status(429) || kind == .status(401) }

    /// Whether the request is carried out.
    var commits: Bool {
        switch kind {
        case .status, .resetBefore, .hang: false
        case .statusAfter, .resetAfter, .hangAfter, .garbageHTML, .garbageCut, .slow: true
        }
    }
}
