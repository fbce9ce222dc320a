// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

extension FuzzTarget {
    /// The JSON documents of the boundary: refused with a reason, or read, whatever they say.
    static let document = FuzzTarget(
        "document",
        pieces: [
            "{\"v\":1", "\"fields\":[", "\"objects\":[", "\"limits\":[", "\"properties\":{", "\"type\":", "\"string\"",
            "\"integer\"", "\"enum\":[", "\"minimum\":", "\"maximum\":", "9223372036854775807", "-1", "1e3", "null",
            "}", "]", ",", "true", "\"required\":[",
        ]
    ) { bytes, isPlanted in
        var input = FuzzInput(bytes)
        let kind = input.choice(6)
        do {
            let document = try Document.parse(input.rest)
            switch kind {
            case 0:
                let catalog = try Catalog(document: document)
                // The planted fault: a catalog of nothing.
                if isPlanted, catalog.objects.isEmpty { return "planted" }
            case 1: _ = try CheckReport(document: document)
            case 2:
                for field in try ConfigSchema.fields(document: document) where field.name.isEmpty {
                    return "a setting has no name"
                }
            case 3: _ = try DestinationField.list(document: document)
            case 4: _ = try RateLimit.list(document: document)
            default: _ = try ObjectDescriptor.list(document: document)
            }
        } catch let error as DocumentError {
            return error.reason.isEmpty ? "refused without a reason" : nil
        } catch {
            return "another error: \(error)"
        }
        return nil
    }
}
