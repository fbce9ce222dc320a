// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

extension PipedriveObject {
    /// Deals: what may be sold, on its way through the stages of a pipeline.
    package static let deal = PipedriveObject(
        id: "deal", title: "Deal", path: "deals", fieldsPath: "dealFields",
        costs: RequestCosts(
            create: 5, update: 5, delete: 3, readByIDs: 10, readByIDsMax: 100, readPage: 10, readPageMax: 500,
            readOne: 1),
        fields: [
            BuiltInField(
                DestinationField("title", .text, label: "Title", isRequiredOnCreate: true, lengthMax: 255)),
            BuiltInField(DestinationField("value", .number, label: "Value")),
            BuiltInField(DestinationField("currency", .text, label: "Currency", lengthMax: 3)),
            BuiltInField(
                DestinationField(
                    "pipeline_id", .option, label: "Pipeline", optionsCost: PipedriveAPI.pipelinesPageCost),
                listedAs: ["pipeline"], optionSource: .pipelines),
            BuiltInField(
                DestinationField(
                    "stage_id", .option, label: "Stage",
                    optionsCost: PipedriveAPI.pipelinesPageCost + PipedriveAPI.stagesPageCost,
                    optionsWithin: "pipeline_id"),
                listedAs: ["stage"], optionSource: .stages),
            BuiltInField(
                DestinationField("status", .option, label: "Status", options: Self.statuses), wire: .string,
                optionSource: .table),
            BuiltInField(
                DestinationField(
                    "lost_reason", .text, label: "Lost reason", isClearable: true, condition: Self.with("lost"))),
            BuiltInField(
                DestinationField(
                    "close_time", .instant, label: "Closed", isClearable: true, condition: Self.with("won", "lost"))),
            BuiltInField(DestinationField("won_time", .instant, label: "Won", condition: Self.with("won"))),
            BuiltInField(DestinationField("lost_time", .instant, label: "Lost", condition: Self.with("lost"))),
            BuiltInField(DestinationField("probability", .number, label: "Probability", isClearable: true)),
            BuiltInField(DestinationField("expected_close_date", .date, label: "Expected close date")),
            BuiltInField(
                DestinationField("person_id", .reference, label: "Contact person", referenceObject: "person"),
                listedAs: ["person"]),
            BuiltInField(
                DestinationField("org_id", .reference, label: "Organization", referenceObject: "organization"),
                listedAs: ["org"]),
            BuiltInField(
                DestinationField("owner_id", .user, label: "Owner", optionsCost: PipedriveAPI.usersCost),
                listedAs: ["owner"]),
            BuiltInField(
                DestinationField("label_ids", .options, label: "Labels", isClearable: true), wire: .idsNeverNull,
                listedAs: ["label"]),
            BuiltInField(
                DestinationField("visible_to", .option, label: "Visible to", options: Self.visibilities)),
            BuiltInField(DestinationField("is_archived", .boolean, label: "Archived", locksRecord: true)),
            BuiltInField(DestinationField("archive_time", .instant, label: "Archive time"), wire: .utcTime),
            .readOnly("is_deleted", .boolean, "Deleted"),
            .readOnly("add_time", .instant, "Created"),
            .readOnly("update_time", .instant, "Updated"),
            .readOnly("stage_change_time", .instant, "Last stage change"),
            .readOnly("origin", .text, "Source origin"),
            .readOnly("origin_id", .text, "Source origin ID"),
            .readOnly("channel", .integer, "Source channel"),
            .readOnly("channel_id", .text, "Source channel ID"),
            .readOnly("source_lead_id", .text, "Lead it was made from", isIncludedOnDemand: true),
            .readOnly("arr", .number, "Annual recurring revenue"),
            .readOnly("mrr", .number, "Monthly recurring revenue"),
            .readOnly("acv", .number, "Annual contract value"),
        ], archivePath: "deals/archived", archivePageCost: 20)

    /// The values of `status` that the API lets a deal have; a deleted one is none of them.
    private static let statuses = [
        FieldOption(id: "open", label: "Open"), FieldOption(id: "won", label: "Won"),
        FieldOption(id: "lost", label: "Lost"),
    ]

    /// What a field needs that only a deal with one of these statuses has; a new deal is open.
    private static func with(_ statuses: String...) -> FieldCondition {
        FieldCondition("status", statuses, initial: "open")
    }
}
