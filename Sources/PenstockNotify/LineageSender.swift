// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Glibc
import PenstockModel
import PenstockProject

/// Sends events of OpenLineage, to a file, to an address, or to both.
///
/// Addresses are served by a thread of its own: no run waits for one while it works, and none fails because of one.
package final class LineageSender: Sendable {
    private let files: [String]
    private let url: String?
    private let key: String?
    private let sender: ChannelSender
    private let queue = DispatchQueue(label: "penstock-lineage")
    // Only touched on the queue, or after it is empty; see `close()`.
    private nonisolated(unsafe) var problems: [String] = []

    private static let timeoutMilliseconds: Int64 = 5_000
    private static let path = "/api/v1/lineage"

    /// A sender; nil where events go nowhere.
    ///
    /// - Parameters:
    ///   - file: A file that was asked for on the command line, or nil.
    ///   - environment: `OPENLINEAGE_URL` and `OPENLINEAGE_API_KEY` hold where `definition` names no address.
    package init?(
        _ definition: LineageDefinition?, file: String?, environment: [String: String], sender: ChannelSender
    ) {
        files = [file, definition?.file].compactMap { $0 }
        let named = environment["OPENLINEAGE_URL"].flatMap { $0.isEmpty ? nil : $0 }
        let base = definition?.url ?? named
        if files.isEmpty, base == nil { return nil }
        url = base.map { address in
            let bare = address.hasSuffix("/") ? String(address.dropLast()) : address
            let path = environment["OPENLINEAGE_ENDPOINT"].map { "/" + $0 } ?? Self.path
            return bare.hasSuffix(path) ? bare : bare + path
        }
        key = definition?.apiKey ?? environment["OPENLINEAGE_API_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        self.sender = sender
    }

    /// Sends an event; returns at once where it goes to an address.
    package func send(_ event: LineageEvent) {
        let json = event.json
        queue.async { [self] in
            for file in files where !append(json, to: file) {
                problems.append("\(file) cannot be written: \(String(cString: strerror(errno)))")
            }
            guard let url else { return }
            if let problem = sender.post(json, to: url, key: key, timeoutMilliseconds: Self.timeoutMilliseconds) {
                let host = AlertChannel.webhook(url: url, secret: nil, caFile: nil).place
                problems.append("\(host): \(problem); the \(event.kind.rawValue) event is lost")
            }
        }
    }

    private func append(_ json: JSON, to path: String) -> Bool {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { return false }
        defer { Glibc.close(file) }
        // One write, so that lines of several processes do not mix.
        let line = Array((json.text + "\n").utf8)
        return write(file, line, line.count) == line.count
    }

    /// Waits until everything is sent.
    ///
    /// - Returns: What went wrong, a sentence each.
    package func close() -> [String] { queue.sync { problems } }
}
