// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import MySQLConnector
import Testing

@Suite struct MySQLSettingsTests {
    private func refusal(_ settings: JSONObject) -> ConnectorError? {
        do {
            _ = try MySQLConnector().openSource(.object(settings), host: TestHost())
            return nil
        } catch {
            return error
        }
    }

    @Test(
        arguments: [
            (["url": "mysql://h/d", "host": "h"], "host"), (["url": "mysql://h/d", "database": "d"], "database"),
            (["url": "mysql://h/d", "tls": "required"], "tls"),
            (["url": "mysql://u:p@h/d", "password": "p"], "password"),
            (["url": "postgres://h/d"], "url"), (["url": "mysql://h:0/d"], "url"),
            (["url": "mysql://h:99999/d"], "url"),
            (["url": "mysql://h/a/b"], "url"), (["url": "mysql://u:%zz@h/d"], "url"),
            (["url": "mysql://u:p#@h/d"], "url"),
            (["url": "mysql://h/d?ssl-mode=perhaps"], "url"), (["url": "mysql://h/d?charset=latin1"], "url"),
            (["host": "h", "socket": "/s"], "host"), (["host": ""], "host"), (["user": "a\0b"], "user"),
            (["tls": "verify-ca", "host": "h"], "tls"), (["ca": "/ca.pem", "tls": "required", "host": "h"], "ca"),
            (["cert": "/c.pem", "host": "h"], "cert"), (["key": "/k.pem", "host": "h"], "key"),
            (["socket": "/s", "tls": "verify-full"], "tls"), (["socket": "/s", "ca": "/ca.pem"], "tls"),
        ] as [([String: String], String)])
    func settingsThatContradictEachOtherAreRefusedByField(settings: [String: String], field: String) {
        var object = JSONObject()
        for name in settings.keys.sorted() { object[name] = settings[name].map { .string($0) } }
        let error = refusal(object)
        #expect(error?.code == .badConfig)
        #expect(error?.field == field)
        #expect(error?.message.contains(field) == true)
    }

    @Test func anErrorAboutAURLDoesNotRepeatIt() {
        let error = refusal(["url": .string("mysql://u:canary-4711@h:port/d")])
        #expect(error?.code == .badConfig)
        #expect(error.map { !"\($0)".contains("canary-4711") } == true)
    }

    @Test(arguments: [
        "mysql://h", "mysql://u@h:3307/d", "mariadb://u:p%40ss%2F@[::1]:3306/my%20db?tls=required&connect=1",
        "mysql://h/d?ssl-mode=VERIFY_IDENTITY&ssl-ca=%2Fca.pem", "MYSQL://u:a:b@h/",
    ])
    func aURLOfAnyFormIsRead(url: String) {
        let error = refusal(["url": .string(url)])
        if url.contains("connect=") {
            #expect(error?.message.contains("connect") == true)
        } else {
            #expect(error == nil)
        }
    }

    @Test func itIsASourceOnly() throws {
        let descriptor = MySQLConnector().descriptor
        #expect(descriptor.id == "mysql")
        #expect(descriptor.capabilities == [.source, .query, .lowerBound, .order])
        #expect(descriptor.settings.filter(\.isSecret).map(\.name) == ["password"])
        #expect(throws: ConnectorError.self) {
            try MySQLConnector().openDestination(.object(JSONObject()), host: TestHost())
        }
    }
}
