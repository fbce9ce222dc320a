// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject

/// Reads secrets from where they may come from: a terminal without echo, standard input, a file; never an argument.
enum SecretText {
    private static let bytesMax = 1 << 16

    /// Whether this may name a secret.
    static func isName(_ name: String) -> Bool {
        name.count <= 100 && (name.first.map { $0.isLetter || $0.isNumber } ?? false)
            && name.allSatisfy { $0.isLetter || $0.isNumber || "_-.".contains($0) }
    }

    /// A secret that is asked for on a terminal, else standard input.
    ///
    /// - Parameter flag: What to do where nobody may be asked.
    static func asked(_ question: String, _ options: GlobalOptions, flag: String) throws -> Secret {
        guard Terminal.inputIsTerminal else { return try standardInput() }
        guard options.mayAsk else {
            throw CommandFailure(.usage, code: "missing-answer", "the secret is missing", notes: [flag])
        }
        return try prompted(question, consequence: "nothing was stored")
    }

    /// A secret that is typed without being shown; an empty answer is asked for again.
    static func prompted(_ question: String, consequence: String) throws -> Secret {
        while let answer = Prompt.secret(question) {
            if !answer.isEmpty { return Secret(answer) }
        }
        throw Prompt.aborted(consequence)
    }

    /// All of standard input.
    static func standardInput() throws -> Secret {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4_096)
        while bytes.count <= bytesMax {
            let count = read(0, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return try secret(bytes, "standard input")
    }

    /// The text of a file.
    static func file(_ path: String) throws -> Secret {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.usage, code: "file-missing", "the file \(path) cannot be read")
        }
        var info = stat()
        if stat(path, &info) == 0, info.st_mode & 0o077 != 0 {
            Terminal.writeError(
                "warning[file-permissions]: the file \(path) can be read by other users\n  = chmod 600 \(path)\n")
        }
        return try secret([UInt8](data), "the file \(path)")
    }

    private static func secret(_ bytes: [UInt8], _ place: String) throws -> Secret {
        guard bytes.count <= bytesMax else {
            throw CommandFailure(.usage, code: "bad-secret", "\(place) holds more than \(bytesMax / 1_024) KiB")
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(.usage, code: "bad-secret", "\(place) holds something that is not UTF-8")
        }
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        guard !text.isEmpty else { throw CommandFailure(.usage, code: "bad-secret", "\(place) is empty") }
        return Secret(text)
    }
}
