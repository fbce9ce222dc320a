// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The pipelines of the account, and their stages.
struct SalesDirectory: Sendable {
    /// A pipeline.
    struct Pipeline: Sendable {
        let id: Int
        let name: String
    }

    /// A stage of a pipeline.
    struct Stage: Sendable {
        let id: Int
        let name: String
        let pipeline: Int
        /// Its place in the pipeline, from 1.
        let order: Int
        let probability: Int
    }

    /// In their order.
    let pipelines = [Pipeline(id: 1, name: "Sales"), Pipeline(id: 2, name: "Partners")]
    /// In the order of the pipelines, and then in their own; two are called the same.
    let stages = [
        Stage(id: 1, name: "Qualified", pipeline: 1, order: 1, probability: 20),
        Stage(id: 2, name: "Contact made", pipeline: 1, order: 2, probability: 40),
        Stage(id: 3, name: "Demo", pipeline: 1, order: 3, probability: 60),
        Stage(id: 4, name: "Negotiation", pipeline: 1, order: 4, probability: 80),
        Stage(id: 5, name: "Qualified", pipeline: 2, order: 1, probability: 30),
        Stage(id: 6, name: "Onboarding", pipeline: 2, order: 2, probability: 90),
    ]

    private static let time = JSON.string("2024-03-01T09:00:00Z")
    private static let orders: Set<String> = ["id", "update_time", "add_time"]

    /// The answer of `GET /api/v2/pipelines`.
    func listPipelines(_ target: RequestTarget) -> SandboxAnswer {
        answer(
            target, orders: Self.orders,
            pipelines.enumerated().map { place, pipeline in
                .members([
                    "id": .integer(pipeline.id), "name": .string(pipeline.name), "order_nr": .integer(place + 1),
                    "is_deleted": .bool(false), "is_deal_probability_enabled": .bool(true), "add_time": Self.time,
                    "update_time": Self.time,
                ])
            })
    }

    /// The answer of `GET /api/v2/stages`.
    func listStages(_ target: RequestTarget) -> SandboxAnswer {
        var wanted: Int?
        if let text = target["pipeline_id"] {
            wanted = Int(text)
            if wanted == nil { return .invalid(["pipeline_id: must be an integer"]) }
        }
        return answer(
            target, orders: Self.orders.union(["order_nr"]),
            stages.filter { wanted == nil || $0.pipeline == wanted }.map { stage in
                .members([
                    "id": .integer(stage.id), "order_nr": .integer(stage.order), "name": .string(stage.name),
                    "is_deleted": .bool(false), "deal_probability": .integer(stage.probability),
                    "pipeline_id": .integer(stage.pipeline), "is_deal_rot_enabled": .bool(false),
                    "days_to_rotten": .null, "add_time": Self.time, "update_time": Self.time,
                ])
            })
    }

    private func answer(_ target: RequestTarget, orders: Set<String>, _ items: [JSON]) -> SandboxAnswer {
        var reasons: [String] = []
        if let order = target["sort_by"], !orders.contains(order) { reasons.append("sort_by: is not a valid value") }
        if let direction = target["sort_direction"], !["asc", "desc"].contains(direction) {
            reasons.append("sort_direction: is not a valid value")
        }
        let limit = PageLimit.parse(target, &reasons)
        var start = 0
        if let text = target["cursor"] {
            let cursor = Cursor(text)
            if cursor?.field != "sales" { reasons.append("cursor: is not valid") }
            start = Int(cursor?.value ?? 0)
        }
        guard reasons.isEmpty else { return .invalid(reasons) }
        // Every list here is in the order of the ids, and the times are all the same.
        let ordered = target["sort_direction"] == "desc" ? items.reversed() : items
        let rest = ordered.dropFirst(start)
        let next = rest.count > limit ? Cursor(field: "sales", value: Int64(start + limit)) : nil
        return .page(.array(Array(rest.prefix(limit))), next: next)
    }
}
