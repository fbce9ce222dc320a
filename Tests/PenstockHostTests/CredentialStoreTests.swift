// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import Foundation
import PenstockHost
import PenstockModel
import Synchronization
import Testing

/// A connector that renews its credential, as far as the host sees it.
private final class Renewing: Connector {
    /// The settings of every opening.
    let openings = Mutex<[JSON]>([])
    /// The services of the last one.
    let services = Mutex<(any HostServices)?>(nil)

    let descriptor = ConnectorDescriptor(
        id: "renewing", title: "Renewing", version: "1.0.0", summary: "Renews.",
        capabilities: [.source, .rotatesCredential],
        settings: [
            ConfigField("id", .string, "An id."), ConfigField("refresh", .secret, "What renews."),
            ConfigField("access", .secret, "What is renewed."),
        ])

    func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        openings.withLock { $0.append(settings) }
        services.withLock { $0 = host }
        throw ConnectorError(.unsupported, "Opened.")
    }

    func openDestination(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Destination {
        throw ConnectorError(.unsupported, "No.")
    }
}

/// A folder that goes with its test.
private final class Place {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-cred-\(UUID().uuidString)").path

    deinit {
        // A folder that stays behind does no harm.
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// How many are inside something at once.
private final class Crowd: Sendable {
    private let counts = Mutex((now: 0, most: 0))
    var most: Int { counts.withLock { $0.most } }

    func enter() {
        counts.withLock { counts in
            counts.now += 1
            counts.most = max(counts.most, counts.now)
        }
    }

    func leave() { counts.withLock { $0.now -= 1 } }
}

@Suite struct CredentialStoreTests {
    private let place = Place()
    private var folder: String { place.path }
    private let connector = Renewing()
    private let redactor = Redactor([])

    private func store(_ connection: String = "crm", environment: [String: String] = [:]) -> CredentialStore {
        let keyring = CredentialKeyring(environment: ["HOME": folder + "/home"].merging(environment) { $1 })
        return CredentialStore(connection: connection, folder: folder + "/credentials", keyring: keyring)
    }

    /// Opens the connector with a configured refresh token, and returns its services and settings.
    private func open(
        _ refresh: String, _ store: CredentialStore? = nil
    ) throws -> (host: any HostServices, settings: JSON) {
        let wrapped = CredentialedConnector.wrapping(connector, store ?? self.store(), redactor: redactor)
        let settings: JSONObject = ["id": .string("i"), "refresh": .string(refresh), "access": .string("given-access")]
        do throws(ConnectorError) {
            _ = try wrapped.openSource(.object(settings), host: TestHost())
        } catch {
            guard error.code == .unsupported else { throw error }
        }
        let host = try #require(connector.services.withLock { $0 })
        return (host, try #require(connector.openings.withLock { $0.last }))
    }

    private func credential(_ number: Int) -> JSON {
        let object: JSONObject = [
            "access": .string("access-token-\(number)"), "refresh": .string("refresh-token-\(number)"),
            "until": .integer(number),
        ]
        return .object(object)
    }

    private var path: String { folder + "/credentials/crm.cred" }

    @Test func whatIsStoredComesBackOverTheSettingsItWasRenewedFrom() throws {
        let (host, before) = try open("first")
        #expect(before["refresh"]?.stringValue == "first")
        #expect(try host.saveCredential(credential(1), expecting: 0) == .saved(revision: 1))
        #expect(try host.saveCredential(credential(2), expecting: 1) == .saved(revision: 2))
        let after = try open("first").settings
        #expect(after["refresh"]?.stringValue == "refresh-token-2")
        #expect(after["access"]?.stringValue == "access-token-2")
        #expect(after["until"]?.intValue == 2)
        #expect(after["id"]?.stringValue == "i")
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(file.firstRange(of: Data("token".utf8)) == nil)
        #expect(redactor.redacted("x refresh-token-2 access-token-1 y") == "x •••• •••• y")
    }

    @Test func aNewTokenInTheFileWinsAndTheOldOneIsKept() throws {
        _ = try open("first").host.saveCredential(credential(1), expecting: 0)
        let (host, settings) = try open("second")
        #expect(settings["refresh"]?.stringValue == "second")
        #expect(settings["access"]?.stringValue == "given-access")
        #expect(try host.saveCredential(credential(7), expecting: 0) == .saved(revision: 1))
        #expect(try open("first").settings["refresh"]?.stringValue == "refresh-token-1")
        #expect(try open("second").settings["refresh"]?.stringValue == "refresh-token-7")
    }

    @Test func whoComesLateGetsTheOthersCredential() throws {
        let one = try open("first").host
        let two = try open("first").host
        #expect(try one.saveCredential(credential(1), expecting: 0) == .saved(revision: 1))
        #expect(try two.saveCredential(credential(2), expecting: 0) == .superseded(by: credential(1), revision: 1))
        #expect(try two.lockCredential(since: 0) == StoredCredential(credential(1), revision: 1))
        two.unlockCredential()
        #expect(try one.lockCredential(since: 1) == nil)
        one.unlockCredential()
        #expect(try open("first").host.lockCredential(since: 0) == nil, "it was opened with the newest")
    }

    @Test func oneAtATimeRenews() async throws {
        let hosts = try (0..<4).map { _ in try open("first").host }
        let crowd = Crowd()
        await withTaskGroup(of: Int.self) { group in
            for host in hosts {
                group.addTask { Self.renew(host, crowd, times: 5) }
            }
            #expect(await group.reduce(0, +) == 20)
        }
        #expect(crowd.most == 1)
    }

    /// Takes the lock so often; returns how often it was given.
    private static func renew(_ host: any HostServices, _ crowd: Crowd, times: Int) -> Int {
        var count = 0
        for _ in 0..<times {
            do throws(ConnectorError) { _ = try host.lockCredential(since: .max) } catch { continue }
            count += 1
            crowd.enter()
            usleep(500)
            crowd.leave()
            host.unlockCredential()
        }
        return count
    }

    @Test func everyByteOfTheFileCounts() throws {
        _ = try open("first").host.saveCredential(credential(1), expecting: 0)
        let good = try Data(contentsOf: URL(fileURLWithPath: path))
        for place in good.indices {
            var bad = good
            bad[place] ^= 0x20
            try bad.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: ConnectorError.self) { try self.open("first") }
            #expect(error?.code == .unauthorized, "byte \(place)")
            #expect(error?.message.contains("connection crm") == true)
        }
        for count in [0, 4, 12, 13, 40, good.count - 1] {
            try good.prefix(count).write(to: URL(fileURLWithPath: path))
            #expect(throws: ConnectorError.self) { try self.open("first") }
        }
        try good.write(to: URL(fileURLWithPath: path))
        #expect(try open("first").settings["until"]?.intValue == 1)
    }

    @Test func theFileOfAnotherConnectionIsRefused() throws {
        _ = try open("first").host.saveCredential(credential(1), expecting: 0)
        try FileManager.default.moveItem(atPath: path, toPath: folder + "/credentials/other.cred")
        #expect(throws: ConnectorError.self) { try self.open("first", self.store("other")) }
    }

    @Test func namesOfConnectionsStayInsideTheFolder() throws {
        _ = try open("first", store("../Ä/x")).host.saveCredential(credential(1), expecting: 0)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/credentials").sorted()
        #expect(files == ["%2e%2e%2f%c3%84%2fx.cred", "%2e%2e%2f%c3%84%2fx.lock"])
    }

    @Test func aKeyThatIsHandedOutComesFirstAndAnOldFileStillOpens() throws {
        _ = try open("first").host.saveCredential(credential(1), expecting: 0)
        let handed = folder + "/handed"
        try FileManager.default.createDirectory(atPath: handed, withIntermediateDirectories: true)
        try Data(repeating: 9, count: 32).write(to: URL(fileURLWithPath: handed + "/penstock.key"))
        chmod(handed + "/penstock.key", 0o600)
        let both = store(environment: ["CREDENTIALS_DIRECTORY": handed])
        let (host, settings) = try open("first", both)
        #expect(settings["until"]?.intValue == 1)
        _ = try host.saveCredential(credential(2), expecting: 1)
        #expect(try open("first", both).settings["until"]?.intValue == 2)
        let error = #expect(throws: ConnectorError.self) { try self.open("first") }
        #expect(error?.message.contains("was sealed with the key") == true, "the new key is not there")
    }

    @Test(arguments: [(31, 0o600), (33, 0o600), (32, 0o640)])
    func aKeyThatIsNoneIsSaid(size: Int, mode: Int) throws {
        let key = folder + "/home/.config/penstock/key"
        try FileManager.default.createDirectory(
            atPath: folder + "/home/.config/penstock", withIntermediateDirectories: true)
        try Data(repeating: 1, count: size).write(to: URL(fileURLWithPath: key))
        chmod(key, mode_t(mode))
        let host = try open("first").host
        #expect(throws: ConnectorError.self) { try host.saveCredential(self.credential(1), expecting: 0) }
    }

    @Test func keysMadeAtTheSameTimeAreOne() async throws {
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                let store = self.store("c\(number)")
                group.addTask { Self.save("next-\(number)", store) }
            }
            for await isSaved in group { #expect(isSaved) }
        }
        for number in 0..<8 {
            #expect(try open("first", store("c\(number)")).settings["refresh"]?.stringValue == "next-\(number)")
        }
    }

    /// Stores a refresh token that was renewed from `first`.
    private static func save(_ token: String, _ store: CredentialStore) -> Bool {
        let connector = Renewing()
        let wrapped = CredentialedConnector.wrapping(connector, store, redactor: Redactor([]))
        let settings: JSONObject = ["refresh": .string("first")]
        // It throws on purpose; what counts are the services that it was given.
        _ = try? wrapped.openSource(.object(settings), host: TestHost())
        let saved: JSONObject = ["refresh": .string(token)]
        guard let host = connector.services.withLock({ $0 }) else { return false }
        do throws(ConnectorError) {
            return try host.saveCredential(.object(saved), expecting: 0) == .saved(revision: 1)
        } catch {
            return false
        }
    }

    @Test func aConnectorThatRenewsNothingIsLeftAlone() {
        let plain = InMemoryConnector(RecordBatch(Schema([])))
        let wrapped = CredentialedConnector.wrapping(plain, store(), redactor: redactor)
        #expect(!(wrapped is CredentialedConnector))
    }
}
