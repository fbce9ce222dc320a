// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where a long text goes piece by piece: standard output, or a file that is there only when it is whole.
final class OutputSink {
    private let path: String?
    private let temporary: String
    private var handle: FileHandle?
    private var pending: [UInt8] = []

    private static let bufferBytes = 1 << 16

    /// A sink for the file at `path`, or for standard output.
    ///
    /// - Throws: ``CommandFailure`` 73.
    init(_ path: String?) throws {
        self.path = path
        temporary = (path ?? "") + ".part-\(ProcessInfo.processInfo.processIdentifier)"
        guard path != nil else { return }
        guard
            FileManager.default.createFile(
                atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: temporary)
        else { throw failure }
        self.handle = handle
    }

    deinit {
        guard handle != nil else { return }
        // It was given up half way; what is left of it is of no use.
        try? FileManager.default.removeItem(atPath: temporary)
    }

    /// Appends `text`.
    ///
    /// - Throws: ``CommandFailure`` 73.
    func write(_ text: String) throws {
        pending += text.utf8
        if pending.count >= Self.bufferBytes { try flush() }
    }

    /// Gives the file its name.
    ///
    /// - Throws: ``CommandFailure`` 73; there is no file then, or the one that was there before.
    func finish() throws {
        try flush()
        guard let path, let handle else { return }
        do {
            try handle.close()
        } catch {
            throw failure
        }
        guard rename(temporary, path) == 0 else { throw failure }
        self.handle = nil
    }

    private func flush() throws {
        defer { pending.removeAll(keepingCapacity: true) }
        guard let handle else { return Terminal.write(String(decoding: pending, as: UTF8.self)) }
        do {
            try handle.write(contentsOf: Data(pending))
        } catch {
            throw failure
        }
    }

    private var failure: CommandFailure {
        CommandFailure(.cannotWrite, code: "cannot-write", "\(path ?? "standard output") cannot be written")
    }
}
