// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import Testing

/// A user's secrets are sealed on the disk, and what cannot be opened is said.
@Suite struct SecretStoreTests {
    private final class Place {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-sec-\(UUID().uuidString)")
            .path
        var store: SecretStore {
            SecretStore(folder: path + "/credentials", keyring: CredentialKeyring(environment: ["HOME": path]))
        }
        func file(_ name: String) -> String { path + "/credentials/" + name }

        deinit {
            // A folder that stays behind does no harm.
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private func text(_ stored: SecretStore.Stored?) -> String? { stored?.secret.reveal { $0 } }

    @Test func aSecretIsSealedAndReadableByItsOwnerAlone() throws {
        let place = Place()
        try place.store.put("crm-token", Secret("canary-8d1f"), owner: "/p#crm")
        #expect(try text(place.store.stored("crm-token")) == "canary-8d1f")
        #expect(try place.store.stored("crm-token")?.owner == "/p#crm")
        let data = try Data(contentsOf: URL(fileURLWithPath: place.file("crm-token")))
        #expect(data.firstRange(of: Data("canary".utf8)) == nil)
        for (path, mode) in [(place.path + "/credentials", 0o700), (place.file("crm-token"), 0o600)] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == mode)
        }
        try place.store.put("crm-token", Secret("another"))
        #expect(try text(place.store.stored("crm-token")) == "another")
        try place.store.remove("crm-token")
        try place.store.remove("crm-token")
        #expect(!place.store.isThere("crm-token"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path + "/credentials") == [])
    }

    @Test func noFileStandsInForAnother() throws {
        let place = Place()
        try place.store.put("a", Secret("of a"))
        try FileManager.default.copyItem(atPath: place.file("a"), toPath: place.file("b"))
        #expect(throws: ConnectorError.self) { try place.store.stored("b") }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: place.file("a")))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: place.file("a")))
        let error = #expect(throws: ConnectorError.self) { try place.store.stored("a") }
        #expect(error?.code == .unauthorized && error?.message.contains("secret a is damaged") == true)
    }

    @Test func aPlainFileIsNobodysSealedOne() throws {
        let place = Place()
        try FileManager.default.createDirectory(atPath: place.path + "/credentials", withIntermediateDirectories: true)
        try Data("by hand\n".utf8).write(to: URL(fileURLWithPath: place.file("plain")))
        #expect(try place.store.stored("plain") == nil && place.store.isThere("plain"))
    }
}

/// Programs that print secrets are held to their time and their room, and say nothing that they should not.
@Suite struct SecretProgramTests {
    private func reason(_ words: [String], milliseconds: Int64 = 30_000) -> String {
        do {
            return "printed " + (try SecretProgram.output(of: words, milliseconds: milliseconds))
        } catch {
            return error.reason
        }
    }

    @Test func whatIsPrintedIsTheSecret() {
        #expect(reason(["printf", "a b\\n\\n"]) == "printed a b\n")
        #expect(reason(["echo", "$HOME;", "`id`"]) == "printed $HOME; `id`", "there is no shell")
        #expect(reason(["cat"]) == "cat printed nothing", "standard input is empty")
    }

    @Test func whatGoesWrongIsSaidWithoutTheSecret() {
        #expect(reason(["/nowhere/at/all"]).contains("cannot be started"))
        let failed = reason(["sh", "-c", "echo canary-77; echo no canary-77 here >&2; exit 3"])
        #expect(failed == "sh ended with exit code 3: no •••• here")
        #expect(reason(["sh", "-c", "kill -9 $$"]) == "sh was ended by the signal 9")
        #expect(reason(["head", "-c", "70000", "/dev/zero"]).contains("printed more than 65536 bytes"))
        #expect(reason(["printf", "\\377"]).contains("not UTF-8"))
    }

    @Test func aProgramThatHangsEndsWithAllThatItHasStarted() throws {
        let mark = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-pid-\(UUID().uuidString)")
            .path
        // The file is of no use after the test.
        defer { try? FileManager.default.removeItem(atPath: mark) }
        let words = ["sh", "-c", "sleep 600 & echo $! > \(mark); wait"]
        #expect(reason(words, milliseconds: 5_000).contains("took longer than allowed"))
        let text = try String(contentsOfFile: mark, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let child = try #require(Int32(text))
        let deadline = ContinuousClock.now + .seconds(30)
        // Whoever inherits it may take a moment to notice its end.
        while kill(child, 0) == 0, !isZombie(child), ContinuousClock.now < deadline { usleep(10_000) }
        #expect(kill(child, 0) != 0 || isZombie(child))
    }

    private func isZombie(_ process: Int32) -> Bool {
        // A process that is gone has no file.
        let stat = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ") Z"
        return stat.contains(") Z")
    }
}
