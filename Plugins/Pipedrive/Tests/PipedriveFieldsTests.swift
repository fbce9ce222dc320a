// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import PipedriveConnector
import Testing

@Suite struct PipedriveFieldsTests {
    @Test func theOrderIsIDThenTheTableThenTheAccount() {
        let keys = Account.fields.all.map(\.field.key)
        #expect(
            keys.prefix(13) == [
                "id", "name", "owner_id", "label_ids", "address", "visible_to", "add_time", "update_time", "website",
                "linkedin", "industry", "annual_revenue", "employee_count",
            ])
        #expect(Array(keys.dropFirst(13)) == Account.types.map(Account.code) + [Account.code("odd")])
    }

    @Test func aFieldThatTheAccountLacksSaysWhatItNeeds() {
        let field = Account.fields["industry"]?.field
        #expect(field?.isWritableOnCreate == false && field?.isWritableOnUpdate == false)
        #expect(field?.note.hasPrefix("This account does not have it: it needs ") == true)
        #expect(Account.fields["website"]?.field.note == "")
    }

    @Test func labelsAndOptionsComeFromTheAccount() {
        #expect(Account.fields["visible_to"]?.field.label == "Visibility")
        #expect(Account.fields["visible_to"]?.field.options == [FieldOption(id: "3", label: "All")])
        #expect(Account.fields[Account.code("enum")]?.field.options == [FieldOption(id: "31", label: "Gold")])
        #expect(Account.fields[Account.code("org")]?.field.referenceObject == "organization")
    }

    @Test func typesThatNobodyKnowsCanBeReadButNotWritten() {
        let odd = Account.fields[Account.code("odd")]?.field
        #expect(odd?.kind == .json)
        #expect(odd?.isWritableOnCreate == false)
        #expect(odd?.isWritableOnUpdate == false)
    }

    @Test func usersAreReadOnlyForFieldsThatHoldUsers() {
        #expect(Account.fields.need(.users, ["owner_id"]))
        #expect(Account.fields.need(.users, ["My user"]))
        #expect(!Account.fields.need(.users, ["name", "My enum", "no such"]))
    }

    @Test func usersWhoHaveLeftAreListedAsSuch() throws {
        let listing = try JSON(
            parsing: #"""
                [{"id":1,"name":"A","email":"a@x","active_flag":true,"is_deleted":false},
                 {"id":2,"name":"B","email":"b@x","active_flag":false},
                 {"id":3,"name":"C","email":"c@x","active_flag":true,"is_deleted":true}]
                """#)
        let users = PipedriveFields.users(listing.arrayValue ?? [])
        #expect(users.map(\.isActive) == [true, false, false])
        #expect(users.first?.aliases == ["a@x"])
    }

    @Test func everyObjectOfTheTableIsWhole() {
        for object in PipedriveObject.all {
            #expect(!object.fields.filter(\.field.isRequiredOnCreate).isEmpty)
            #expect(Set(object.fields.map(\.field.key)).count == object.fields.count)
            #expect(PipedriveConnector().descriptor.objects.contains { $0.id == object.id })
        }
    }
}
