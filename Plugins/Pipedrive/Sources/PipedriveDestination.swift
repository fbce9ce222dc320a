// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit

/// An open connection to one Pipedrive account.
final class PipedriveDestination: Destination {
    private let api: PipedriveAPI
    /// The fields as they were read last, by object.
    private var known: [String: PipedriveFields] = [:]

    init(_ api: PipedriveAPI) { self.api = api }

    func check() throws(ConnectorError) -> CheckReport {
        let outcome: HTTPOutcome
        do throws(ConnectorError) {
            outcome = try api.sendOnce(api.request(.get, "/v1/users/me"), cost: PipedriveAPI.meCost)
        } catch {
            switch error.code {
            case .unauthorized: return CheckReport([CheckReport.Step("credential", failure: error)])
            // The token endpoint could not be reached.
            case .unavailable, .timedOut: return CheckReport([CheckReport.Step("network", failure: error)])
            default: throw error
            }
        }
        let network = CheckReport.Step("network", "\(api.siteName) answers")
        let tls = api.isPlain ? [] : [CheckReport.Step("tls", "the certificate is good")]
        if case .failure(let failure) = outcome { return report(failure, network) }
        let way = name + [network] + tls
        switch api.answer(outcome, object: nil) {
        case .failure(let problem) where problem.error.code == .forbidden:
            return CheckReport(
                way + [CheckReport.Step("credential"), CheckReport.Step("right", failure: problem.error)])
        case .failure(let problem):
            return CheckReport(way + [CheckReport.Step("credential", failure: problem.error)])
        case .success(let json):
            let me = json["data"] ?? .null
            let names = [("company", "company_name"), ("domain", "company_domain"), ("user", "name")]
            var identity: [String: String] = [:]
            for (name, key) in names { identity[name] = me[key]?.stringValue }
            let step = CheckReport.Step("credential", identity["user"].map { "the token of \($0)" } ?? "")
            return CheckReport(way + [step], identity: identity)
        }
    }

    /// That the host's name is known, where it has one.
    private var name: [CheckReport.Step] {
        api.isPlain ? [] : [CheckReport.Step("name", String(api.siteName.prefix { $0 != ":" }))]
    }

    private func report(_ failure: HTTPFailure, _ network: CheckReport.Step) -> CheckReport {
        let error = PipedriveProblem(failure, site: api.siteName).error
        switch failure.cause {
        case .certificateUnknown, .certificateExpired, .certificateForOtherHost, .tls, .caFile:
            return CheckReport(name + [network, CheckReport.Step("tls", failure: error)])
        case .hostNotFound: return CheckReport([CheckReport.Step("name", failure: error)])
        default: return CheckReport(name + [CheckReport.Step("network", failure: error)])
        }
    }

    func fields(of object: String, optionsOf: [String]) throws(ConnectorError) -> [DestinationField] {
        let object = try PipedriveObject.named(object)
        var fields = try readFields(object)
        if fields.need(.users, optionsOf) {
            let users = try api.read("/v1/users", cost: PipedriveAPI.usersCost)
            fields.setOptions(PipedriveFields.users(users["data"]?.arrayValue ?? []), from: .users)
        }
        let needsStages = fields.need(.stages, optionsOf)
        if needsStages || fields.need(.pipelines, optionsOf) {
            let pipelines = try api.readAll("/api/v2/pipelines", pageCost: PipedriveAPI.pipelinesPageCost)
            fields.setOptions(PipedriveFields.pipelines(pipelines), from: .pipelines)
        }
        if needsStages {
            let stages = try api.readAll("/api/v2/stages", pageCost: PipedriveAPI.stagesPageCost)
            fields.setOptions(PipedriveFields.stages(stages), from: .stages)
        }
        return fields.all.map(\.field)
    }

    private func fields(_ object: PipedriveObject) throws(ConnectorError) -> PipedriveFields {
        if let fields = known[object.id] { return fields }
        return try readFields(object)
    }

    private func readFields(_ object: PipedriveObject) throws(ConnectorError) -> PipedriveFields {
        let listing = try api.readAll("/api/v2/\(object.fieldsPath)", pageCost: PipedriveAPI.fieldsPageCost)
        let fields = PipedriveFields(object, listing: listing)
        known[object.id] = fields
        return fields
    }

    func limits() throws(ConnectorError) -> [RateLimit] { api.limits }

    func readBack(_ request: ReadBackRequest) throws(ConnectorError) -> any RecordStream {
        let object = try PipedriveObject.named(request.object)
        let fields = try fields(object)
        return try PipedriveReadBack(request, object: object, fields: fields, api: api)
    }

    func begin(
        _ request: WriteRequest, onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) throws(ConnectorError) -> any WriteSession {
        let object = try PipedriveObject.named(request.object)
        guard request.inFlightMax > 0 else {
            throw ConnectorError(.badRequest, "A session needs room for at least one request.")
        }
        let fields = try fields(object)
        let body = try PipedriveBody(request, object: object, fields: fields)
        return PipedriveWriteSession(request, object: object, body: body, api: api, onResults: onResults)
    }

    func prepareMarker(of object: String, label: String) throws(ConnectorError) -> String {
        let object = try PipedriveObject.named(object)
        var fields = try readFields(object)
        if let field = fields.all.first(where: { $0.field.isCustom && $0.field.label == label })?.field {
            guard field.kind == .text else {
                throw ConnectorError(
                    .badConfig, "The field \(label) of \(object.id) exists but holds no text; rename or delete it.",
                    field: field.key)
            }
            return field.key
        }
        let body: JSONObject = ["field_name": .string(label), "field_type": .string("varchar")]
        let request = api.request(.post, "/api/v2/\(object.fieldsPath)", body: JSON.object(body).utf8)
        let outcome = try api.sendOnce(request, cost: PipedriveAPI.createFieldCost, kind: .create)
        switch api.answer(outcome, object: object) {
        case .failure(let problem): throw problem.error
        case .success(let json):
            guard let key = json["data"]?["field_code"]?.stringValue else {
                throw PipedriveProblem(unreadable: 200, site: api.siteName).error
            }
            fields.addText(key, label: label)
            known[object.id] = fields
            return key
        }
    }

    func close() { api.close() }
}
