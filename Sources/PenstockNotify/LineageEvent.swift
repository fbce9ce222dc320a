// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// A run as OpenLineage 2-0-2 describes it: a value that becomes one event.
package struct LineageEvent: Sendable, Hashable {
    /// What has happened to the run.
    package enum Kind: String, Sendable, Hashable {
        /// It has begun.
        case start = "START"
        /// It is done.
        case complete = "COMPLETE"
        /// It has failed.
        case fail = "FAIL"
        /// It was stopped by a signal.
        case abort = "ABORT"
    }

    /// A table, query or object.
    package struct Dataset: Sendable, Hashable {
        /// Where it lies: `scheme://host:port`.
        package var namespace: String
        /// What it is called there.
        package var name: String
        /// Its columns, with their types.
        package var fields: [(name: String, type: String)] { names.enumerated().map { ($0.element, types[$0.offset]) } }

        private var names: [String] = []
        private var types: [String] = []

        /// A dataset whose columns are not known yet.
        package init(namespace: String, name: String) {
            self.namespace = namespace
            self.name = name
        }

        /// Sets the columns; a column's type is a word.
        package mutating func setFields(_ fields: [(name: String, type: String)]) {
            names = fields.map(\.name)
            types = fields.map(\.type)
        }
    }

    /// A target field with the columns that fill it.
    package struct Column: Sendable, Hashable {
        /// The target field.
        package var target: String
        /// The source columns.
        package var sources: [String]
        /// Whether the value is only brought into another type.
        package var isPlain: Bool
        /// A target field with the columns that fill it.
        package init(target: String, sources: [String], isPlain: Bool) {
            self.target = target
            self.sources = sources
            self.isPlain = isPlain
        }
    }

    /// What has happened.
    package var kind: Kind
    /// When, in milliseconds since 1970.
    package var at: Int64
    /// The run's id, as in ``uuid(_:)``.
    package var run: String
    /// The namespace of the job.
    package var jobNamespace: String
    /// The name of the job.
    package var jobName: String
    /// What is read; nil where that is not known.
    package var input: Dataset?
    /// What is written; nil where that is not known.
    package var output: Dataset?
    /// What fills what.
    package var columns: [Column] = []
    /// How many records were written, or nil.
    package var rows: Int64?
    /// What went wrong, or nil.
    package var problem: String?
    /// The version of Penstock.
    package var version: String

    /// An event about a job.
    package init(_ kind: Kind, at: Int64, run: String, jobNamespace: String, jobName: String, version: String) {
        self.kind = kind
        self.at = at
        self.run = run
        self.jobNamespace = jobNamespace
        self.jobName = jobName
        self.version = version
    }

    private static let facets = "https://openlineage.io/spec/facets"
    private var producer: String { "https://penstock.invalid/version/\(version)" }

    private func facet(_ version: String, _ name: String, _ members: JSONObject) -> JSON {
        var object = JSONObject()
        object.append("_producer", .string(producer))
        object.append("_schemaURL", .string("\(Self.facets)/\(version)/\(name).json#/$defs/\(name)"))
        for member in members { object.append(member.key, member.value) }
        return .object(object)
    }

    /// The event.
    package var json: JSON {
        var runFacets: JSONObject = [
            "processing_engine": facet(
                "1-1-1", "ProcessingEngineRunFacet", ["version": .string(version), "name": .string("penstock")])
        ]
        if let problem {
            runFacets["errorMessage"] = facet(
                "1-0-1", "ErrorMessageRunFacet",
                ["message": .string(problem), "programmingLanguage": .string("Swift")])
        }
        let job: JSONObject = [
            "namespace": .string(jobNamespace), "name": .string(jobName),
            "facets": .object([
                "jobType": facet(
                    "2-0-3", "JobTypeJobFacet",
                    [
                        "processingType": .string("BATCH"), "integration": .string("PENSTOCK"),
                        "jobType": .string("SYNC"),
                    ])
            ]),
        ]
        return .object([
            "eventType": .string(kind.rawValue), "eventTime": .string(Self.time(at)), "producer": .string(producer),
            "schemaURL": .string("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"),
            "run": .object(["runId": .string(run), "facets": .object(runFacets)]), "job": .object(job),
            "inputs": .array(input.map { [dataset($0, [:])] } ?? []),
            "outputs": .array(output.map { [outputDataset($0)] } ?? []),
        ])
    }

    private func dataset(_ dataset: Dataset, _ more: JSONObject) -> JSON {
        var facets = JSONObject()
        if !dataset.fields.isEmpty {
            let fields = dataset.fields.map { field in
                JSON.object(["name": .string(field.name), "type": .string(field.type)])
            }
            facets["schema"] = facet("1-1-1", "SchemaDatasetFacet", ["fields": .array(fields)])
        }
        for member in more { facets[member.key] = member.value }
        return .object([
            "namespace": .string(dataset.namespace), "name": .string(dataset.name), "facets": .object(facets),
        ])
    }

    private func outputDataset(_ output: Dataset) -> JSON {
        var more = JSONObject()
        if let input, !columns.isEmpty {
            var fields = JSONObject()
            for column in columns {
                let sources = column.sources.map { source in
                    JSON.object([
                        "namespace": .string(input.namespace), "name": .string(input.name), "field": .string(source),
                        "transformations": .array([
                            .object([
                                "type": .string("DIRECT"),
                                "subtype": .string(column.isPlain ? "IDENTITY" : "TRANSFORMATION"),
                                "description": .string(""), "masking": .bool(false),
                            ])
                        ]),
                    ])
                }
                fields[column.target] = .object(["inputFields": .array(sources)])
            }
            more["columnLineage"] = facet("1-2-0", "ColumnLineageDatasetFacet", ["fields": .object(fields)])
        }
        var object = dataset(output, more).objectValue ?? [:]
        if let rows {
            object["outputFacets"] = .object([
                "outputStatistics": facet("1-0-2", "OutputStatisticsOutputDatasetFacet", ["rowCount": .integer(rows)])
            ])
        }
        return .object(object)
    }

    private static func time(_ milliseconds: Int64) -> String {
        let text = Date(timeIntervalSince1970: Double(milliseconds / 1_000)).ISO8601Format()
        let rest = String(1_000 + milliseconds % 1_000).dropFirst()
        return "\(text.dropLast()).\(rest)Z"
    }

    /// The UUID of version 7 that a run's id stands for: the same time, and the same random bits but for those that say
    /// the version.
    ///
    /// - Parameter id: 26 characters of Crockford's base 32; others count as 0.
    package static func uuid(_ id: String) -> String {
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        var bytes = [UInt8](repeating: 0, count: 16)
        // 130 bits, of which the first two are 0.
        for (place, character) in id.enumerated() where place < 26 {
            let digit = alphabet.firstIndex(of: character) ?? 0
            for bit in 0..<5 where digit >> (4 - bit) & 1 == 1 {
                let position = place * 5 + bit - 2
                if position >= 0, position < 128 { bytes[position >> 3] |= 0x80 >> UInt8(position & 7) }
            }
        }
        bytes[6] = bytes[6] & 0x0f | 0x70
        bytes[8] = bytes[8] & 0x3f | 0x80
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        var parts: [Substring] = []
        var rest = hex[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }

    // MARK: - Names

    /// Where a connection's data lie, as OpenLineage names it: `scheme://host:port`, without a user or a password.
    ///
    /// - Parameters:
    ///   - scheme: The connector's id.
    ///   - settings: The connection's settings.
    ///   - connection: The connection's name, which stands for a place that the settings do not tell.
    ///   - table: What is read or written there.
    ///   - names: The names in a folder; none where it is not one. Of files the one is meant that the table is named
    ///     after.
    package static func dataset(
        scheme: String, _ settings: JSON, connection: String, table: String, names: (String) -> [String] = { _ in [] }
    ) -> Dataset {
        let (namespace, database) = place(scheme: scheme, settings, connection: connection)
        guard namespace == fileNamespace, let path = database else {
            return Dataset(namespace: namespace, name: [database, table].compactMap { $0 }.joined(separator: "."))
        }
        let isPattern = path.contains { "*?[".contains($0) }
        let end = isPattern ? path[..<(path.lastIndex(of: "/") ?? path.startIndex)] : path[...]
        let folder = end.hasSuffix("/") ? String(end.dropLast()) : String(end)
        let files = names(folder)
        if isPattern || !files.isEmpty {
            return Dataset(namespace: namespace, name: "\(folder)/\(files.first { stem($0) == table } ?? table)")
        }
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        return Dataset(namespace: namespace, name: stem(last) == table ? path : "\(path).\(table)")
    }

    /// A file's name without its ending.
    private static func stem(_ name: String) -> String {
        name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }

    private static let fileNamespace = "file"

    private static func place(
        scheme: String, _ settings: JSON, connection: String
    ) -> (namespace: String, database: String?) {
        func text(_ names: String...) -> String? {
            names.lazy.compactMap { settings[$0]?.stringValue ?? settings[$0]?.numberText }.first { !$0.isEmpty }
        }
        if let address = text("url", "base_url"), let start = address.firstRange(of: "://")?.upperBound {
            let rest = address[start...]
            let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
            let host = rest[..<end].split(separator: "@").last.map(String.init) ?? ""
            let path = rest[end...].dropFirst().prefix { !"?#".contains($0) }
            return ("\(scheme)://\(host)", settings["url"] == nil || path.isEmpty ? nil : String(path))
        }
        if let host = text("host") {
            let port = text("port").map { ":\($0)" } ?? ""
            return ("\(scheme)://\(host)\(port)", text("database", "dbname"))
        }
        if let path = text("path") { return (fileNamespace, path) }
        return ("\(scheme)://\(connection)", text("database", "dbname"))
    }
}
