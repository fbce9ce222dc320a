// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject
import Testing

@Suite struct ReferenceResolverTests {
    /// The settings of a connection with these lines, and the findings about it.
    private func resolve(
        _ lines: String, connector: String = "postgres", _ prepare: (ProjectFixture) throws -> Void = { _ in }
    ) throws -> (settings: ResolvedSettings?, found: [String], root: String) {
        let body = lines.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        let fixture = try ProjectFixture([
            "penstock.yml": "version: 1\n",
            "connections.yml": "connections:\n  one:\n    connector: \(connector)\n\(body)\n",
        ])
        try prepare(fixture)
        let (project, diagnostics) = fixture.load()
        #expect(diagnostics == [])
        let connection = try #require(project.connection(named: "one"))
        let descriptor = try #require(ProjectFixture.connectors[connector])
        let result = project.resolvedSettings(of: connection, descriptor: descriptor, resolver: fixture.resolver)
        let found = result.diagnostics.map { "\($0.line):\($0.column) \($0.severity.rawValue) \($0.code)" }
        return (result.settings, found, fixture.root)
    }

    @Test(arguments: [
        ("${env:NAME}", "value"), ("${NAME}", "value"), ("${UNSET:-other}", "other"), ("${EMPTY:-other}", "other"),
        ("${NAME:-other}", "value"), ("${NAME:?needed}", "value"), ("${env:UNSET:-x}", "x"),
        ("a ${NAME} b", "a value b"),
        ("${NAME}${NAME}", "valuevalue"), ("$$NAME", "$NAME"), ("$${NAME}", "${NAME}"), ("$NAME", "$NAME"),
        ("5$", "5$"), ("$$$$", "$$"), ("${EMPTY}", ""), ("${file:plain.txt}", "two\nlines"), ("${UNSET:-}", ""),
    ])
    func aReferenceBecomesItsValue(_ written: String, _ value: String) throws {
        let result = try resolve("service: \"\(written)\"") { fixture in
            fixture.environment = ["NAME": "value", "EMPTY": ""]
            try fixture.write("plain.txt", Data("two\nlines\n".utf8))
        }
        #expect(result.found == [])
        #expect(result.settings?.settings["service"]?.stringValue == value)
    }

    @Test func keysAndCommentsAreLeftAlone() throws {
        var files = ProjectFixture.good
        files["syncs/orgs.yml"]?.replace("  name: company_name", with: "  name: c # ${UNSET}\n  ${UNSET} share: share")
        let (project, found) = try ProjectFixture(files).validate()
        #expect(found == [])
        #expect(project.sync(named: "orgs")?.definition.map[2].target == "${UNSET} share")
    }

    @Test func valuesAreTypedAfterTheyAreReplaced() throws {
        let good = try resolve("port: ${PORT}") { $0.environment = ["PORT": "5433"] }
        #expect(good.settings?.settings["port"] == .integer(5_433))
        let bad = try resolve("port: ${PORT}") { $0.environment = ["PORT": "many"] }
        #expect(bad.found == ["4:11 error type"])
        #expect(bad.settings == nil)
    }

    @Test func defaultsAndAbsolutePathsAreFilledIn() throws {
        let result = try resolve("path: ./data/*.csv\nnull_values: [\"\", NO]\ntypes: {zip: TEXT}", connector: "csv")
        #expect(result.settings?.settings["path"]?.stringValue == "\(result.root)/data/*.csv")
        #expect(result.settings?.settings["header"] == .bool(true))
        #expect(result.settings?.settings["null_values"] == .strings(["", "NO"]))
        #expect(result.settings?.settings["types"]?["zip"]?.stringValue == "text")
    }

    @Test func credentialsAreTakenFromTheFirstFolderThatHasThem() throws {
        let folders = ["credentials", "shared", "home/.config/penstock/credentials"]
        for first in folders.indices {
            let result = try resolve("password: ${cred:db}") { fixture in
                fixture.environment = [
                    "CREDENTIALS_DIRECTORY": "\(fixture.root)/credentials", "HOME": "\(fixture.root)/home",
                ]
                for folder in folders[first...] { try fixture.write("\(folder)/db", Data("from \(folder)\n".utf8)) }
            }
            #expect(result.found == [])
            #expect(result.settings?.settings["password"]?.stringValue == "from \(folders[first])")
            #expect(result.settings?.secrets.map { $0.reveal { $0 } } == ["from \(folders[first])"])
        }
    }

    @Test func aCredentialThatOthersCanReadIsRefused() throws {
        let result = try resolve("password: ${cred:db}") { fixture in
            fixture.environment = ["XDG_CONFIG_HOME": "\(fixture.root)/xdg"]
            try fixture.write("xdg/penstock/credentials/db", Data("x\n".utf8), mode: 0o644)
        }
        #expect(result.found == ["4:15 error cred-permissions"])
        #expect(result.settings == nil)
    }

    @Test func aSecretFileThatOthersCanReadIsWarnedAbout() throws {
        for (mode, expected) in [(0o600, []), (0o640, ["4:15 warning file-permissions"])] {
            let result = try resolve("password: ${file:secrets/db}") { fixture in
                try fixture.write("secrets/db", Data("x\n".utf8), mode: mode)
            }
            #expect(result.found == expected)
            #expect(result.settings?.settings["password"]?.stringValue == "x")
        }
    }

    @Test func aLinkToACredentialIsFollowed() throws {
        let result = try resolve("password: ${cred:db}") { fixture in
            fixture.environment = ["XDG_CONFIG_HOME": "\(fixture.root)/xdg"]
            try fixture.write("store/db", Data("x\n".utf8))
            try fixture.write("xdg/penstock/credentials/other", Data())
            try FileManager.default.createSymbolicLink(
                atPath: "\(fixture.root)/xdg/penstock/credentials/db",
                withDestinationPath: "\(fixture.root)/store/db")
        }
        #expect(result.found == [])
        #expect(result.settings?.settings["password"]?.stringValue == "x")
    }

    @Test func whatNeverEndsIsNotRead() throws {
        #expect(try resolve("password: ${file:/dev/zero}").found == ["4:15 error file-missing"])
    }

    @Test func secretsInsideAnAddressAreKnownToo() throws {
        let result = try resolve("url: postgresql://ro:${env:PG}@db/x") { $0.environment = ["PG": "hunter2"] }
        #expect(result.found == [])
        #expect(result.settings?.secrets.map { $0.reveal { $0 } } == ["hunter2"])
    }

    @Test func anEmptySecretIsNotAValue() throws {
        let result = try resolve("password: ${env:PG}") { $0.environment = ["PG": ""] }
        #expect(result.found == ["4:15 error env-unset"])
    }

    @Test func everyUnsetReferenceOfAScalarHasItsOwnPlace() throws {
        let result = try resolve("service: \"日本 ${A} x ${B} ${A}\"") { $0.environment = [:] }
        #expect(result.found == ["4:18 error env-unset", "4:25 error env-unset", "4:30 error env-unset"])
    }
}
