// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockABI
import PenstockModel

/// Whether secrets stay where they belong.
enum SecretChecks {
    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "secrets.refused", "no error, report or log line holds a secret that is refused", "Errors",
            needs: ["descriptor.settings", "descriptor.capabilities"], isBroad: true, by: refused),
        ConformanceCheck(
            "secrets.used", "no error, report or log line holds a secret that works", "The host's services", [],
            .settings,
            needs: ["settings.open"], isBroad: true, by: used),
    ]

    /// Calls everything that sends or says something; only what is said matters.
    private static func talk(_ context: CheckContext, _ settings: JSON) throws {
        let connector = try context.connector()
        func silently(_ body: () throws -> Void) {
            // Whatever goes wrong has left its texts in the transcript.
            try? body()
        }
        let unknown = ReadRequest(.object("penstock_check_no_such_object"))
        if connector.capabilities.contains(.source) {
            silently {
                let source = try connector.openSource(settings.text, context.host())
                defer { source.close() }
                silently { _ = try source.check() }
                silently { _ = try source.discover() }
                silently { _ = try source.describe(unknown) }
                silently { try source.read(unknown).close() }
                if connector.capabilities.contains(.query) {
                    silently { _ = try source.describe(ReadRequest(.query("not a query ("))) }
                }
                silently {
                    for target in try context.targets(source) {
                        _ = try context.sample(source, ReadRequest(target, rowsMax: 10))
                        _ = try source.describe(ReadRequest(target, columns: ["penstock_check_no_such_column"]))
                    }
                }
            }
        }
        if connector.capabilities.contains(.destination) {
            silently {
                let destination = try connector.openDestination(settings.text, context.host())
                defer { destination.close() }
                silently { _ = try destination.check() }
                silently { _ = try destination.limits() }
                silently { _ = try destination.fields("penstock_check_no_such_object") }
                let object = try FieldChecks.object(context)
                silently { _ = try destination.fields(object.id) }
                silently {
                    let request = ReadBackRequest(
                        object: object.id, selection: .ids(["0"]), fields: ["penstock_check_no"])
                    let read = try destination.readBack(request)
                    defer { read.close() }
                    while try read.next() != nil {}
                }
            }
        }
    }

    /// The forms in which a secret may come back: as it is, as in an address, in base64.
    private static func forms(_ secret: String) -> [String] {
        let encoded = secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? secret
        return [secret, encoded, Data(secret.utf8).base64EncodedString()]
    }

    private static func search(_ context: CheckContext, _ secrets: [String]) {
        for secret in secrets.flatMap(forms) where secret.count >= 4 {
            for text in context.transcript.all where text.contains(secret) {
                let shown = text.replacingOccurrences(of: secret, with: "••••")
                context.find("a secret stands in what it said: \(shown.prefix(200))")
            }
        }
    }

    private static func refused(_ context: CheckContext) throws {
        let fields = try context.fields()
        let secrets = fields.filter(\.isSecret)
        guard !secrets.isEmpty else { throw CheckSkip("no setting is a secret") }
        var settings =
            context.order.settings?.objectValue ?? SettingsMaker.settings(fields, secret: context.order.canary)
        // Of settings that were given, those that are not there may exclude those that are.
        for field in secrets where context.order.settings == nil || settings[field.name] != nil {
            settings[field.name] = .string(context.order.canary)
        }
        // Made-up settings name servers of other people, which nobody asked to be called.
        if context.order.settings == nil {
            _ = try context.openings(.object(settings))
        } else {
            try talk(context, .object(settings))
        }
        for field in fields where !field.isSecret {
            var wrong = settings
            wrong[field.name] = SettingsMaker.wrongValue(field)
            _ = try context.openings(.object(wrong))
        }
        search(context, [context.order.canary])
    }

    private static func used(_ context: CheckContext) throws {
        guard !context.order.secrets.isEmpty else { throw CheckSkip("the settings hold no secret") }
        try talk(context, try context.settings())
        search(context, context.order.secrets)
    }
}
