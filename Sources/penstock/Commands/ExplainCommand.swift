// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockEngine
import PenstockModel
import PenstockProject

/// `penstock explain`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Explain an error or reject code.",
        discussion: "Example: penstock explain secret-literal\n         penstock explain exit-codes")

    @OptionGroup var options: GlobalOptions

    @Argument(help: "A code, as it stands in error[code]; or exit-codes; all codes where none is named.")
    var code: String?

    func run() throws {
        guard let code else {
            return write(Self.allCodes.joined(separator: "\n") + "\n", .strings(Self.allCodes))
        }
        if code == "exit-codes" { return write(Self.exitCodes, Self.exitCodesJSON) }
        // A code may name a finding in a file and a reject of a row.
        let texts = [DiagnosticCode.explain(code), Explanations.rejectText(code)].compactMap { $0 }
        guard let text = texts.isEmpty ? Explanations.text(code) : texts.joined(separator: "\n\n") else {
            let near = NearestName.of(code, in: Self.allCodes).map { "did you mean \"\($0)\"?" }
            throw CommandFailure(
                .usage, code: "unknown-code", "there is no code \"\(code)\"",
                notes: [near, "all codes: penstock explain"].compactMap { $0 })
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .flatMap { String($0).wrapped(to: options.tableWidth) }
        let page = lines.joined(separator: "\n")
        write(page.hasSuffix("\n") ? page : page + "\n", .object(["code": .string(code), "text": .string(text)]))
    }

    private func write(_ text: String, _ json: JSON) {
        Terminal.write(options.isMachineReadable ? Document(kind: "explain", data: json).text(options.format) : text)
    }

    private static var allCodes: [String] {
        Array(Set(DiagnosticCode.allCases.map(\.rawValue) + Explanations.codes)).sorted() + ["exit-codes"]
    }

    private static var exitCodesJSON: JSON {
        .array(
            ExitCode.allCases.map {
                .object(["exit_code": .integer($0.rawValue), "meaning": .string($0.meaning)])
            })
    }

    private static var exitCodes: String {
        ExitCode.allCases.map { "\($0.rawValue)".fitted(to: 4, alignedRight: true) + "  \($0.meaning)\n" }.joined()
    }
}
