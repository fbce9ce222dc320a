// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

extension PipedriveObject {
    /// Persons: the people that one talks to.
    package static let person = PipedriveObject(
        id: "person", title: "Person", path: "persons", fieldsPath: "personFields",
        costs: RequestCosts(
            create: 5, update: 5, delete: 3, readByIDs: 10, readByIDsMax: 100, readPage: 10, readPageMax: 500,
            readOne: 1),
        fields: [
            BuiltInField(
                DestinationField("name", .text, label: "Name", isRequiredOnCreate: true, lengthMax: 255)),
            BuiltInField(
                DestinationField("emails", .contacts, label: "Email", isClearable: true, content: .email),
                listedAs: ["email"]),
            BuiltInField(
                DestinationField("phones", .contacts, label: "Phone", isClearable: true, content: .phone),
                listedAs: ["phone"]),
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
            BuiltInField(DestinationField("add_time", .instant, label: "Created", isWritableOnUpdate: false)),
            BuiltInField(
                DestinationField(
                    "marketing_status", .option, label: "Marketing status", options: Self.marketingStatuses),
                wire: .string, feature: "the product Campaigns", optionSource: .table, isIncludedOnDemand: true),
            BuiltInField(
                DestinationField("job_title", .text, label: "Job title", lengthMax: 255), feature: Self.contactSync),
            BuiltInField(DestinationField("birthday", .date, label: "Birthday"), feature: Self.contactSync),
            BuiltInField(
                DestinationField("postal_address", .address, label: "Postal address", parts: Self.addressParts),
                feature: Self.contactSync),
            BuiltInField(
                DestinationField("im", .contacts, label: "Instant messenger", isClearable: true),
                feature: Self.contactSync),
            BuiltInField(
                DestinationField("notes", .text, label: "Notes", lengthMax: 10_000), feature: Self.contactSync),
            .readOnly("first_name", .text, "First name"),
            .readOnly("last_name", .text, "Last name"),
            .readOnly("picture_id", .integer, "Picture", listedAs: ["picture"]),
            .readOnly("update_time", .instant, "Updated"),
        ])

    private static let contactSync = "Contact Sync, which is set up under Settings, Contact sync"

    /// The values of `marketing_status`, which are the same in every account.
    private static let marketingStatuses = [
        FieldOption(id: "no_consent", label: "No consent"), FieldOption(id: "unsubscribed", label: "Unsubscribed"),
        FieldOption(id: "subscribed", label: "Subscribed"), FieldOption(id: "archived", label: "Archived"),
    ]
}
