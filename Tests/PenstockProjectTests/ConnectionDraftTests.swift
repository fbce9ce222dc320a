// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject
import Testing

/// A connection is written by hand or by command, under the same rules.
@Suite struct ConnectionDraftTests {
    private let descriptor = ConnectorDescriptor(
        id: "shop", title: "Shop", version: "1.0.0", summary: "A shop.", capabilities: [.source],
        settings: [
            ConfigField("url", .string, "The address.", isRequired: true),
            ConfigField("port", .integer(1...99), "A port."),
            ConfigField("mode", .choice(["fast", "safe"]), "How."), ConfigField("strict", .boolean, "Whether."),
            ConfigField("tags", .strings, "Names."), ConfigField("types", .map(["text", "date"]), "Types."),
            ConfigField("token", .secret, "The token."),
        ])

    private func problem(_ key: String, _ text: String) -> ConnectionDraftProblem? {
        var draft = ConnectionDraft(name: "s", descriptor: descriptor)
        do {
            try draft.set(key, to: text)
            return nil
        } catch {
            #expect(draft.keys.isEmpty, "what is refused changes nothing")
            return error
        }
    }

    @Test func settingsAreWrittenAsTheirTypesAre() throws {
        var draft = ConnectionDraft(name: "s", descriptor: descriptor)
        for (key, text) in [
            ("token", "${cred:s-token}"), ("types", "a=text, b=date"), ("tags", "red, blue"), ("strict", "true"),
            ("port", "12"), ("url", "https://x"),
        ] { try draft.set(key, to: text) }
        #expect(
            draft.document(description: "The shop").document() == """
                connector: shop
                description: The shop
                url: https://x
                port: 12
                strict: true
                tags: [red, blue]
                types: {a: text, b: date}
                token: ${cred:s-token}

                """)
        #expect(draft.credentialNames == ["s-token"] && draft.missing.isEmpty)
        #expect(draft.listed("types") == "a=text,b=date" && draft.listed("tags") == "red,blue")
    }

    @Test func whatDoesNotFitIsRefusedWithWhatDoes() {
        #expect(
            problem("prot", "1")?.code == "unknown-setting" && problem("prot", "1")?.notes.first == "did you mean port?"
        )
        #expect(problem("port", "x")?.code == "type" && problem("port", "100")?.code == "range")
        #expect(problem("mode", "fsat")?.code == "enum" && problem("mode", "fsat")?.notes.first == "did you mean fast?")
        #expect(problem("types", "a=txt")?.code == "enum")
        #expect(problem("url", "pg://me:canary@host")?.code == "secret-literal")
        let literal = problem("token", "canary-1")
        #expect(literal?.code == "secret-literal" && literal?.notes.contains { $0.contains("--token-stdin") } == true)
        #expect([literal?.message, literal?.notes.joined()].allSatisfy { $0?.contains("canary") == false })
    }

    @Test func secretsThatAreNotStoredYetAreFound() throws {
        var draft = ConnectionDraft(name: "s", descriptor: descriptor)
        try draft.set("url", to: "https://x")
        try draft.set("token", to: "${cred:s-token}")
        var resolver = ReferenceResolver(root: "/", environment: [:])
        #expect(draft.resolved(resolver).settings == nil)
        resolver.sources.pending = ["s-token": Secret("canary-2")]
        #expect(draft.resolved(resolver).settings?.settings["token"]?.stringValue == "canary-2")
        #expect(draft.resolved(ReferenceResolver(root: "/", environment: [:]), without: ["token"]).settings != nil)
    }

    @Test func aCommandHasNoShell() {
        #expect(CommandWords.split("pass show  crm/token") == ["pass", "show", "crm/token"])
        #expect(CommandWords.split("op read 'op://a b/c' \"\"") == ["op", "read", "op://a b/c", ""])
        for bad in ["", "  ", "'open", "a \"b", "'' a"] { #expect(CommandWords.split(bad) == nil, "\(bad)") }
    }

    @Test func programsRunOnlyWhereAllowedAndOnce() throws {
        var draft = ConnectionDraft(name: "s", descriptor: descriptor)
        try draft.set("url", to: "https://x")
        try draft.set("token", to: "${exec:vault 'a b'}")
        let forbidden = draft.resolved(ReferenceResolver(root: "/", environment: ["HOME": "/h"]))
        #expect(forbidden.diagnostics.map(\.code) == ["exec-forbidden"])
        #expect(forbidden.diagnostics[0].notes.joined().contains("/h/.config/penstock/config.yml"))
        let calls = Calls()
        let sources = SecretSources(open: { _, _ in nil }, isSealed: { _ in false }) { words in
            calls.add(words)
            return "canary-3"
        }
        let resolver = ReferenceResolver(root: "/", environment: [:], sources: sources)
        for _ in 0..<3 {
            let settings = draft.resolved(resolver).settings
            #expect(settings?.settings["token"]?.stringValue == "canary-3" && settings?.secrets.count == 1)
        }
        #expect(calls.all == [["vault", "a b"]])
    }

    private final class Calls: @unchecked Sendable {
        // Only this test's own thread calls.
        private(set) var all: [[String]] = []
        func add(_ words: [String]) { all.append(words) }
    }

    @Test func theUsersOwnSettingsCountUnlessOthersCanWriteThem() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-conf-\(UUID().uuidString)")
            .path
        // The file is of no use after the test.
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(!UserConfig(path: path).allowsExec)
        try Data("allow_exec: true\n".utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o644)
        #expect(UserConfig(path: path).allowsExec)
        chmod(path, 0o666)
        #expect(
            !UserConfig(path: path).allowsExec && UserConfig(path: path).diagnostics.map(\.code) == ["file-permissions"]
        )
        chmod(path, 0o600)
        try Data("alow_exec: true\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(!UserConfig(path: path).allowsExec && UserConfig(path: path).diagnostics.map(\.code) == ["unknown-key"])
    }
}
