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
}
