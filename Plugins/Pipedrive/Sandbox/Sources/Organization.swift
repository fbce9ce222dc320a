// SPDX-License-Identifier: Apache-2.0

extension SandboxObject {
    /// Organizations.
    static let organization = SandboxObject(
        name: "organization", path: "organizations", fieldsPath: "organizationFields", required: ["name"],
        properties: [
            Property(name: "name", rule: .text(max: 255)),
            Property(name: "owner_id", rule: .owner),
            Property(name: "add_time", rule: .timestamp, createOnly: true),
            Property(name: "visible_to", rule: .visibility),
            Property(name: "label_ids", rule: .optionList),
            Property(name: "address", rule: .address),
            Property(name: "website", rule: .text(max: 255), nullable: true),
            Property(name: "linkedin", rule: .text(max: 255), nullable: true),
            Property(name: "industry", rule: .option, nullable: true),
            Property(name: "annual_revenue", rule: .integer, nullable: true),
            Property(name: "employee_count", rule: .integer, nullable: true),
            Property(name: "custom_fields", rule: .customFields),
        ],
        includable: [
            "next_activity_id", "last_activity_id", "open_deals_count", "related_open_deals_count",
            "closed_deals_count", "related_closed_deals_count", "email_messages_count", "people_count",
            "activities_count", "done_activities_count", "undone_activities_count", "files_count", "notes_count",
            "followers_count", "won_deals_count", "related_won_deals_count", "lost_deals_count",
            "related_lost_deals_count", "smart_bcc_email",
        ],
        searchable: ["name", "address", "notes", "custom_fields"], builtInFields: organizationFields,
        customFields: [
            ("Segment", .enum, ["SMB", "Mid", "Enterprise"]),
            ("Customer key", .varchar, nil),
            ("ARR (EUR)", .double, nil),
            ("Account tier", .varcharAuto, nil),
            ("Account notes", .text, nil),
            ("Contract value", .monetary, nil),
            ("Customer since", .date, nil),
            ("Contract period", .daterange, nil),
            ("Best time to call", .time, nil),
            ("Opening hours", .timerange, nil),
            ("Products", .set, ["Analytics", "Sync", "Support", "Training"]),
            ("Success manager", .user, nil),
            ("Parent company", .org, nil),
            ("Main contact", .people, nil),
            ("Switchboard", .phone, nil),
            ("Billing address", .address, nil),
        ])

    private static let organizationFields: [FieldDefinition] = [
        FieldDefinition.builtIn("id", "ID", .int),
        .builtIn("name", "Name", .varchar),
        .builtIn("owner_id", "Owner", .user),
        .builtIn("add_time", "Organization created", .date),
        .builtIn("update_time", "Update time", .date),
        .visibility,
        .builtIn("label_ids", "Labels", .set, [(1, "Customer"), (2, "Prospect"), (3, "Partner"), (4, "At risk")]),
        .builtIn("address", "Address", .address),
        .builtIn("website", "Website", .varchar),
        .builtIn("linkedin", "LinkedIn profile", .varchar),
        .builtIn(
            "industry", "Industry", .enum,
            [(11, "Software"), (12, "Manufacturing"), (13, "Retail"), (14, "Finance"), (15, "Healthcare")]),
        .builtIn("annual_revenue", "Annual revenue", .int),
        .builtIn("employee_count", "Number of employees", .int),
    ]
}
