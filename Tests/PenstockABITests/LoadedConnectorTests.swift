// SPDX-License-Identifier: Apache-2.0

import CPenstock
import ConnectorTesting
import PenstockABI
import PenstockModel
import Testing

@Suite struct LoadedConnectorTests {
    private func made() -> HandMadeSource { HandMadeSource([HandMadeColumn("l", [Int64(1)])]) }

    private func expectRefusal(_ part: String, _ change: (HandMadeSource) -> Void) {
        let source = made()
        change(source)
        let error = #expect(throws: ConnectorError.self) { try source.load() }
        #expect(error?.code == .contractBreach)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test func noTableAtAllIsRefused() {
        #expect(throws: ConnectorError.self) { try LoadedConnector(nil) }
    }

    @Test func anotherMajorIsRefused() { expectRefusal("major version 2") { $0.table.major = 2 } }

    @Test func textsThatAreMissingAreNamed() {
        expectRefusal("its id is NULL") { $0.table.id = nil }
        expectRefusal("its title is NULL") { $0.table.title = nil }
        expectRefusal("its version is NULL") { $0.table.version = nil }
        expectRefusal("its summary is NULL") { $0.table.summary = nil }
        expectRefusal("its config_schema is NULL") { $0.table.config_schema = nil }
    }

    @Test("an id that project files could not hold is refused", arguments: ["", "CSV", "a b", "\u{fc}", "../x"])
    func badIDs(id: String) { expectRefusal("its id \"\(id)\" is not") { $0.table.id = kept(id) } }

    @Test func howALoginGoesIsReadAndHeldAgainstTheSettings() throws {
        func schema(_ login: String) -> String {
            #"{"v":1,"type":"object","properties":{"id":{"type":"string","x-advanced":true},"#
                + #""key":{"type":"string","x-secret":true}},"x-login":\#(login)}"#
        }
        let source = made()
        let good = #"{"authorize_url":"https://id.example/a","client_id":"id","needs":["id"],"gives":"key","port":7}"#
        source.table.config_schema = kept(schema(good))
        let descriptor = try source.load().descriptor
        #expect(descriptor.login?.gives == "key" && descriptor.login?.needs == ["id"] && descriptor.login?.port == 7)
        #expect(descriptor.settings.map(\.isAdvanced) == [true, false])
        for (text, part) in [
            (good.replacing(#""client_id":"id""#, with: #""client_id":"x""#), "there is no setting x"),
            (good.replacing(#""gives":"key""#, with: #""gives":"id""#), "id is not a secret"),
            (good.replacing(#""port":7"#, with: #""port":0"#), "port is not from"), ("[]", "it is not an object"),
        ] {
            expectRefusal("x-login: \(part)") { $0.table.config_schema = kept(schema(text)) }
        }
    }

    @Test func slotsThatAreMissingAreNamed() {
        expectRefusal("its source table lacks read_close") { $0.api.read_close = nil }
        expectRefusal("its source table lacks read_close") { $0.api.size -= 8 }
        expectRefusal("a source without a table") { source in
            source.table.caps = PENSTOCK_CAP_SOURCE | PENSTOCK_CAP_DESTINATION
            source.table.objects_json = kept("{\"v\":1,\"objects\":[]}")
            source.table.size = UInt32(MemoryLayout<penstock_connector>.offset(of: \.source) ?? 0)
            source.api.size = 8
        }
    }

    @Test func aTableThatHasGrownIsAccepted() throws {
        let source = made()
        source.api.size += 64
        source.table.size += 64
        #expect(try source.load().descriptor.id == "handmade")
    }

    @Test(
        "a settings schema outside the subset is refused with the setting",
        arguments: [
            ("{\"v\":1,\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"}}}", "the setting a"),
            ("{\"v\":1,\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"x\"}}}", "pattern"),
            ("{\"v\":1,\"type\":\"object\",\"required\":[\"b\"]}", "required names b"),
            ("{\"v\":1,\"type\":\"object\",\"oneOf\":[]}", "oneOf"),
            (
                "{\"v\":1,\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":2,\"maximum\":1}}}",
                "minimum is above"
            ),
            ("{\"v\":2,\"type\":\"object\"}", "v is not 1"), ("[]", "not a JSON object"), ("{", "not JSON"),
        ])
    func badSchemas(schema: String, part: String) {
        expectRefusal(part) { $0.table.config_schema = kept(schema) }
    }

    @Test func aSchemaAsAPersonWritesItIsRead() throws {
        let source = made()
        source.table.config_schema = kept(
            """
            {"v": 1, "type": "object", "required": ["file"], "properties": {
              "second": {"type": "integer", "x-order": 2, "default": 3, "examples": [4]},
              "file": {"type": "string", "x-path": true, "description": "Where.", "x-order": 1, "x-later": {}},
              "odd": {"type": "object", "additionalProperties": {"type": "string"}, "x-order": 3}}}
            """)
        #expect(
            try source.load().descriptor.settings == [
                ConfigField("file", .path, "Where.", isRequired: true),
                ConfigField("second", .integer(.min ... .max), "", defaultValue: .number("3"), example: "4"),
                ConfigField("odd", .map([]), ""),
            ])
    }

    @Test func whatAConnectorCannotDoIsRefused() throws {
        let error = #expect(throws: ConnectorError.self) {
            try made().load().openDestination(.object([:] as JSONObject), host: TestHost())
        }
        #expect(error == ConnectorError(.unsupported, "The connector handmade cannot be written to."))
    }
}
