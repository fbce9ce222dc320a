// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

extension PipedriveObject {
    /// Organizations: the companies that deals are made with.
    package static let organization = PipedriveObject(
        id: "organization", title: "Organization", path: "organizations", fieldsPath: "organizationFields",
        costs: RequestCosts(
            create: 5, update: 5, delete: 3, readByIDs: 10, readByIDsMax: 100, readPage: 10, readPageMax: 500,
            readOne: 1),
        fields: [
            BuiltInField(
                DestinationField("name", .text, label: "Name", isRequiredOnCreate: true, lengthMax: 255)),
            BuiltInField(
                DestinationField("owner_id", .user, label: "Owner", optionsCost: PipedriveAPI.usersCost),
                listedAs: ["owner"]),
            BuiltInField(
                DestinationField("label_ids", .options, label: "Labels", isClearable: true), wire: .idsNeverNull,
                listedAs: ["label"]),
            BuiltInField(DestinationField("address", .address, label: "Address", parts: Self.addressParts)),
            BuiltInField(
                DestinationField("visible_to", .option, label: "Visible to", options: Self.visibilities)),
            BuiltInField(DestinationField("add_time", .instant, label: "Created", isWritableOnUpdate: false)),
            BuiltInField(
                DestinationField(
                    "update_time", .instant, label: "Updated", isWritableOnCreate: false, isWritableOnUpdate: false)),
            BuiltInField(
                DestinationField("website", .text, label: "Website", isClearable: true, content: .url),
                feature: PipedriveObject.companyData),
            BuiltInField(
                DestinationField("linkedin", .text, label: "LinkedIn profile", isClearable: true),
                feature: PipedriveObject.companyData),
            BuiltInField(
                DestinationField("industry", .option, label: "Industry", isClearable: true),
                feature: PipedriveObject.companyData),
            BuiltInField(
                DestinationField("annual_revenue", .integer, label: "Annual revenue", isClearable: true),
                feature: PipedriveObject.companyData),
            BuiltInField(
                DestinationField("employee_count", .integer, label: "Number of employees", isClearable: true),
                feature: PipedriveObject.companyData),
        ])

    /// What the fields about the company itself need.
    static let companyData = "a plan of Pipedrive with the company's own data fields"

    /// The parts of an address besides its `value`; what a write leaves out becomes empty.
    package static let addressParts = [
        "country", "admin_area_level_1", "admin_area_level_2", "locality", "sublocality", "route", "street_number",
        "subpremise", "postal_code",
    ]

    /// The values of `visible_to`, for accounts whose list of fields does not name them.
    static let visibilities = ["1", "3", "5", "7"].map { FieldOption(id: $0, label: $0) }
}
