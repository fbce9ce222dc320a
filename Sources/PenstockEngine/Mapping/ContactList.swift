// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// E-mail addresses or phone numbers: a list with exactly one primary element.
struct ContactList: Sendable {
    let lengthMax: Int?

    /// One element as written.
    private struct Contact {
        var value: String
        var isPrimary: Bool?
        var label: String?
    }

    /// The list from a text, an object, or an array of either; NULL where no element is left.
    ///
    /// Blank elements are left out. Where none is marked as primary, the first one is.
    func converted(_ json: JSON) throws(CellFault) -> Converted {
        let items: [JSON]
        switch json {
        case .null: items = []
        case .array(let elements): items = elements
        default: items = [json]
        }
        var contacts: [Contact] = []
        for item in items {
            let contact = try contact(item)
            if !contact.value.isBlank { contacts.append(contact) }
        }
        guard !contacts.isEmpty else { return .null }
        let marked = contacts.filter { $0.isPrimary == true }.count
        guard marked <= 1 else {
            throw CellFault(.listInvalid, "Several elements are marked as primary; mark one.")
        }
        if marked == 0 { contacts[0].isPrimary = true }
        return .value(.json(JSON.array(contacts.map { self.json(of: $0) }).text))
    }

    private func json(of contact: Contact) -> JSON {
        var object = JSONObject()
        object.append("value", .string(contact.value))
        object.append("primary", .bool(contact.isPrimary == true))
        if let label = contact.label { object.append("label", .string(label)) }
        return .object(object)
    }

    private func contact(_ json: JSON) throws(CellFault) -> Contact {
        var contact = Contact(value: "")
        switch json {
        case .string(let text), .number(let text): contact.value = text
        case .object(let object): contact = try self.contact(object)
        case .null, .bool, .array:
            throw CellFault(.listInvalid, "An element of the list is neither a text nor an object.")
        }
        contact.value = String(contact.value.trimmed)
        try ScalarConversion.checkText(contact.value, lengthMax: lengthMax)
        return contact
    }

    private func contact(_ object: JSONObject) throws(CellFault) -> Contact {
        var contact = Contact(value: "")
        for member in object where !member.value.isNull {
            switch (member.key, member.value) {
            case ("value", .string(let text)), ("value", .number(let text)): contact.value = text
            case ("label", .string(let text)): contact.label = text
            case ("primary", .bool(let flag)): contact.isPrimary = flag
            default:
                throw CellFault(
                    .listInvalid,
                    "An element of the list may have value and label (texts) and primary (true or false), and no more.")
            }
        }
        return contact
    }
}
