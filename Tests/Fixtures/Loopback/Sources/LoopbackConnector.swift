// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A connector whose source has every type and whose destination keeps rows in memory.
package struct LoopbackConnector: Connector {
    /// A connector with an empty memory.
    package init() {}

    private let memory = LoopbackMemory()

    package var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: "loopback", title: "Loopback", version: "1.2.3", summary: "Gives back what it is told.",
            capabilities: [.source, .destination, .query, .lowerBound, .order, .prepare, .delete],
            settings: Self.settings, objects: Self.objects)
    }

    private static let settings: [ConfigField] = [
        ConfigField("path", .path, "Where it would read.", isRequired: true, example: "data/"),
        ConfigField("token", .secret, "A secret."),
        ConfigField("name", .string, "A text.", defaultValue: .string("n\u{e9}")),
        ConfigField("pages", .integer(1...500), "A number.", defaultValue: .integer(100), example: "50"),
        ConfigField("offset", .integer(.min ... .max), "Any number."),
        ConfigField("strict", .boolean, "A flag.", defaultValue: .bool(true), example: "false"),
        ConfigField("mode", .choice(["fast", "safe"]), "A choice.", defaultValue: .string("safe")),
        ConfigField("tags", .strings, "Some texts."),
        ConfigField("types", .map(["text", "date"]), "A type per column."),
        ConfigField("headers", .map([]), "Any text per name."),
    ]

    private static let objects: [ObjectDescriptor] = [
        ObjectDescriptor(
            id: "thing", title: "Thing", requiredOnCreate: ["name"],
            costs: RequestCosts(
                create: 5, update: 5, delete: 3, readByIDs: 10, readByIDsMax: 100, readPage: 10, readPageMax: 500))
    ]

    package func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        _ = try ConnectorSettings(settings, Self.settings).requiredText("path")
        return LoopbackSource(host)
    }

    package func openDestination(
        _ settings: JSON, host: any HostServices
    ) throws(ConnectorError) -> any Destination {
        _ = try ConnectorSettings(settings, Self.settings).requiredText("path")
        if settings["token"]?.stringValue == "wrong" {
            throw ConnectorError(.badConfig, "The token is wrong.", field: "token")
        }
        return LoopbackDestination(memory, host)
    }
}
