// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SandboxObject {
    /// Persons.
    static let person = SandboxObject(
        name: "person", path: "persons", fieldsPath: "personFields", required: ["name"],
        properties: [
            Property(name: "name", rule: .text(max: 255)),
            Property(name: "owner_id", rule: .owner),
            Property(name: "org_id", rule: .reference("organization")),
            Property(name: "add_time", rule: .timestamp, createOnly: true),
            Property(name: "emails", rule: .contacts),
            Property(name: "phones", rule: .contacts),
            Property(name: "visible_to", rule: .visibility),
            Property(name: "label_ids", rule: .optionList),
            Property(
                name: "marketing_status", rule: .choice(["no_consent", "unsubscribed", "subscribed", "archived"]),
                feature: .campaigns, isOnDemand: true),
            Property(name: "im", rule: .contacts, feature: .contactSync),
            Property(name: "birthday", rule: .date, feature: .contactSync),
            Property(name: "job_title", rule: .text(max: 255), feature: .contactSync),
            Property(name: "notes", rule: .text(max: 10_000), feature: .contactSync),
            Property(name: "postal_address", rule: .address, feature: .contactSync),
            Property(name: "custom_fields", rule: .customFields),
        ],
        answered: [("first_name", .null), ("last_name", .null), ("picture_id", .null)],
        includable: [
            "next_activity_id", "last_activity_id", "open_deals_count", "related_open_deals_count",
            "closed_deals_count", "related_closed_deals_count", "participant_open_deals_count",
            "participant_closed_deals_count", "email_messages_count", "activities_count", "done_activities_count",
            "undone_activities_count", "files_count", "notes_count", "followers_count", "won_deals_count",
            "related_won_deals_count", "lost_deals_count", "related_lost_deals_count", "last_incoming_mail_time",
            "last_outgoing_mail_time", "marketing_status", "doi_status", "smart_bcc_email",
        ],
        filters: ["org_id"], searchable: ["custom_fields", "email", "notes", "phone", "name"],
        searchFilters: ["organization_id": "org_id"],
        builtInFields: personFields,
        customFields: [
            ("Seniority", .enum, ["Junior", "Senior", "Head"]),
            ("Contact key", .varchar, nil),
            ("Score", .double, nil),
            ("Tier code", .varcharAuto, nil),
            ("Bio", .text, nil),
            ("Budget", .monetary, nil),
            ("First met", .date, nil),
            ("Absence", .daterange, nil),
            ("Best hour", .time, nil),
            ("Office hours", .timerange, nil),
            ("Interests", .set, ["Pricing", "Roadmap", "Training"]),
            ("Account manager", .user, nil),
            ("Former employer", .org, nil),
            ("Reports to", .people, nil),
            ("Direct line", .phone, nil),
            ("Home address", .address, nil),
        ],
        finish: finishPerson)

    private static let personFields: [FieldDefinition] = [
        FieldDefinition.builtIn("id", "ID", .int),
        .builtIn("name", "Name", .varchar),
        .builtIn("first_name", "First name", .varchar),
        .builtIn("last_name", "Last name", .varchar),
        .builtIn("emails", "Email", .varchar),
        .builtIn("phones", "Phone", .phone),
        .builtIn("org_id", "Organization", .org),
        .builtIn("owner_id", "Owner", .user),
        .builtIn("add_time", "Person created", .date),
        .builtIn("update_time", "Update time", .date),
        .visibility,
        .builtIn("label_ids", "Labels", .set, [(1, "Customer"), (2, "Hot lead"), (3, "Warm lead"), (4, "Cold lead")]),
        .builtIn("picture_id", "Picture", .picture),
        .builtIn("marketing_status", "Marketing status", .varchar, feature: .campaigns),
        .builtIn("im", "Instant messenger", .varchar, feature: .contactSync),
        .builtIn("birthday", "Birthday", .date, feature: .contactSync),
        .builtIn("job_title", "Job title", .varchar, feature: .contactSync),
        .builtIn("notes", "Notes", .text, feature: .contactSync),
        .builtIn("postal_address", "Postal address", .address, feature: .contactSync),
    ]

    /// What a name and the e-mail addresses say of the other properties.
    private static func finishPerson(_ person: inout [String: JSON], _ change: RecordChange) -> SandboxAnswer? {
        let names = (person["name"]?.stringValue ?? "").split(separator: " ")
        person["first_name"] = names.first.map { .string(String($0)) } ?? .null
        person["last_name"] = names.count > 1 ? .string(names.dropFirst().joined(separator: " ")) : .null
        for name in ["emails", "phones", "im"] { person[name] = person[name] ?? .array([]) }
        let noConsent = JSON.string("no_consent")
        let earlier = change.old?["marketing_status"] ?? noConsent
        let hasMail =
            person["emails"]?.arrayValue?.contains { $0["value"]?.stringValue?.contains("@") ?? false } ?? false
        // It may be changed once; whoever asks again, or has no address to mail to, is answered what it is.
        let isOpen = earlier == noConsent && (hasMail || change.old != nil)
        person["marketing_status"] = isOpen ? person["marketing_status"] ?? noConsent : earlier
        return nil
    }
}
