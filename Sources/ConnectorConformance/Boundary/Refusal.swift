// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockABI
import PenstockModel

/// What a call answered other than OK.
struct Refusal: Error {
    /// The call, as in `penstock.h`.
    let call: String
    /// What it said.
    let error: ConnectorError
    /// What is wrong with how it said it, as clauses without a full stop.
    let flaws: [String]
    /// What a call on a stream returned; 0 for other calls.
    var number: Int32 = 0

    /// The refusal as a clause.
    var text: String { "\(call) answered \(error.code): \(error.message)" }
}

extension Refusal {
    /// Reads an error that a call has left, and holds its texts to the contract.
    init(_ call: String, _ status: penstock_status, _ room: penstock_error, outputs: [String] = []) {
        self.call = call
        error = room.connectorError(status)
        var flaws = outputs.map { "\(call) failed but left something in \($0)" }
        if room.code != status {
            flaws.append("\(call) returned the status \(status) but its error has the code \(room.code)")
        }
        if status == penstock_status(PENSTOCK_BUSY), call != "submit" {
            flaws.append("\(call) answered busy, which only submit may")
        }
        withUnsafeBytes(of: room.message) { bytes in
            flaws += Self.flaws(Array(bytes), "message of \(call)", isSentence: true)
        }
        withUnsafeBytes(of: room.detail) { bytes in flaws += Self.flaws(Array(bytes), "detail of \(call)") }
        withUnsafeBytes(of: room.field) { bytes in flaws += Self.flaws(Array(bytes), "field of \(call)") }
        withUnsafeBytes(of: room.vendor_code) { bytes in flaws += Self.flaws(Array(bytes), "vendor_code of \(call)") }
        self.flaws = flaws
    }

    private static func flaws(_ bytes: [UInt8], _ name: String, isSentence: Bool = false) -> [String] {
        guard let end = bytes.firstIndex(of: 0) else { return ["the \(name) is not ended by NUL"] }
        guard let text = String(validating: bytes[..<end], as: UTF8.self) else {
            return ["the \(name) is not UTF-8"]
        }
        guard isSentence else { return [] }
        if text.isEmpty { return ["the \(name) is empty"] }
        return text.hasSuffix(".") ? [] : ["the \(name) does not end with a full stop: \(text)"]
    }
}

/// Everything a connector has said: errors, reports, log lines.
final class Transcript: Sendable {
    private let texts = Guarded<[String]>([])

    /// Adds a text.
    func add(_ text: String) { if !text.isEmpty { texts.update { $0.append(text) } } }

    /// Adds the texts of an error.
    func add(_ error: ConnectorError) {
        for text in [error.message, error.detail, error.field, error.vendorCode] { add(text) }
    }

    /// What was said so far.
    var all: [String] { texts.value }
}

/// Calls C with room for an error; what it answers other than OK is thrown.
///
/// - Parameter outputs: The names of out-parameters that are not zero, asked after a failure.
func called(
    _ call: String, _ transcript: Transcript, outputs: () -> [String] = { [] },
    _ body: (UnsafeMutablePointer<penstock_error>) -> penstock_status
) throws(Refusal) {
    var room = penstock_error()
    let status = body(&room)
    guard status != penstock_status(PENSTOCK_OK) else { return }
    let refusal = Refusal(call, status, room, outputs: outputs())
    transcript.add(refusal.error)
    throw refusal
}
