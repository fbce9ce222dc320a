// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A small project whose run is interrupted, and what must be at the server in the end.
struct CrashScenario: Sendable, CustomStringConvertible {
    /// The name.
    var description: String
    /// The sync's `fetch`.
    var fetch: String
    /// The sync's `insert`, without its delivery.
    var insert: String
    /// How a create whose answer was lost is settled.
    var delivery: String
    /// The objects that are written, in order; those behind the first are linked to it.
    var objects = ["organization"]

    /// How many rows each object has.
    static let rows = 40

    /// All scenarios: each kind of sync with each delivery.
    static let all = ["by_match", "exactly_once"].flatMap { delivery in
        [
            CrashScenario(
                description: "append FULL, \(delivery)", fetch: "{mode: FULL}", insert: "mode: Append",
                delivery: delivery),
            CrashScenario(
                description: "upsert INCREMENTAL, \(delivery)", fetch: "{mode: INCREMENTAL, key: seq}",
                insert: "mode: Update, match: name, on_missing: create", delivery: delivery),
            CrashScenario(
                description: "organization, person and deal, \(delivery)", fetch: "{mode: FULL}",
                insert: "mode: Append", delivery: delivery, objects: ["organization", "person", "deal"]),
        ]
    }

    /// The scenarios of a sample.
    static let sampled = all.filter { $0.objects.count == 1 }

    /// The custom field that holds markers.
    private static let markerField: JSONObject = [
        "field_name": .string("Penstock key"), "field_type": .string("varchar"),
    ]

    /// The file of the server's log in a project.
    static let log = "requests.jsonl"

    /// A project that is ready to run.
    func project() throws -> TemporaryProject {
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-log-\(UUID().uuidString)")
        let project = try TemporaryProject(types: "{seq: integer}") { $0.log = log.path }
        project.log = log.path
        let text = try project.text("connections.yml").replacing("    budget:", with: "    timeout: 2\n    budget:")
        try project.write("connections.yml", text)
        for object in objects {
            if delivery == "exactly_once" {
                let request = SandboxRequest(
                    method: "POST", target: "/api/v2/\(object)Fields", token: TemporaryProject.token,
                    contentType: "application/json", body: JSON.object(Self.markerField).utf8)
                try #require([200, 201].contains(project.server.reply(to: request).answer.status))
            }
            try project.csv(
                object, ["key,seq,name,parent"] + (1...Self.rows).map { "k\($0),\($0),\(object) \($0),k\($0)" })
            let label = object == "deal" ? "title" : "name"
            let link = object == objects[0] ? "" : ", org_id: {from: parent, link: \(objects[0])}"
            try project.write(
                "syncs/\(object).yml",
                """
                version: 1
                source: {connection: files, table: \(object), key: key}
                destination: {connection: crm, object: \(object)}
                fetch: \(fetch)
                insert: {\(insert.replacing("match: name", with: "match: \(label)")), delivery: \(delivery), settle: 1s}
                map: {\(label): name\(link)}

                """)
        }
        return project
    }

    /// What is wrong with what the server holds and was asked for, a sentence each.
    func faults(_ project: TemporaryProject) throws -> [String] {
        var faults: [String] = []
        var missing = 0
        for object in objects {
            let label = object == "deal" ? "title" : "name"
            var counts: [String: Int] = [:]
            for record in project.server.records(object) {
                counts[record.properties[label]?.stringValue ?? "", default: 0] += 1
            }
            for (name, count) in counts where count != 1 { faults.append("\(name) is there \(count) times") }
            missing += (1...Self.rows).count { counts["\(object) \($0)"] == nil }
            if counts.count > Self.rows { faults.append("there are \(counts.count) different records of \(object)") }
        }
        if missing > 0 { faults.append("\(missing) records are missing") }
        var committed: Set<String> = []
        for line in try String(contentsOfFile: project.log, encoding: .utf8).split(separator: "\n") {
            let request = try JSON(parsing: String(line))
            guard request["method"]?.stringValue == "POST" else { continue }
            let body = request["body"]?.stringValue ?? ""
            if committed.contains(body) { faults.append("a second POST of \(body)") }
            if request["id"]?.intValue != nil { committed.insert(body) }
        }
        return faults
    }
}
