// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// What a connector says about itself.
enum DescriptorChecks {
    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "descriptor.names", "id, title, version and summary are as described", "The entry", needs: ["load.table"],
            by: names),
        ConformanceCheck(
            "descriptor.capabilities", "capabilities and tables go together, and no function is missing",
            "Capabilities",
            needs: ["load.table"], by: capabilities),
        ConformanceCheck(
            "descriptor.settings",
            "the settings keep to the subset of JSON Schema, and defaults and examples to the settings",
            "Settings", needs: ["load.table"], by: settings),
        ConformanceCheck(
            "descriptor.secrets", "settings that sound like secrets are marked as such", "Settings",
            needs: ["descriptor.settings"], by: secrets),
        ConformanceCheck(
            "descriptor.objects", "what can be written is described", "Objects", .destination, needs: ["load.table"],
            by: objects),
    ]

    private static func names(_ context: CheckContext) throws {
        for (name, value) in try context.connector().texts {
            guard let value else {
                context.find("its \(name) is NULL or not UTF-8")
                continue
            }
            if value.isEmpty { context.find("its \(name) is empty") }
            if value.unicodeScalars.contains(where: { $0.value < 0x20 }) {
                context.find("its \(name) has control characters")
            }
            switch name {
            case "id" where !isID(value): context.find("its id \"\(value)\" is not 1 to 32 of a-z, 0-9, _ and -")
            case "version" where !isVersion(value): context.find("its version \"\(value)\" is not major.minor.patch")
            case "summary" where !value.isEmpty && !value.hasSuffix("."):
                context.find("its summary is not a sentence that ends with a full stop")
            default: break
            }
        }
    }

    private static func isID(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789_-".unicodeScalars.contains($0) }
    }

    private static func isVersion(_ text: String) -> Bool {
        let core = text.split(whereSeparator: { $0 == "-" || $0 == "+" }).first ?? ""
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 3
            && parts.allSatisfy { part in UInt32(part) != nil && (part == "0" || !part.hasPrefix("0")) }
    }

    private static func capabilities(_ context: CheckContext) throws {
        let connector = try context.connector()
        let capabilities = connector.capabilities
        func both(_ capability: Capabilities, _ hasTable: Bool, _ name: String) {
            if capabilities.contains(capability), !hasTable { context.find("it says it is a \(name) but has no table") }
            if !capabilities.contains(capability), hasTable {
                context.find("it has the table of a \(name) but does not say so")
            }
        }
        both(.source, connector.source != nil, "source")
        both(.destination, connector.destination != nil, "destination")
        for name in connector.missingFunctions { context.find("\(name) is NULL") }
        if capabilities.isDisjoint(with: [.source, .destination]) {
            context.find("it is neither a source nor a destination")
        }
        for (capability, name) in [(Capabilities.query, "QUERY"), (.lowerBound, "LOWER_BOUND"), (.order, "ORDER")]
        where capabilities.contains(capability) && !capabilities.contains(.source) {
            context.find("\(name) makes no sense without SOURCE")
        }
        for (capability, name) in [(Capabilities.prepare, "PREPARE"), (.delete, "DELETE")]
        where capabilities.contains(capability) && !capabilities.contains(.destination) {
            context.find("\(name) makes no sense without DESTINATION")
        }
        let known = (UInt64(1) << 9) - 1
        let unknown = capabilities.rawValue & ~known
        if unknown != 0, connector.version.minor == 0 {
            context.find("it sets capability bits that version 1.0 does not have: 0x\(String(unknown, radix: 16))")
        }
    }

    private static func settings(_ context: CheckContext) throws {
        var names: Set<String> = []
        for field in try context.fields() {
            if !names.insert(field.name).inserted { context.find("the setting \(field.name) is there twice") }
            if !field.name.utf8.allSatisfy(isNameByte) { context.find("the setting \(field.name) is not snake case") }
            if field.summary.isEmpty { context.find("the setting \(field.name) has no description") }
            if field.isSecret, field.defaultValue != nil { context.find("the secret \(field.name) has a default") }
            if field.isRequired, field.defaultValue != nil {
                context.find("the setting \(field.name) is required and has a default")
            }
            if let value = field.defaultValue, let fault = SettingsMaker.fault(of: value, in: field) {
                context.find("the default of \(field.name) \(fault)")
            }
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }

    /// Words in the names of settings that hold something nobody else may see.
    private static let secretWords = [
        "password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "private_key",
    ]
    /// Endings of names that only say where such a thing is, or what kind it is.
    private static let harmlessEndings = [
        "_file", "_path", "_url", "_type", "_name", "_id", "_env", "_ttl", "_timeout",
    ]

    private static func secrets(_ context: CheckContext) throws {
        for field in try context.fields() where !field.isSecret {
            let name = field.name.lowercased()
            guard secretWords.contains(where: name.contains), !harmlessEndings.contains(where: name.hasSuffix) else {
                continue
            }
            guard case .string = field.kind else { continue }
            context.find("the setting \(field.name) sounds like a secret but lacks x-secret")
        }
    }

    private static func objects(_ context: CheckContext) throws {
        let objects = try context.objects()
        if objects.isEmpty { context.find("it is a destination without an object") }
        var ids: Set<String> = []
        for object in objects {
            if !ids.insert(object.id).inserted { context.find("the object \(object.id) is there twice") }
            if object.id.isEmpty || object.title.isEmpty { context.find("an object has no id or no title") }
            let costs = object.costs
            let all = [costs.create, costs.update, costs.delete, costs.readByIDs, costs.readOne, costs.readPage]
            if all.contains(where: { $0 < 0 }) || costs.readByIDsMax < 0 || costs.readPageMax < 0 {
                context.find("the object \(object.id) has a cost below 0")
            }
            if Set(object.requiredOnCreate).count != object.requiredOnCreate.count {
                context.find("the object \(object.id) requires a field twice")
            }
        }
    }
}
