// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import ConnectorKit
import Testing

@Suite struct CSVSettingsTests {
    @Test(
        "a bad setting is named",
        arguments: [
            (["delimiter": .string(",,")], "delimiter"), (["delimiter": .string("")], "delimiter"),
            (["delimiter": .string("§")], "delimiter"), (["delimiter": .string("\n")], "delimiter"),
            (["quote": .string("''")], "quote"), (["quote": .string(",")], "quote"),
            (["encoding": .string("utf-16")], "encoding"), (["null": .string("always")], "null"),
            (["types": .object(["a": .string("int")] as JSONObject)], "types"), (["path": .null], "path"),
        ] as [(JSONObject, String)])
    func aBadSettingIsNamed(settings: JSONObject, field: String) {
        var settings = settings
        if settings["path"] == nil { settings["path"] = .string("x.csv") }
        let error = failure { _ = try CSVSettings(.object(settings)) }
        #expect(error?.code == .badConfig)
        #expect(error?.field == field)
    }

    @Test func whatIsLeftOutHasItsDefault() throws {
        let settings = try CSVSettings(.object(["path": .string("x.csv")] as JSONObject))
        #expect(settings.dialect == CSVDialect())
        #expect(settings.hasHeader)
        #expect(settings.encoding == .utf8)
        #expect(settings.nullRule == .unquotedEmpty)
        #expect(settings.nullText == nil)
        #expect(settings.type(of: "a") == .text)
    }

    @Test func theDescriptorDescribesASourceOnly() {
        let descriptor = CSVConnector().descriptor
        #expect(descriptor.id == "csv")
        #expect(descriptor.capabilities == [.source, .local])
        #expect(descriptor.settings.map(\.name) == CSVSettings.fields.map(\.name))
    }
}
