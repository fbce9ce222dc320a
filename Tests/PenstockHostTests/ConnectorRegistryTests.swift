// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import Foundation
import PenstockHost
import PenstockModel
import Testing

@Suite struct ConnectorRegistryTests {
    private let workshop: Workshop

    init() throws { workshop = try Workshop() }

    private func scan() -> ConnectorRegistry {
        ConnectorRegistry(scanning: ConnectorSearchPath([workshop.folder.path]))
    }

    /// The reason for which the file named `name` was refused, or nil.
    private func reason(_ name: String, _ registry: ConnectorRegistry? = nil) -> String? {
        for case .refused(let path, let reason) in (registry ?? scan()).entries where path == workshop.path(name) {
            return reason
        }
        return nil
    }

    @Test func aConnectorInCIsLoaded() throws {
        try workshop.library("a", Workshop.connector("in_c"))
        let registry = scan()
        #expect(registry.ids == ["in_c"])
        #expect(registry.connector("in_c")?.descriptor.title == "Title")
        #expect(registry.entries.count == 1)
    }

    @Test func aConnectorInSwiftIsLoadedAndRuns() throws {
        let library = Workshop.products.appendingPathComponent("libloopback-fixture.so")
        try FileManager.default.copyItem(at: library, to: workshop.folder.appendingPathComponent("x.so"))
        let registry = scan()
        #expect(registry.ids == ["loopback"], "\(registry.entries)")
        let connector = try #require(registry.connector("loopback"))
        let source = try connector.openSource(.object(["path": .string("data")] as JSONObject), host: TestHost())
        defer { source.close() }
        #expect(try source.discover([]).objects.map(\.id) == ["types", "\u{e9}mpty"])
        let stream = try source.read(ReadRequest(.object("types")))
        defer { stream.close() }
        #expect(try stream.next()?.batch.rowCount == 3)
    }

    @Test func aBadFileStopsNothingElse() throws {
        try workshop.write("a.so", "not a library")
        try workshop.library("b", Workshop.connector("good"))
        try workshop.write("c.so", "")
        let registry = scan()
        #expect(registry.ids == ["good"])
        #expect(reason("a.so", registry) == "is not a shared library")
        #expect(reason("c.so", registry) == "is not a shared library")
        #expect(registry.entries.count == 3)
    }

    @Test func aFileThatIsCutShortIsRefused() throws {
        let path = try workshop.library("whole", Workshop.connector("cut"))
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        try data.prefix(data.count - 100).write(to: workshop.folder.appendingPathComponent("cut.so"))
        #expect(reason("cut.so") == "is cut short")
    }

    @Test func anotherMajorIsRefusedWithBothVersions() throws {
        try workshop.library(
            "next", "__attribute__((visibility(\"default\"))) void *penstock_connector_v2(void) { return 0; }")
        #expect(reason("next.so") == "needs connector ABI 2; this Penstock speaks 1")
    }

    @Test func aLibraryForTwoMajorsIsLoaded() throws {
        let next = "__attribute__((visibility(\"default\"))) void *penstock_connector_v2(void) { return 0; }"
        try workshop.library("both", Workshop.connector("both", next))
        #expect(scan().ids == ["both"])
    }

    @Test func anOrdinaryLibraryIsRefused() throws {
        try workshop.library("plain", "__attribute__((visibility(\"default\"))) int answer(void) { return 42; }")
        #expect(reason("plain.so") == "is not a connector: it does not export penstock_connector_v1")
    }

    @Test func anExtraExportIsRefusedByName() throws {
        try workshop.library("loud", Workshop.connector("loud", "PENSTOCK_EXPORT int helper(void) { return 1; }"))
        #expect(
            reason("loud.so")
                == "exports 1 symbols besides its entry, for example helper; hide them when it is linked")
    }

    @Test func whatEverybodyCanChangeIsRefused() throws {
        let file = try workshop.library("open", Workshop.connector("open"))
        try workshop.setMode(0o777, of: file)
        #expect(reason("open.so") == "can be changed by everybody (mode 0777)")
        try workshop.setMode(0o755, of: file)
        #expect(scan().ids == ["open"])
        try workshop.setMode(0o777, of: workshop.folder.path)
        let entries = scan().entries
        guard case .refused(let path, let reason) = try #require(entries.first) else {
            Issue.record("the folder was not refused")
            return
        }
        #expect(path == workshop.folder.path)
        #expect(reason == "can be changed by everybody (mode 0777)")
        #expect(entries.count == 1)
        try workshop.setMode(0o755, of: workshop.folder.path)
    }

    @Test func aLinkIsJudgedByWhereItPoints() throws {
        let other = try Workshop()
        let file = try other.library("real", Workshop.connector("linked"))
        try FileManager.default.createSymbolicLink(atPath: workshop.path("link.so"), withDestinationPath: file)
        #expect(scan().ids == ["linked"])
        try other.setMode(0o777, of: other.folder.path)
        #expect(reason("link.so")?.hasPrefix("lies in ") == true)
        try other.setMode(0o755, of: other.folder.path)
        try FileManager.default.createSymbolicLink(atPath: workshop.path("void.so"), withDestinationPath: "/nowhere")
        #expect(reason("void.so") == "cannot be opened: No such file or directory")
    }

    @Test func theFirstOfTwoWithOneIDIsUsed() throws {
        try workshop.library("a", Workshop.connector("same"))
        try workshop.library("b", Workshop.connector("same"))
        try FileManager.default.createSymbolicLink(
            atPath: workshop.path("c.so"), withDestinationPath: workshop.path("a.so"))
        let registry = scan()
        #expect(registry.library("same")?.path == workshop.path("a.so"))
        #expect(reason("b.so", registry) == "is hidden by \(workshop.path("a.so")), which also is same")
        #expect(reason("c.so", registry) == "is the same file as \(workshop.path("a.so"))")
    }

    @Test func aMissingLibraryIsNamed() throws {
        try workshop.library(
            "dep", "int dep(void) { return 1; }", ["-Wl,-soname,libabsent.so.7", "-fvisibility=default"])
        try workshop.library(
            "needy", Workshop.connector("needy", "int dep(void); int (*used)(void) = dep;"), ["dep.so"])
        try FileManager.default.removeItem(atPath: workshop.path("dep.so"))
        #expect(reason("needy.so") == "needs libabsent.so.7, which is not installed")
    }

    @Test func aMissingSymbolIsNamed() throws {
        try workshop.library("lost", Workshop.connector("lost", "int gone(void); int (*used)(void) = gone;"))
        #expect(reason("lost.so") == "uses gone, which no library provides")
    }

    @Test func aConnectorThatBreaksTheContractIsRefusedByName() throws {
        let source = Workshop.connector("rude").replacingOccurrences(of: "\"Title\"", with: "0")
        try workshop.library("rude", source)
        #expect(
            reason("rude.so")
                == "is not usable: The connector rude broke the connector contract in penstock_connector_v1: "
                + "its title is NULL")
    }

    @Test func foldersThatDoNotExistAreSilent() {
        #expect(ConnectorRegistry(scanning: ConnectorSearchPath([workshop.path("no*where[")])).entries.isEmpty)
    }

    @Test func aFolderWithStrangeCharactersIsSearched() throws {
        let strange = workshop.folder.appendingPathComponent("a[b]*?\\c")
        try FileManager.default.createDirectory(at: strange, withIntermediateDirectories: false)
        let file = try workshop.library("z", Workshop.connector("strange"))
        try FileManager.default.moveItem(atPath: file, toPath: strange.appendingPathComponent("z.so").path)
        #expect(ConnectorRegistry(scanning: ConnectorSearchPath([strange.path])).ids == ["strange"])
    }

    @Test func theDigestOfALibraryIsThatOfItsFile() throws {
        let path = try workshop.library("sum", Workshop.connector("sum"))
        let expected = try workshop.run("/usr/bin/sha256sum", [path]).text.prefix(64)
        #expect(try scan().library("sum")?.sha256() == String(expected))
    }
}
