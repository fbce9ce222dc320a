// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A file of the project, by its path from the root.
struct SourceFile: CustomStringConvertible, Sendable {
    let path: String
    let lines: [String]

    var description: String { path }
    var isSwift: Bool { path.hasSuffix(".swift") }

    func isIn(_ folders: String...) -> Bool { folders.contains { path.hasPrefix($0 + "/") } }

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let all: [SourceFile] = {
        let folders = ["Sources", "Plugins", "Tests", "docs/examples"]
        return folders.flatMap { folder -> [SourceFile] in
            let files = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
            return (files?.compactMap { $0 as? String } ?? []).sorted().compactMap { name in
                let path = "\(folder)/\(name)"
                guard ["swift", "c", "h"].contains(URL(fileURLWithPath: path).pathExtension),
                    !path.contains("/.build"),
                    let text = try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
                else { return nil }  // A file that is gone or not text is not source.
                return SourceFile(path: path, lines: text.components(separatedBy: "\n"))
            }
        }
    }()
}

@Suite struct TidyTests {
    @Test func theProjectIsFound() {
        #expect(SourceFile.all.count > 40)
        #expect(SourceFile.all.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
    }

    @Test("Files stay readable in one sitting", arguments: SourceFile.all)
    func fileIsShort(file: SourceFile) {
        // The example is one plain C file, so that one command builds it.
        let limit = file.isIn("docs/examples/connectors") ? 601 : 501
        #expect(file.lines.count <= limit, "\(file) has \(file.lines.count - 1) lines")
    }

    @Test("Functions stay readable at one glance", arguments: SourceFile.all.filter(\.isSwift))
    func functionsAreShort(file: SourceFile) {
        for function in functions(of: file) {
            #expect(function.length <= 60, "\(file):\(function.line) has \(function.length) lines")
        }
    }

    /// The formatter breaks code, and lets comments be.
    @Test("Comments stay within the line", arguments: SourceFile.all.filter(\.isSwift))
    func commentsAreShort(file: SourceFile) {
        for (number, line) in file.lines.enumerated() where line.count > 120 {
            #expect(line.firstRange(of: /^ *\/\//) == nil, "\(file):\(number + 1) has \(line.count) characters")
        }
    }

    @Test("Every file says its licence", arguments: SourceFile.all)
    func licenceIsSaid(file: SourceFile) {
        #expect(file.lines.prefix(2).contains { $0.contains("SPDX-License-Identifier: Apache-2.0") }, "\(file)")
    }

    @Test("Unsafe pointers stay behind the boundary", arguments: SourceFile.all.filter(\.isSwift))
    func unsafeStaysBehindTheBoundary(file: SourceFile) {
        guard !file.isIn("Tests"), !file.path.contains("/Tests/") else { return }
        let isAllowed =
            file.isIn("Sources/PenstockABI", "Sources/ConnectorHTTP", "Sources/ConnectorConformance/Boundary")
            || file.path.contains("/Entry/")
            || Self.boundaryFiles.contains(file.path)
        guard !isAllowed, file.lines.contains(where: { $0.contains("Unsafe") }) else { return }
        for (number, line) in file.lines.enumerated() {
            #expect(!code(line).contains("Unsafe"), "\(file):\(number + 1) uses an unsafe pointer")
        }
    }

    @Test("Nothing under Sources names a connector", arguments: SourceFile.all.filter { $0.isIn("Sources") })
    func sourcesNameNoConnector(file: SourceFile) {
        // These are the C libraries of the connectors, which the connectors name.
        guard !file.isIn("Sources/CMySQL", "Sources/CPostgres") else { return }
        let whole = file.lines.joined(separator: "\n").lowercased()
        guard Self.connectors.contains(where: whole.contains) else { return }
        for (number, line) in file.lines.enumerated() {
            #expect(!namesConnector(line, file), "\(file):\(number + 1) names a connector: \(line)")
        }
    }

    private static let connectors = ["pipedrive", "postgres", "mysql", "sqlite", "csv"]

    /// Whether a line names a connector, in code or in a comment.
    ///
    /// SQLite is what states are kept in, and CSV a form of output: only where that is meant may the words stand.
    private func namesConnector(_ line: String, _ file: SourceFile) -> Bool {
        let words = Set(line.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
        if Self.connectors.prefix(3).contains(where: { line.lowercased().contains($0) }) { return true }
        if words.contains("sqlite"), !file.isIn("Sources/PenstockState", "Sources/CSQLite") { return true }
        return words.contains("csv") && !Self.outputFiles.contains(file.path)
    }

    /// The files that write CSV.
    private static let outputFiles: Set<String> = [
        "Sources/penstock/Commands/RejectCommand.swift", "Sources/penstock/Output/Listing.swift",
        "Sources/penstock/Output/OutputFormat.swift", "Sources/penstock/Output/RejectExport.swift",
    ]

    @Test(
        "A connector is noticed in code, in a comment and in a list of words",
        arguments: [
            "/// The unit (Pipedrive: tokens).", "example: \"connector: postgresql\"", "// as mysql has it",
            "case \"csv\": true", "/// for example `csv`", "let id = \"sqlite\"",
        ])
    func namesAreNoticed(line: String) {
        #expect(namesConnector(line, SourceFile(path: "Sources/PenstockHost/File.swift", lines: [])))
    }

    @Test("The state may name what it is kept in, and the output its form")
    func otherNamesAreFine() {
        let state = SourceFile(path: "Sources/PenstockState/StateStore.swift", lines: [])
        #expect(!namesConnector("/// In one SQLite file.", state))
        #expect(namesConnector("/// As the connector csv has it.", state))
        let listing = SourceFile(path: "Sources/penstock/Output/Listing.swift", lines: [])
        #expect(!namesConnector("case .csv: lines", listing))
    }

    @Test("Connectors know nothing of the host", arguments: SourceFile.all.filter { $0.isIn("Plugins") })
    func connectorsKnowNothingOfTheHost(file: SourceFile) {
        for line in file.lines where line.contains("import ") {
            for module in ["PenstockEngine", "PenstockHost", "PenstockProject", "PenstockState"] {
                #expect(!line.contains("import \(module)"), "\(file) imports \(module)")
            }
        }
    }

    @Test("Foundation stays out of connectors and of the row path", arguments: SourceFile.all.filter(\.isSwift))
    func foundationStaysOut(file: SourceFile) {
        let isBarred =
            file.isIn(
                "Sources/PenstockModel", "Sources/PenstockABI", "Sources/ConnectorKit", "Sources/ConnectorHTTP",
                "Sources/PenstockEngine") || (file.isIn("Plugins") && file.path.contains("/Sources/"))
        guard isBarred else { return }
        #expect(!file.lines.contains { $0.hasPrefix("import Foundation") }, "\(file) imports Foundation")
    }

    @Test("What silences the compiler says why", arguments: SourceFile.all.filter(\.isSwift))
    func silencersSayWhy(file: SourceFile) {
        guard file.path != "Tests/TidyTests/TidyTests.swift" else { return }
        let silencers = [" try? ", "(try? ", "@unchecked Sendable", "nonisolated(unsafe)", "fatalError("]
        let whole = file.lines.joined(separator: "\n")
        guard silencers.contains(where: whole.contains) else { return }
        for (number, line) in file.lines.enumerated() {
            guard silencers.contains(where: code(line).contains) else { continue }
            let near = file.lines[max(0, number - 3)...min(file.lines.count - 1, number + 1)]
            #expect(near.contains { $0.contains("//") }, "\(file):\(number + 1) silences without a reason")
        }
    }

    @Test("Temporary files are closed where a program is started", arguments: SourceFile.all.filter(\.isSwift))
    func temporaryFilesAreNotInherited(file: SourceFile) {
        guard file.isIn("Sources", "Plugins") else { return }
        for (number, line) in file.lines.enumerated() {
            #expect(!code(line).contains("mkstemp("), "\(file):\(number + 1): TemporaryFile leaves no gap")
        }
    }

    @Test("Nothing is left to do", arguments: SourceFile.all)
    func nothingIsLeftToDo(file: SourceFile) {
        guard file.path != "Tests/TidyTests/TidyTests.swift" else { return }
        for (number, line) in file.lines.enumerated() {
            #expect(!line.contains("TODO") && !line.contains("FIXME"), "\(file):\(number + 1)")
        }
    }

    /// The files of modules and connectors that may hold unsafe pointers, one for each thing beyond the boundary.
    private static let boundaryFiles: Set<String> = [
        // Loops over the rows of a batch: lending an array's elements costs a check and a count of owners per access.
        "Sources/PenstockModel/ColumnPointers.swift",
        // The digests of all rows of a batch, and conversions that need no value of a cell: the loops of every row.
        "Sources/PenstockModel/RowDigests.swift",
        // Bytes of any origin as what a function of C digests.
        "Sources/PenstockModel/Fingerprint.swift",
        "Sources/PenstockEngine/Mapping/PlainColumn.swift",
        "Sources/PenstockEngine/Mapping/PlainCell.swift",
        "Sources/PenstockEngine/Mapping/CellDictionary.swift",
        // Rows into columns: room that is written to without asking who else holds it.
        "Sources/PenstockModel/BatchBuilder.swift",
        "Sources/PenstockModel/DecimalDigits.swift",
        "Sources/PenstockModel/FewBytes.swift",
        // JSON as text: one piece of memory that is used again.
        "Sources/PenstockModel/JSONBuffer.swift",
        "Sources/PenstockModel/PlainTime.swift",
        "Sources/PenstockModel/UTF8Check.swift",
        "Sources/PenstockState/SQLiteConnection.swift",
        // The bytes of a block: digests and numbers as whole words.
        "Sources/PenstockState/PackBytes.swift",
        "Sources/PenstockState/SpoolFile.swift",
        "Plugins/CSV/Sources/FileReader.swift",
        // Eight bytes at once, and fields from a file's bytes straight into columns.
        "Plugins/CSV/Sources/CSVPlainRecord.swift",
        "Plugins/CSV/Sources/CSVCell.swift",
        "Plugins/Postgres/Sources/PostgresHandle.swift",
        "Plugins/MySQL/Sources/MySQLSession.swift",
        "Plugins/MySQL/Sources/MySQLStatement.swift",
        "Plugins/SQLite/Sources/SQLiteDatabase.swift",
    ]

    private func code(_ line: String) -> String {
        line.range(of: "//").map { String(line[..<$0.lowerBound]) } ?? line
    }

    private func functions(of file: SourceFile) -> [(line: Int, length: Int)] {
        var found: [(line: Int, length: Int)] = []
        for (start, line) in file.lines.enumerated() {
            let words = line.split(separator: " ")
            let opens = words.contains("func") || words.contains { $0.hasPrefix("init(") || $0.hasPrefix("init?(") }
            guard opens, !line.trimmingCharacters(in: .whitespaces).hasPrefix("//") else { continue }
            let indent = line.prefix { $0 == " " }
            let body = file.lines[start...].first { $0.hasSuffix("{") || $0.hasSuffix("}") || $0.isEmpty }
            guard let body, !body.isEmpty, body.hasPrefix(indent) else { continue }
            guard let end = file.lines[(start + 1)...].firstIndex(where: { $0 == indent + "}" }) else { continue }
            let isOneLine = file.lines[start].hasSuffix("}")
            found.append((start + 1, isOneLine ? 1 : end - start + 1))
        }
        return found
    }
}
