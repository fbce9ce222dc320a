// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SandboxObject {
    /// Deals.
    static let deal = SandboxObject(
        name: "deal", path: "deals", fieldsPath: "dealFields", required: ["title"],
        properties: [
            Property(name: "title", rule: .text(max: 255)),
            Property(name: "owner_id", rule: .owner),
            Property(name: "person_id", rule: .reference("person")),
            Property(name: "org_id", rule: .reference("organization")),
            Property(name: "pipeline_id", rule: .pipeline),
            Property(name: "stage_id", rule: .stage),
            Property(name: "value", rule: .number),
            Property(name: "currency", rule: .currency),
            Property(name: "is_deleted", rule: .notTrue),
            Property(name: "is_archived", rule: .boolean),
            Property(name: "archive_time", rule: .utcTime, isAnswered: false),
            Property(name: "status", rule: .choice(["open", "won", "lost"])),
            Property(name: "probability", rule: .number, nullable: true),
            Property(name: "lost_reason", rule: .text(max: 255), nullable: true),
            Property(name: "visible_to", rule: .visibility),
            Property(name: "close_time", rule: .instant, nullable: true),
            Property(name: "won_time", rule: .instant),
            Property(name: "lost_time", rule: .instant),
            Property(name: "expected_close_date", rule: .date),
            Property(name: "label_ids", rule: .optionList),
            Property(name: "custom_fields", rule: .customFields),
        ],
        answered: [
            ("stage_change_time", .null), ("origin", .string("API")), ("origin_id", .null), ("channel", .null),
            ("channel_id", .null), ("arr", .null), ("mrr", .null), ("acv", .null),
        ],
        includable: [
            "next_activity_id", "last_activity_id", "first_won_time", "products_count", "files_count", "notes_count",
            "followers_count", "email_messages_count", "activities_count", "done_activities_count",
            "undone_activities_count", "participants_count", "last_incoming_mail_time", "last_outgoing_mail_time",
            "smart_bcc_email", "source_lead_id",
        ],
        filters: ["person_id", "org_id", "pipeline_id", "stage_id"], hasStatus: true, hasArchive: true,
        searchable: ["custom_fields", "notes", "title"],
        searchFilters: ["organization_id": "org_id", "person_id": "person_id", "status": "status"],
        builtInFields: dealFields,
        customFields: [
            ("Source", .enum, ["Website", "Fair", "Referral"]),
            ("Deal key", .varchar, nil),
            ("Discount", .double, nil),
            ("Offer number", .varcharAuto, nil),
            ("Scope", .text, nil),
            ("Setup fee", .monetary, nil),
            ("Signed on", .date, nil),
            ("Term", .daterange, nil),
            ("Kick-off time", .time, nil),
            ("Support hours", .timerange, nil),
            ("Modules", .set, ["Core", "Reports", "Mobile"]),
            ("Engineer", .user, nil),
            ("Reseller", .org, nil),
            ("Decision maker", .people, nil),
            ("Hotline", .phone, nil),
            ("Delivery address", .address, nil),
        ],
        finish: finishDeal)

    private static let dealFields: [FieldDefinition] = [
        FieldDefinition.builtIn("id", "ID", .int),
        .builtIn("title", "Title", .varchar),
        .builtIn("value", "Value", .double),
        .builtIn("currency", "Currency", .varchar),
        .builtIn("owner_id", "Owner", .user),
        .builtIn("person_id", "Contact person", .people),
        .builtIn("org_id", "Organization", .org),
        .builtIn("pipeline_id", "Pipeline", .int),
        .builtIn("stage_id", "Stage", .stage),
        .builtIn("status", "Status", .status),
        .builtIn("probability", "Probability", .int),
        .builtIn("lost_reason", "Lost reason", .varcharOptions),
        .builtIn("close_time", "Deal closed on", .date),
        .builtIn("won_time", "Won time", .date),
        .builtIn("lost_time", "Lost time", .date),
        .builtIn("expected_close_date", "Expected close date", .date),
        .builtIn("add_time", "Deal created", .date),
        .builtIn("update_time", "Update time", .date),
        .builtIn("stage_change_time", "Last stage change", .date),
        .visibility,
        .builtIn("label_ids", "Labels", .set, [(1, "Hot"), (2, "Warm"), (3, "Cold")]),
        .builtIn("is_archived", "Archive status", .boolean),
        .builtIn("archive_time", "Archive time", .date),
    ]

    /// What a deal's status, stage and archive say of each other.
    private static func finishDeal(_ deal: inout [String: JSON], _ change: RecordChange) -> SandboxAnswer? {
        let wasArchived = change.old?["is_archived"] == .bool(true)
        if wasArchived, deal["is_archived"] == .bool(true), !change.named.isSubset(of: ["is_archived"]) {
            return .failure(403, "Archived deals cannot be edited", code: "ERR_FORBIDDEN")
        }
        for (name, value) in newDeal where deal[name] == nil { deal[name] = value }
        var reasons =
            change.named.contains("is_archived") || change.named.contains("archive_time")
            ? archive(&deal, change) : []
        reasons += place(&deal, change)
        reasons += close(&deal, change)
        return reasons.isEmpty ? nil : .invalid(reasons)
    }

    /// What a new deal has where nothing is said.
    private static let newDeal: [String: JSON] = [
        "status": .string("open"), "value": .integer(0), "currency": .string("EUR"), "is_archived": .bool(false),
        "is_deleted": .bool(false), "label_ids": .array([]),
    ]

    private static func archive(_ deal: inout [String: JSON], _ change: RecordChange) -> [String] {
        let isArchived = deal["is_archived"] == .bool(true)
        if change.named.contains("archive_time"), !isArchived {
            return ["archive_time: can only be set if the deal is archived"]
        }
        if !isArchived { deal["archive_time"] = nil }
        if isArchived, deal["archive_time"] == nil { deal["archive_time"] = .string(Timestamp.v1Text(change.now)) }
        return []
    }

    /// Puts the deal into a stage: the named one, else the first one of the named pipeline, else of the first pipeline.
    private static func place(_ deal: inout [String: JSON], _ change: RecordChange) -> [String] {
        let pipeline = deal["pipeline_id"]?.intValue
        let named = change.named.contains("stage_id") ? deal["stage_id"]?.intValue : nil
        if let named, let stage = change.sales.stages.first(where: { $0.id == named }) {
            if change.named.contains("pipeline_id"), pipeline != stage.pipeline {
                return ["stage_id: Stage \(named) does not belong to the pipeline \(pipeline ?? 0)"]
            }
            deal["pipeline_id"] = .integer(stage.pipeline)
        } else if change.old == nil || pipeline != change.old?["pipeline_id"]?.intValue {
            let target = pipeline ?? change.sales.pipelines[0].id
            deal["pipeline_id"] = .integer(target)
            deal["stage_id"] = change.sales.stages.first { $0.pipeline == target }.map { .integer($0.id) }
        }
        if let old = change.old, old["stage_id"] != deal["stage_id"] {
            deal["stage_change_time"] = .string(Timestamp.text(change.now))
        }
        return []
    }

    /// Holds what depends on the status against it, and sets the times of a status that has changed.
    private static func close(_ deal: inout [String: JSON], _ change: RecordChange) -> [String] {
        let status = deal["status"]?.stringValue ?? "open"
        let allowed: [(String, [String])] = [
            ("lost_reason", ["lost"]), ("lost_time", ["lost"]), ("won_time", ["won"]), ("close_time", ["won", "lost"]),
        ]
        var reasons: [String] = []
        for (name, statuses) in allowed where !statuses.contains(status) {
            if change.named.contains(name), deal[name]?.isNull == false {
                reasons.append("\(name): can only be set if deal status is \(statuses.joined(separator: " or "))")
            }
            deal[name] = .null
        }
        guard status != "open", change.old?["status"]?.stringValue != status else { return reasons }
        let name = "\(status)_time"
        if !change.named.contains(name) { deal[name] = .string(Timestamp.text(change.now)) }
        if !change.named.contains("close_time") { deal["close_time"] = deal[name] }
        return reasons
    }
}
