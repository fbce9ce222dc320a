// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import PipedriveConnector
import Testing

@Suite struct PipedriveCellTests {
    private func cell(_ kind: DestinationField.Kind, _ text: String) throws -> Value? {
        let field = DestinationField("f", kind, parts: ["locality"])
        var column = Column(kind.columnType)
        return PipedriveCell.append(try JSON(parsing: text), field, to: &column) ? column.value(0) : nil
    }

    @Test(arguments: [
        (DestinationField.Kind.text, #""a""#, Value.text("a")),
        (.number, "12.50", .decimal("12.50")),
        (.integer, "9007199254740993", .int64(9_007_199_254_740_993)),
        (.boolean, "true", .bool(true)),
        (.date, #""2024-03-01""#, .date(19_783)),
        (.instant, #""2025-01-01T10:20:00Z""#, .instant(1_735_726_800_000_000)),
        (.money, #"{"currency":"EUR","value":12.50}"#, .json(#"{"value":12.50,"currency":"EUR"}"#)),
        (.time, #"{"value":"13:30:00","timezone_id":5,"timezone_name":null}"#, .json(#"{"value":"13:30:00"}"#)),
        (.address, #"{"value":"x","locality":null,"formatted_address":"x, y"}"#, .json(#"{"value":"x"}"#)),
        (.address, #"{"value":null,"locality":null}"#, .null),
        (.option, "31", .text("31")),
        (.option, #""3""#, .text("3")),
        (.options, "[31,32]", .json(#"["31","32"]"#)),
        (.options, "[]", .null),
        (.user, "112", .text("112")),
        (.reference, "null", .null),
    ])
    func valuesCrossInTheShapesOfTheirKinds(kind: DestinationField.Kind, text: String, value: Value) throws {
        #expect(try cell(kind, text) == value)
    }

    @Test(arguments: [
        (DestinationField.Kind.date, #""soon""#), (.integer, "1.5"), (.number, #""a""#), (.options, "31"),
        (.boolean, "1"), (.date, #""2026-02-30""#), (.instant, #""2026-02-30T00:00:00Z""#), (.money, "12"),
    ])
    func whatIsSomethingElseIsSaidSo(kind: DestinationField.Kind, text: String) throws {
        #expect(try cell(kind, text) == nil)
    }

    @Test(
        "What a map service has found in an address is told from what somebody has set",
        arguments: [
            // Nothing was found: what is there was set.
            (#""value":"Main St 1","country":"Austria","formatted_address":"Main St 1""#, ""),
            (#""value":"Main St 1","country":"Austria","formatted_address":null"#, ""),
            (#""value":"Main St 1","country":"Austria""#, ""),
            // It stands in the text itself.
            (#""value":"Main St 1, 10111 Tallinn","locality":"Tallinn","postal_code":"10111""#, "locality,postal_code"),
            (#""value":"Main St 1","street_number":"1","route":"main st""#, "route,street_number"),
            (#""value":"Main St 11, Maintal","street_number":"1","locality":"Main""#, "locality"),
            // It stands in what was found.
            (
                #""value":"Viru 4","country":"Estonia","locality":"Tallinn","admin_area_level_1":"Harju County","#
                    + #""formatted_address":"Viru 4, 10140 Tallinn, Estonia""#,
                "country,admin_area_level_1,locality"
            ),
            // Somebody has set another country, or another town.
            (
                #""value":"Viru 4","country":"Latvia","locality":"Tallinn","formatted_address":"Viru 4, Tallinn, Estonia""#,
                "locality"
            ),
            (#""value":"Viru 4","locality":"Tartu","formatted_address":"Viru 4, Tallinn, Estonia""#, ""),
            // A country that is shortened says nothing about its name.
            (
                #""value":"1 Elm Street","country":"United States","admin_area_level_1":"California","#
                    + #""formatted_address":"1 Elm St, Fresno, CA 93650, USA""#,
                "country,admin_area_level_1"
            ),
            // A text that a map service has formatted before.
            (
                #""value":"1 Elm St, Fresno, CA 93650, USA","country":"United States","locality":"Fresno","#
                    + #""formatted_address":"1 Elm St, Fresno, CA 93650, USA""#,
                "country,locality"
            ),
        ])
    func derivedParts(members: String, derived: String) throws {
        let field = DestinationField("address", .address, parts: PipedriveObject.addressParts)
        var column = Column(.json)
        #expect(PipedriveCell.append(try JSON(parsing: "{\(members)}"), field, to: &column))
        guard case .json(let text) = column.value(0) else {
            Issue.record("no address")
            return
        }
        let found = try JSON(parsing: text)["derived"]?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(Set(found) == Set(derived.split(separator: ",").map(String.init)), "\(text)")
    }
}
