// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject

extension FuzzTarget {
    /// The files of a project: any bytes in one of them lead to findings at places that exist, which can be shown, and
    /// the secret that the project refers to is in none of them.
    static let project = FuzzTarget(
        "project",
        pieces: [
            "\n", ": ", "- ", "  ", "{", "}", "[", "]", "${env:CANARY}", "${", "&a ", "*a", "<<: ", "|\n", ">-\n",
            "!!x ",
            "---\n", "#", "\"", "'", "version: 1\n", "connections:\n", "connector: postgres\n", "password: ",
            "map:\n", "fetch: {mode: INCREMENTAL, key: a}\n", "insert:\n  mode: Update\n", "schedule: {cron: \"",
            "* * * * *", "P30D", "-- key: a\n", "\u{FEFF}", "\u{2028}", "\u{0}", "日",
        ]
    ) { bytes, isPlanted in
        var input = FuzzInput(bytes)
        let file = files[input.choice(files.count)]
        let isResolved = input.flag()
        do {
            for (name, text) in good { try write(name, Array(text.utf8)) }
            try write(file, input.rest)
        } catch {
            return "the project cannot be written: \(error)"
        }
        let resolver = ReferenceResolver(
            root: root, environment: ["CANARY": canary], sharedSecrets: root + "/none")
        let used = isResolved ? resolver : nil
        let (project, found) = Project.load(root: root, version: "0.3.0", resolver: used)
        let all = project.sorted(found + project.check(connectors: connectors, resolver: used))
        let report = project.renderer.render(all)
        if !report.hasSuffix(Diagnostic.summary(all)) { return "the report does not end with its summary" }
        if report.contains(canary) { return "the report shows the secret" }
        // The planted fault: an error in the fourth line of the project's own file.
        let isHit = all.contains { $0.file == "penstock.yml" && $0.line == 4 && $0.severity == .error }
        if isPlanted, isHit { return "planted" }
        return all.lazy.compactMap { fault($0, project) }.first
    }

    private static func fault(_ diagnostic: Diagnostic, _ project: Project) -> String? {
        if diagnostic.message.isEmpty || diagnostic.file.isEmpty { return "a finding says nothing, or not where" }
        guard diagnostic.line > 0 else { return diagnostic.line < 0 ? "a finding is before its file" : nil }
        guard let source = project.sources[diagnostic.file] else { return "a finding is in a file that was not read" }
        let isInside = diagnostic.line <= source.lineCount && diagnostic.column > 0 && diagnostic.length >= 0
        return isInside ? nil : "a finding is at \(diagnostic.line):\(diagnostic.column) of \(source.lineCount) lines"
    }

    private static let canary = "psk-canary-3c9f5e"
    private static let root = FuzzScratch.folder + "/project"
    private static let files = good.keys.sorted()

    private static func write(_ name: String, _ bytes: [UInt8]) throws {
        let url = URL(fileURLWithPath: root + "/" + name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    private static let connectors: [String: ConnectorDescriptor] = {
        let costs = RequestCosts(
            create: 5, update: 5, delete: 3, readByIDs: 10, readByIDsMax: 100, readPage: 10, readPageMax: 500)
        let all = [
            ConnectorDescriptor(
                id: "postgres", title: "PostgreSQL", version: "1.0.0", summary: "Reads PostgreSQL.",
                capabilities: [.source, .query, .lowerBound, .order],
                settings: [
                    ConfigField("host", .string, "The host."), ConfigField("port", .integer(1...65_535), "The port."),
                    ConfigField("password", .secret, "The password."),
                    ConfigField("types", .map(["integer", "text"]), "Types by column."),
                ]),
            ConnectorDescriptor(
                id: "pipedrive", title: "Pipedrive", version: "1.0.0", summary: "Writes Pipedrive.",
                capabilities: [.destination],
                settings: [ConfigField("api_token", .secret, "The token.", isRequired: true)],
                objects: [
                    ObjectDescriptor(
                        id: "organization", title: "organization", requiredOnCreate: ["name"], costs: costs)
                ]),
        ]
        return Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
    }()

    /// A project in which nothing is wrong.
    private static let good = [
        "penstock.yml": "version: 1\nproject: fuzz\n",
        "connections.yml": """
        version: 1
        connections:
          base: {connector: postgres, host: h, password: "${env:CANARY}"}
          crm: {connector: pipedrive, api_token: "${env:CANARY}"}

        """,
        "models/orgs.sql": "-- connection: base\n-- key: id\nSELECT * FROM orgs\n",
        "models/orgs.yml": "version: 1\nmodel: orgs\nconnection: base\nkey: id\n",
        "syncs/orgs.yml": """
        version: 1
        destination: {connection: crm, object: organization}
        source: {model: orgs}
        map: {name: company}
        insert: {mode: Append, repeat: allow}
        schedule: {cron: "15 6 * * MON-FRI", timezone: Europe/Berlin}

        """,
    ]
}
