// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// Holds the other side of the boundary to the contract, and names it when it breaks a rule.
package struct ContractChecks: Sendable {
    /// The other side as it stands in messages, for example `The connector my-crm`.
    let party: String

    /// The checks for a loaded connector.
    package init(connector id: String) { party = "The connector \(id)" }

    /// The checks that a connector applies to its host.
    static let ofHost = ContractChecks(party: "The host")

    private init(party: String) { self.party = party }

    /// The error for a broken rule.
    ///
    /// - Parameters:
    ///   - call: The call in which it showed, as in `penstock.h`.
    ///   - rule: What is wrong, as a clause without a full stop.
    func breach(_ call: String, _ rule: String, detail: String = "") -> ConnectorError {
        ConnectorError(
            .contractBreach, "\(party) broke the connector contract in \(call): \(rule).", detail: detail,
            field: call)
    }

    /// Calls C with room for an error, and throws what it reports.
    func checked(
        _ call: String, _ body: (UnsafeMutablePointer<penstock_error>) -> penstock_status
    ) throws(ConnectorError) {
        var room = penstock_error()
        let status = body(&room)
        guard status != penstock_status(PENSTOCK_OK) else { return }
        throw error(room, status, call)
    }

    /// The Swift form of a reported error; one without a sentence gets one.
    func error(_ room: penstock_error, _ status: penstock_status, _ call: String) -> ConnectorError {
        var error = room.connectorError(status)
        if error.message.isEmpty {
            error.message = "\(party) gave no reason for \(error.code) in \(call)."
        }
        return error
    }

    /// Calls C with room for a JSON document, and reads what it puts there.
    func document<T>(
        _ call: String, _ decode: (JSON) throws(DocumentError) -> T,
        _ body: (UnsafeMutablePointer<penstock_text>, UnsafeMutablePointer<penstock_error>) -> penstock_status
    ) throws(ConnectorError) -> T {
        var text = penstock_text()
        try checked(call) { error in body(&text, error) }
        guard text.len <= Document.bytesMax else {
            text.release?(&text)
            throw breach(call, "its document has more than \(Document.bytesMax) bytes")
        }
        let bytes = [UInt8](taking: &text)
        do {
            return try decode(try Document.parse(bytes))
        } catch {
            throw breach(call, "its document is not as described, \(error.reason)")
        }
    }
}

/// Copies a function table of the other side: as much of it as both know, the rest zero.
///
/// - Parameters:
///   - source: A table that starts with its size in bytes, a `uint32_t`.
///   - table: A zeroed table.
package func copyTable<T>(_ source: UnsafePointer<T>, into table: inout T) {
    let raw = UnsafeRawPointer(source)
    let size = min(Int(raw.load(as: UInt32.self)), MemoryLayout<T>.size)
    withUnsafeMutableBytes(of: &table) { $0.copyMemory(from: UnsafeRawBufferPointer(start: raw, count: size)) }
}
