// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockServer
import Testing

/// Prometheus' text format, read as strictly as its description says.
struct PrometheusText {
    struct Sample: Hashable {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    struct Problem: Error {
        var line: String
        var reason: String
    }

    var kinds: [String: String] = [:]
    var samples: [Sample] = []

    init(parsing text: String) throws {
        guard text.hasSuffix("\n") else { throw Problem(line: "", reason: "the last line has no newline") }
        var current: String?
        var done: Set<String> = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) {
            if line.hasPrefix("# HELP ") || line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ", maxSplits: 3).map(String.init)
                guard words.count == 4, Self.isName(words[2]) else { throw Problem(line: line, reason: "no name") }
                if words[2] != current, !done.insert(words[2]).inserted {
                    throw Problem(line: line, reason: "a metric in two places")
                }
                current = words[2]
                guard words[1] == "TYPE" else { continue }
                guard ["counter", "gauge"].contains(words[3]), kinds[words[2]] == nil else {
                    throw Problem(line: line, reason: "a wrong or second type")
                }
                kinds[words[2]] = words[3]
                continue
            }
            let sample = try Self.sample(line)
            guard sample.name == current, kinds[sample.name] != nil else {
                throw Problem(line: line, reason: "a sample without its type before it")
            }
            guard !samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
                throw Problem(line: line, reason: "a series twice")
            }
            if kinds[sample.name] == "counter", !(sample.value >= 0) {
                throw Problem(line: line, reason: "a counter below 0")
            }
            samples.append(sample)
        }
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first else { return false }
        return !("0"..."9").contains(first)
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_")
            }
    }

    private static func sample(_ line: String) throws -> Sample {
        var rest = Substring(line)
        let name = String(rest.prefix { $0 != "{" && $0 != " " })
        guard isName(name) else { throw Problem(line: line, reason: "no name") }
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            while rest.first != "}" {
                let label = String(rest.prefix { $0 != "=" })
                rest = rest.dropFirst(label.count)
                guard isName(label), rest.hasPrefix("=\""), labels[label] == nil else {
                    throw Problem(line: line, reason: "a bad label")
                }
                rest = rest.dropFirst(2)
                labels[label] = try value(&rest, line)
                if rest.first == "," {
                    rest = rest.dropFirst()
                } else if rest.first != "}" {
                    throw Problem(line: line, reason: "no comma")
                }
            }
            rest = rest.dropFirst()
        }
        guard rest.first == " ", let value = Double(rest.dropFirst()) else {
            throw Problem(line: line, reason: "no number")
        }
        return Sample(name: name, labels: labels, value: value)
    }

    private static func value(_ rest: inout Substring, _ line: String) throws -> String {
        var text = ""
        while let character = rest.popFirst() {
            if character == "\"" { return text }
            guard character == "\\" else {
                text.append(character)
                continue
            }
            switch rest.popFirst() {
            case "n": text.append("\n")
            case "\\": text.append("\\")
            case "\"": text.append("\"")
            default: throw Problem(line: line, reason: "a bad escape")
            }
        }
        throw Problem(line: line, reason: "a value without its end")
    }
}

/// Metrics as text, and what runs leave for them.
@Suite struct MetricsTests {
    private static func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "penstock-metrics-\(UUID().uuidString)"
        ).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test func anyLabelSurvives() throws {
        let values = ["plain", "a\"b", "back\\slash", "two\nlines", "\\n", "ends in \\", "漢字 🎉", ""]
        var text = MetricsText()
        text.begin("penstock_test_total", .counter, "Help with \\ and\na second line.")
        for (index, value) in values.enumerated() { text.add([("name", value)], Double(index) + 0.5) }
        text.add([("name", "plain")], 99)
        text.begin("penstock_empty", .gauge, "Never seen.")
        let parsed = try PrometheusText(parsing: text.text)
        #expect(parsed.samples.map { $0.labels["name"] } == values)
        #expect(parsed.samples.map(\.value) == values.indices.map { Double($0) + 0.5 })
        #expect(parsed.kinds == ["penstock_test_total": "counter"])
    }

    @Test func runsAddUp() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A folder that stays behind does no harm.
        let path = SyncMetrics.path(stateFolder: folder, sync: "orders")
        #expect(SyncMetrics(reading: path) == nil)
        for number in 1...3 {
            var end = SyncMetrics.RunEnd()
            end.connection = "crm"
            end.rows = [("created", 2), ("rejected", 1)]
            end.tokens = [("create", 10), ("read", 20)]
            end.phases = [("open", 0.25), ("run", 1)]
            end.waits = [("burst", 0.5)]
            end.tokensLeft = Int64(1_000 - number)
            end.exitCode = number == 3 ? 65 : 0
            end.isSuccess = number < 3
            end.endedAt = Int64(number) * 1_000_000
            var metrics = SyncMetrics(reading: path) ?? SyncMetrics()
            metrics.add(end)
            #expect(metrics.write(to: path))
            #expect(SyncMetrics(reading: path) == metrics)
        }
        var text = MetricsText()
        ProjectMetrics(stateFolder: folder, syncs: ["orders", "never \"run\""]).add(to: &text, version: "1.2.3")
        let samples = try PrometheusText(parsing: text.text).samples
        func value(_ name: String, _ labels: [String: String]) -> Double? {
            samples.first { $0.name == "penstock_" + name && $0.labels == labels }?.value
        }
        #expect(value("build_info", ["version": "1.2.3"]) == 1)
        #expect(value("sync_rows_total", ["sync": "orders", "result": "created"]) == 6)
        #expect(value("sync_duration_seconds", ["sync": "orders", "phase": "open"]) == 0.25)
        #expect(value("sync_last_success_timestamp_seconds", ["sync": "orders"]) == 2_000)
        #expect(value("sync_last_success_timestamp_seconds", ["sync": "never \"run\""]) == 0)
        #expect(value("sync_last_exit_code", ["sync": "orders"]) == 65)
        #expect(value("api_tokens_total", ["connection": "crm", "endpoint": "read"]) == 60)
        #expect(value("api_tokens_remaining", ["connection": "crm"]) == 997)
        #expect(value("api_wait_seconds_total", ["connection": "crm", "limit": "burst"]) == 1.5)
    }

    @Test func aFileThatIsNotWholeTellsNothing() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A folder that stays behind does no harm.
        let path = folder + "/half.metrics"
        try Data("{\"rows\":{\"cre".utf8).write(to: URL(fileURLWithPath: path))
        #expect(SyncMetrics(reading: path) == nil)
    }
}
