// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockNotify
import Testing

/// Events have the shape that OpenLineage 2-0-2 asks for.
@Suite struct LineageEventTests {
    private func event(_ kind: LineageEvent.Kind) -> LineageEvent {
        var event = LineageEvent(
            kind, at: 1_764_000_000_123, run: LineageEvent.uuid("01JD7KQ2ABCDEFGHJKMNPQRSTV"), jobNamespace: "crm",
            jobName: "orgs", version: "0.1.0")
        var input = LineageEvent.Dataset(namespace: "db://host:5432", name: "shop.public.orgs")
        input.setFields([("id", "int64"), ("name", "text")])
        event.input = input
        var output = LineageEvent.Dataset(namespace: "crm://api.example.com", name: "organization")
        output.setFields([("name", "text")])
        event.output = output
        event.columns = [LineageEvent.Column(target: "name", sources: ["name"], isPlain: true)]
        return event
    }

    @Test func everyRequiredMemberIsThere() throws {
        let json = event(.start).json
        #expect(json["eventType"]?.stringValue == "START")
        #expect(json["eventTime"]?.stringValue == "2025-11-24T16:00:00.123Z")
        #expect(json["schemaURL"]?.stringValue == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent")
        #expect(json["producer"]?.stringValue?.contains("://") == true)
        #expect(json["job"]?["namespace"]?.stringValue == "crm" && json["job"]?["name"]?.stringValue == "orgs")
        for side in ["inputs", "outputs"] {
            let dataset = try #require(json[side]?.arrayValue?.first)
            #expect(dataset["namespace"]?.stringValue != nil && dataset["name"]?.stringValue != nil)
            for facet in dataset["facets"]?.objectValue?.members ?? [] {
                #expect(facet.value["_producer"]?.stringValue?.contains("://") == true)
                let schema = facet.value["_schemaURL"]?.stringValue
                #expect(schema?.hasPrefix("https://openlineage.io/spec/facets/") == true)
            }
        }
        let fields = json["inputs"]?.arrayValue?.first?["facets"]?["schema"]?["fields"]?.arrayValue
        #expect(fields?.map { $0["name"]?.stringValue } == ["id", "name"])
        let lineage = json["outputs"]?.arrayValue?.first?["facets"]?["columnLineage"]?["fields"]?["name"]
        let source = lineage?["inputFields"]?.arrayValue?.first
        #expect(source?["namespace"]?.stringValue == "db://host:5432")
        #expect(source?["name"]?.stringValue == "shop.public.orgs" && source?["field"]?.stringValue == "name")
    }

    @Test func aFailureSaysWhyAndAnEndHowMuch() {
        var failed = event(.fail)
        failed.problem = "no"
        let facet = failed.json["run"]?["facets"]?["errorMessage"]
        #expect(facet?["message"]?.stringValue == "no" && facet?["programmingLanguage"]?.stringValue == "Swift")
        var done = event(.complete)
        done.rows = 7
        let output = done.json["outputs"]?.arrayValue?.first
        #expect(output?["outputFacets"]?["outputStatistics"]?["rowCount"]?.intValue == 7)
    }

    @Test func anIdIsAUUIDOfTheSameTime() {
        let uuid = LineageEvent.uuid("01JD7KQ2ABCDEFGHJKMNPQRSTV")
        let parts = uuid.split(separator: "-").map(String.init)
        #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
        #expect(parts[2].first == "7" && "89ab".contains(parts[3].first ?? "?"))
        let base = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        let time = "01JD7KQ2AB".reduce(Int64(0)) { $0 << 5 | Int64(base.firstIndex(of: $1) ?? 0) }
        #expect(Int64(parts[0] + parts[1], radix: 16) == time)
        #expect(LineageEvent.uuid("01JD7KQ2ABCDEFGHJKMNPQRSTW") != uuid)
    }

    @Test func placesAreNamedWithoutUserAndPassword() {
        func dataset(_ settings: JSONObject, _ table: String = "t", _ files: [String] = []) -> String {
            let found = LineageEvent.dataset(scheme: "db", .object(settings), connection: "c", table: table) { folder in
                folder == "/data" ? files : []
            }
            return "\(found.namespace) \(found.name)"
        }
        #expect(
            dataset(["host": .string("h"), "port": .integer(5_432), "dbname": .string("shop")], "public.orgs")
                == "db://h:5432 shop.public.orgs")
        #expect(dataset(["url": .string("postgresql://u:canary@h:1/shop?sslmode=x")]) == "db://h:1 shop.t")
        #expect(dataset(["base_url": .string("http://127.0.0.1:80/x")]) == "db://127.0.0.1:80 t")
        #expect(dataset(["path": .string("/data/*.csv")], "orgs") == "file /data/orgs")
        #expect(dataset(["path": .string("/data/orgs.csv")], "orgs") == "file /data/orgs.csv")
        #expect(dataset(["path": .string("/data/crm.db")], "orgs") == "file /data/crm.db.orgs")
        let files = ["deals.csv", "orgs.csv"]
        #expect(dataset(["path": .string("/data/*.csv")], "orgs", files) == "file /data/orgs.csv")
        #expect(dataset(["path": .string("/data")], "orgs", files) == "file /data/orgs.csv")
        #expect(dataset(["path": .string("/data/")], "people", files) == "file /data/people")
        #expect(dataset([:]) == "db://c t")
    }
}
