// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

@Suite struct NearestNameTests {
    @Test(
        "The name that was meant is found",
        arguments: [
            ("compnay", "company"), ("COMPANY", "company"), ("company_nam", "company_name"), ("zzz", nil), ("", nil),
            ("a", nil), ("B", "b"), ("ownr_id", "owner_id"), ("ovnr_id", "owner_id"), ("ovnr_it", nil),
        ] as [(String, String?)])
    func meantNamesAreFound(name: String, wanted: String?) {
        #expect(NearestName.of(name, in: ["company", "company_name", "b", "owner_id"]) == wanted)
    }

    @Test func noMoreThanThreeEditsAreNearHoweverLongTheName() {
        let name = "a_very_long_name_of_a_column"
        #expect(NearestName.of("very_long_name_of_a_colum", in: [name]) == name)
        #expect(NearestName.of("very_long_name_of_a_colu", in: [name]) == nil)
    }

    @Test func aSwapIsOneEdit() {
        #expect(NearestName.distance(Array("ab"), Array("ba")) == 1)
        #expect(NearestName.distance(Array(""), Array("abc")) == 3)
        #expect(NearestName.distance(Array("kitten"), Array("sitting")) == 3)
    }

    @Test func aListOfNamesFitsIntoAMessageHoweverManyThereAre() {
        #expect(NearestName.listed([]) == "")
        #expect(NearestName.listed(["a", "b"]) == "a, b")
        let many = (0..<500).map { "schema_of_some_length.table_\($0)" }
        let text = NearestName.listed(many)
        #expect(text.utf8.count < 260 && text.hasSuffix(" more"))
        let long = String(repeating: "x", count: 400)
        #expect(NearestName.listed([long, "b"]) == "\(long) and 1 more")
    }
}
