// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockNotify
import PenstockProject
import PenstockState

/// Tells of one run of an open sync in the words of OpenLineage.
final class LineageReporter {
    private let sender: LineageSender
    private let definition: SyncDefinition
    private let namespace: String
    private let input: LineageEvent.Dataset
    private let output: LineageEvent.Dataset
    private let columns: [LineageEvent.Column]
    private var run: String?

    /// A reporter for runs of `sync`.
    init(_ sender: LineageSender, _ setup: SyncSetup, _ sync: OpenSync, namespace: String) {
        self.sender = sender
        self.namespace = namespace
        definition = setup.definition
        var (input, output) = Self.datasets(setup)
        input.setFields(sync.readSchema.fields.map { ($0.name, $0.type.rawValue) })
        output.setFields(sync.mapping.targets.map { ($0.name, $0.field.kind.rawValue) })
        (self.input, self.output) = (input, output)
        let entries = definition.map
        columns = sync.mapping.targets.compactMap { target in
            let entry = entries[target.entry]
            guard !entry.columns.isEmpty else { return nil }
            // An option, a user and a linked record are looked up by what the column holds.
            let isPlain =
                ![.option, .options, .user].contains(target.field.kind)
                && entry.option == nil && entry.split == nil && entry.link == nil && entry.parts.isEmpty
            return LineageEvent.Column(target: target.name, sources: entry.columns, isPlain: isPlain)
        }
    }

    /// What a sync reads and writes, without columns.
    static func datasets(_ setup: SyncSetup) -> (input: LineageEvent.Dataset, output: LineageEvent.Dataset) {
        let definition = setup.definition
        let read =
            switch (definition.source.model, definition.source.target) {
            case (let model?, _): model
            case (nil, .object(let table)): table
            case (nil, .query): definition.name
            }
        return (dataset(setup.source, read), dataset(setup.destination, definition.destination.object))
    }

    private static func dataset(_ side: SyncSetup.Side, _ table: String) -> LineageEvent.Dataset {
        LineageEvent.dataset(
            scheme: side.connector.descriptor.id, side.settings, connection: side.name, table: table
        ) { folder in
            // What is no folder has no files.
            (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
        }
    }

    /// Tells of a moment.
    func take(_ moment: LineageMoment) {
        switch moment {
        case .began(let record):
            run = LineageEvent.uuid(record.id)
            send(.start)
        case .ended(let code, let report, let problem):
            let isDone = report?.run.status == .finished
            let kind: LineageEvent.Kind =
                isDone ? .complete : code == .interrupted || code == .terminated ? .abort : .fail
            send(kind, report, problem ?? report?.run.message)
        }
    }

    private func send(_ kind: LineageEvent.Kind, _ report: RunReport? = nil, _ problem: String? = nil) {
        guard let run else { return }
        var event = LineageEvent(
            kind, at: WallClock.milliseconds, run: run, jobNamespace: namespace, jobName: definition.name,
            version: Version.text)
        event.input = input
        event.output = output
        event.columns = columns
        event.rows = report.map { $0.counts.created + $0.counts.updated }
        if kind == .fail, let problem, !problem.isEmpty { event.problem = problem }
        sender.send(event)
    }
}
