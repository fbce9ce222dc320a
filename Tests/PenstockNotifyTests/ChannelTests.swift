// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockNotify
import PenstockProject
import Testing

/// Messages arrive whole, signed, and say nothing secret where they do not.
@Suite struct ChannelTests {
    private let sender = ChannelSender(
        root: "/", environment: ["PATH": "/usr/bin:/bin", "SECRET": "canary"], version: "0.1.0")
    private let message = AlertMessage.test("ops", project: "p – ü", id: "01TEST", now: 1_764_000_000_000)

    private func send(_ channel: AlertChannel, timeout: Int64 = 10_000) -> String? {
        sender.send(message, to: channel, timeoutMilliseconds: timeout)
    }

    @Test func aWebhookGetsTheDocumentSigned() throws {
        let server = try Receiver.http(["204 No Content"])
        #expect(send(.webhook(url: server.address + "/hook?a=b", secret: "s3cret", caFile: nil)) == nil)
        let request = try #require(server.heard.first)
        #expect(request.hasPrefix("POST /hook?a=b HTTP/1.1\r\n"))
        let body = try #require(request.components(separatedBy: "\r\n\r\n").last)
        #expect(try JSON(parsing: body) == message.json)
        let time = try #require(Receiver.header("Penstock-Timestamp", request))
        #expect(abs((Int64(time) ?? 0) - Int64(Date().timeIntervalSince1970)) < 600)
        #expect(
            Receiver.header("Penstock-Signature", request) == "v1=" + ChannelSender.signature("s3cret", time, body))
        #expect(Receiver.header("Penstock-Alert-Id", request) == "01TEST")
        #expect(!request.contains("s3cret"))
    }

    @Test func aSignatureIsTheOneOfTheStandard() {
        // Made with: printf '1.{}' | openssl dgst -sha256 -hmac key
        let known = "1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
        #expect(ChannelSender.signature("key", "1", "{}") == known)
    }

    @Test func whatMayPassIsTriedOnceMore() throws {
        let server = try Receiver.http(["503 Unavailable", "200 OK"])
        #expect(send(.webhook(url: server.address, secret: nil, caFile: nil)) == nil)
        #expect(server.heard.count == 2)
    }

    @Test func aRefusalIsSaidWithoutTheAddress() throws {
        let server = try Receiver.http(["403 Forbidden"])
        let problem = send(.webhook(url: server.address + "/canary-path", secret: "canary", caFile: nil))
        #expect(problem == "it answered with 403")
        #expect(server.heard.count == 1)
        let nobody = send(.webhook(url: "http://127.0.0.1:1/canary-path", secret: "canary", caFile: nil))
        #expect(nobody?.contains("connect") == true)
        #expect(nobody?.contains("canary") == false)
    }

    @Test func aMailArrives() throws {
        let server = try Receiver.smtp()
        let mail = MailServer(
            host: "127.0.0.1", port: server.port, security: .none, user: "robot", password: "s3cret",
            from: "penstock@example.com", to: ["a@example.com", "b@example.com"], caFile: nil)
        #expect(send(.smtp(mail)) == nil)
        let heard = server.heard.joined(separator: "\n")
        #expect(heard.contains("MAIL FROM:<penstock@example.com>"))
        #expect(heard.contains("RCPT TO:<a@example.com>") && heard.contains("RCPT TO:<b@example.com>"))
        #expect(heard.contains(Data("\0robot\0s3cret".utf8).base64EncodedString()))
        #expect(heard.contains("Subject: =?utf-8?B?"))
        let text = try #require(heard.components(separatedBy: "\n\n").last?.components(separatedBy: "\n.\n").first)
        let data = Data(base64Encoded: text.components(separatedBy: "\n").joined())
        let decoded = data.map { String(decoding: $0, as: UTF8.self) }
        #expect(decoded?.contains("this is a test of the alert ops") == true)
        #expect(decoded?.contains("p – ü") == true)
    }

    @Test func aMailServerWithoutEncryptionIsNotTrusted() throws {
        let server = try Receiver.smtp()
        let mail = MailServer(
            host: "127.0.0.1", port: server.port, security: .starttls, user: "robot", password: "canary",
            from: "a@example.com", to: ["b@example.com"], caFile: nil)
        let problem = try #require(send(.smtp(mail)))
        #expect(!problem.contains("canary"))
        #expect(!server.heard.joined().contains("MAIL FROM"))
    }

    @Test func aProgramGetsTheDocumentAndNoVariableOfOurs() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("alert-\(UUID().uuidString)").path
        // A file that stays behind does no harm.
        defer { try? FileManager.default.removeItem(atPath: file) }
        let script = "cat > '\(file)'; env >> '\(file)'; echo \"arg $1\" >> '\(file)'"
        #expect(send(.command(["sh", "-c", script, "sh", "two words"])) == nil)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.hasPrefix(message.json.text + "\n"))
        #expect(text.contains("PENSTOCK_ALERT_RULE=ops\n") && text.contains("PENSTOCK_ALERT_STATE=test\n"))
        #expect(text.contains("arg two words\n"))
        #expect(!text.contains("canary"))
    }

    @Test func aProgramReadsADocumentThatIsLongerThanAPipe() {
        var long = message
        long.run = String(repeating: "x", count: 100_000)
        let expected = long.json.text.utf8.count + 1
        let problem = sender.send(
            long, to: .command(["sh", "-c", "test $(wc -c) = \(expected)"]), timeoutMilliseconds: 60_000)
        #expect(problem == nil)
    }

    @Test func aProgramThatFailsOrHangsIsSaidSo() {
        #expect(send(.command(["sh", "-c", "exit 3"])) == "sh ended with 3")
        #expect(send(.command(["/nowhere/program"])) == "there is no program /nowhere/program")
        let hanging = send(.command(["sh", "-c", "sleep 600 & sleep 600"]), timeout: 200)
        #expect(hanging == "sh did not end within 200 ms and was killed")
        #expect(send(.command(["sh", "-c", "kill -9 $$"])) == "sh was ended by signal 9")
    }
}
