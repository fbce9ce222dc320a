// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockState

/// Single calls on a connection that is opened for them and closed again.
enum ConnectionCalls {
    /// Checks a connection; no text of the report holds a secret of it.
    static func check(_ side: SyncSetup.Side, _ workspace: Workspace) throws -> CheckReport {
        redacted(try rawReport(side, workspace), side)
    }

    /// Opens a connection with what a login has brought, has it exchanged, and checks the connection.
    ///
    /// - Parameter keep: Keeps the credential, before it is used for anything.
    static func login(
        _ side: SyncSetup.Side, _ connector: any Connector, _ login: JSON, _ workspace: Workspace,
        keep: @escaping LoginHost.Keeping
    ) throws -> (report: CheckReport, hasKept: Bool) {
        var settings = side.settings.objectValue ?? [:]
        settings[BrowserLogin.setting] = login
        let base = services(side, workspace)
        defer { base.leave() }
        let host = LoginHost(base, keep: keep)
        let report = try calling(side, "logging in") { () throws(ConnectorError) in
            do throws(ConnectorError) {
                return try opened(connector, .object(settings), host)
            } catch {
                // What was kept is kept; the connection does not work, which is another matter.
                guard host.hasKept else { throw error }
                return CheckReport([CheckReport.Step("login", failure: error)])
            }
        }
        return (redacted(report, side), host.hasKept)
    }

    private static func opened(
        _ connector: any Connector, _ settings: JSON, _ host: LoginHost
    ) throws(ConnectorError) -> CheckReport {
        if connector.descriptor.capabilities.contains(.destination) {
            let open = try connector.openDestination(settings, host: host)
            defer { open.close() }
            return try open.check()
        }
        let open = try connector.openSource(settings, host: host)
        defer { open.close() }
        return try open.check()
    }

    private static func redacted(_ report: CheckReport, _ side: SyncSetup.Side) -> CheckReport {
        var report = report
        for index in report.steps.indices {
            report.steps[index].message = side.redactor.redacted(report.steps[index].message)
            report.steps[index].failure = report.steps[index].failure.map { side.redactor.redacted($0) }
        }
        report.identity = report.identity.mapValues { side.redactor.redacted($0) }
        return report
    }

    /// The clock of the other side of a connection, as its answer to a check tells it: milliseconds since 1970, or nil.
    static func serverClock(_ side: SyncSetup.Side, _ workspace: Workspace) -> Int64? {
        let services = services(side, workspace)
        guard side.connector.descriptor.capabilities.contains(.destination) else { return nil }
        do throws(ConnectorError) {
            let open = try side.connector.openDestination(side.settings, host: services)
            defer {
                open.close()
                services.leave()
            }
            _ = try open.check()
        } catch {
            // Whether it can be reached is said elsewhere; a refusal, too, has told the time.
        }
        return services.serverMilliseconds
    }

    private static func rawReport(_ side: SyncSetup.Side, _ workspace: Workspace) throws -> CheckReport {
        if side.connector.descriptor.capabilities.contains(.destination) {
            return try destination(side, workspace, "checking it") { (open) throws(ConnectorError) in try open.check() }
        }
        return try source(side, workspace, "checking it") { (open) throws(ConnectorError) in try open.check() }
    }

    /// What a connector says against a connection's settings when it is opened, or nil.
    ///
    /// Nobody is asked.
    static func openingError(_ side: SyncSetup.Side, _ workspace: Workspace) -> ConnectorError? {
        let services = services(side, workspace)
        do throws(ConnectorError) {
            if side.connector.descriptor.capabilities.contains(.destination) {
                try side.connector.openDestination(side.settings, host: services).close()
            } else {
                try side.connector.openSource(side.settings, host: services).close()
            }
            return nil
        } catch {
            return error.code == .badConfig ? side.redactor.redacted(error) : nil
        }
    }

    /// The fields of an object.
    static func fields(_ side: SyncSetup.Side, _ object: String, _ workspace: Workspace) throws -> [DestinationField] {
        try destination(side, workspace, "reading the fields") { (open) throws(ConnectorError) in
            try open.fields(of: object, optionsOf: [])
        }
    }

    /// Makes sure that an object has the field that markers are written to, and returns its key.
    static func prepareMarker(_ side: SyncSetup.Side, _ object: String, _ workspace: Workspace) throws -> String {
        try destination(side, workspace, "creating the field \(Marker.fieldLabel)") { (open) throws(ConnectorError) in
            try open.prepareMarker(of: object, label: Marker.fieldLabel)
        }
    }

    /// The catalog of a source.
    static func discover(_ side: SyncSetup.Side, _ ids: [String], _ workspace: Workspace) throws -> Catalog {
        try source(side, workspace, "looking at what it offers") { (open) throws(ConnectorError) in
            try open.discover(ids)
        }
    }

    /// The first rows of a read.
    static func preview(
        _ side: SyncSetup.Side, _ request: ReadRequest, _ workspace: Workspace
    ) throws -> (schema: Schema, batches: [RecordBatch]) {
        try source(side, workspace, "reading the first rows") { (open) throws(ConnectorError) in
            let stream = try open.read(unwatched(request))
            defer { stream.close() }
            var batches: [RecordBatch] = []
            while let next = try stream.next() { batches.append(next.batch) }
            return (stream.schema, batches)
        }
    }

    /// The request where nothing goes by who else was writing.
    private static func unwatched(_ request: ReadRequest) -> ReadRequest {
        var request = request
        request.needsOpenWriters = false
        return request
    }

    /// The columns of a read; no row is read.
    static func describe(_ side: SyncSetup.Side, _ request: ReadRequest, _ workspace: Workspace) throws -> Schema {
        try source(side, workspace, "looking at the query") { (open) throws(ConnectorError) in
            try open.describe(request)
        }
    }

    /// The same, or nil where the source refuses the query.
    static func schema(_ side: SyncSetup.Side, _ request: ReadRequest, _ workspace: Workspace) -> Schema? {
        // Why it does not go is of no interest where another spelling is tried next.
        try? describe(side, request, workspace)
    }

    /// Reads to the end and says what was found.
    static func reading(
        _ side: SyncSetup.Side, _ request: ReadRequest, key: [String], _ workspace: Workspace
    ) throws -> ModelReading {
        let result = try source(side, workspace, "reading it") {
            (open) throws(ConnectorError) -> Result<ModelReading, StateError> in
            let stream = try open.read(unwatched(request))
            defer { stream.close() }
            do {
                return .success(
                    try ModelReading.of(stream, key: key, folder: FileManager.default.temporaryDirectory.path))
            } catch let error as StateError {
                return .failure(error)
            } catch let error as ConnectorError {
                throw error
            } catch {
                throw ConnectorError(.broken, "\(error)")
            }
        }
        switch result {
        case .success(let reading): return reading
        case .failure(let error): throw CommandFailure(.cannotWrite, code: "cannot-write", error.message)
        }
    }

    private static func source<R>(
        _ side: SyncSetup.Side, _ workspace: Workspace, _ doing: String,
        _ body: (any Source) throws(ConnectorError) -> R
    ) throws -> R {
        try calling(side, doing) { () throws(ConnectorError) in
            let open = try side.connector.openSource(side.settings, host: services(side, workspace))
            defer { open.close() }
            return try body(open)
        }
    }

    private static func destination<R>(
        _ side: SyncSetup.Side, _ workspace: Workspace, _ doing: String,
        _ body: (any Destination) throws(ConnectorError) -> R
    ) throws -> R {
        try calling(side, doing) { () throws(ConnectorError) in
            let services = services(side, workspace)
            let open = try side.connector.openDestination(side.settings, host: services)
            defer {
                open.close()
                services.leave()
            }
            return try body(open)
        }
    }

    private static func calling<R>(
        _ side: SyncSetup.Side, _ doing: String, _ body: () throws(ConnectorError) -> R
    ) throws -> R {
        do throws(ConnectorError) {
            return try body()
        } catch {
            throw CommandFailure(side.redactor.redacted(error), subject: "connection \(side.name), while \(doing)")
        }
    }

    private static func services(_ side: SyncSetup.Side, _ workspace: Workspace) -> ConnectionHost {
        var budget = side.budget
        // The reserve is there for people, and this is one who asks.
        budget.reserve = .amount(0)
        return ConnectionHost(
            name: side.name, budget: budget, redactor: side.redactor, cancellation: Interruption.cancellation,
            logger: workspace.logger,
            credential: CredentialLimits.Identity(side.connector.descriptor, side.settings))
    }
}
