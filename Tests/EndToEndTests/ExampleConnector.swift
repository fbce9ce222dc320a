// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The connector of `docs/examples/connectors/jsonl`, built by the command in its README.
enum ExampleConnector {
    /// The root of the package.
    static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The folder with the library; it is built once.
    static let library = Result { try build() }

    private static func build() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "penstock-jsonl-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["Sources", "docs"] {
            try FileManager.default.createSymbolicLink(
                at: folder.appendingPathComponent(name), withDestinationURL: package.appendingPathComponent(name))
        }
        let readme = package.appendingPathComponent("docs/examples/connectors/jsonl/README.md")
        let blocks = try String(contentsOf: readme, encoding: .utf8).components(separatedBy: "```sh\n")
        let command = try #require(blocks.dropFirst().first?.components(separatedBy: "```").first)
        let result = try Program.run(["-c", command], in: folder.path, program: "/bin/sh")
        try #require(result.status == 0, "\(result.everything)")
        return folder.path
    }

    /// Makes the connector known to a project, with the connection `lines` over its folder of the same name.
    static func use(in project: TemporaryProject) throws {
        guard project.environment["PENSTOCK_CONNECTOR_PATH"] == nil else { return }
        project.environment["PENSTOCK_CONNECTOR_PATH"] = try library.get()
        try project.write(
            "connections.yml", try project.text("connections.yml") + "  lines: {connector: jsonl, path: ./lines}\n")
    }
}
