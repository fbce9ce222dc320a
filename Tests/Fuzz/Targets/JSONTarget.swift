// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension FuzzTarget {
    /// The JSON parser: it accepts what the reference accepts, and what it reads it can write and read again.
    static let json = FuzzTarget(
        "json",
        pieces: [
            "{", "}", "[", "]", ":", ",", "\"", "\"a\":", "true", "false", "null", "0", "-0", "1e5", "1.5E-3", "01",
            "\\u0041", "\\uD83D\\uDE00", "\\uD800", "\\n", "\u{FEFF}", "\u{0}", "é", "e\u{301}",
        ]
    ) { bytes, isPlanted in
        let isJSON = ReferenceJSON.accepts(bytes)
        do {
            let value = try JSON(parsing: bytes)
            guard isJSON else { return "accepted although it is not JSON" }
            if try JSON(parsing: value.utf8) != value { return "the text of the value is another value" }
            if try JSON(parsing: value.prettyText) != value { return "the pretty text of the value is another value" }
            // The planted fault: a number with an exponent and nothing else.
            if isPlanted, value.numberText?.contains("e") == true { return "planted" }
        } catch {
            if isJSON { return "refused although it is JSON: \(error)" }
            guard let error = error as? JSONError else { return "another error" }
            if !(0...bytes.count).contains(error.offset) { return "the place of the error does not exist" }
        }
        return nil
    }
}
