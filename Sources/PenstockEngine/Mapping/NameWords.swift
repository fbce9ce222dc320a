// SPDX-License-Identifier: Apache-2.0

/// A name taken apart into words, so that `companyName`, `company_name` and `Company name` are one.
struct NameWords: Sendable, Hashable {
    /// The words in small letters, without accents, in order.
    let words: [String]

    /// The words of a column's name or of a field's label.
    init(_ name: String) {
        var words: [String] = []
        var word = ""
        var before: Character?
        for character in name {
            let isWordCharacter = character.isLetter || character.isNumber
            let isHump = character.isUppercase && before.map { $0.isLowercase || $0.isNumber } ?? false
            if !isWordCharacter || isHump, !word.isEmpty {
                words.append(word)
                word = ""
            }
            if isWordCharacter { word += Self.folded(character) }
            before = character
        }
        self.words = word.isEmpty ? words : words + [word]
    }

    /// The words written as one.
    var joined: String { words.joined() }

    /// The words by what they mean: of several words for one thing the same one, in the singular.
    var meanings: [String] { words.map(Self.meaning) }

    /// What a word means.
    static func meaning(_ word: String) -> String {
        groupOf[word] ?? groupOf[singular(word)] ?? singular(word)
    }

    private static func singular(_ word: String) -> String {
        guard word.count > 3, word.hasSuffix("s"), !word.hasSuffix("ss"), !word.hasSuffix("us"), !word.hasSuffix("is")
        else { return word }
        return word.hasSuffix("ies") ? word.dropLast(3) + "y" : String(word.dropLast())
    }

    /// The letters of a character without accents, in small letters.
    private static func folded(_ character: Character) -> String {
        let simple = character.lowercased()
        if let plain = unaccented[simple] { return plain }
        return simple
    }

    private static let unaccented: [String: String] = {
        let rows = [
            "a": "àáâãåāăą", "ae": "äæ", "c": "çćč", "d": "ďđ", "e": "èéêëēėęě", "g": "ğ", "i": "ìíîïīı", "l": "ł",
            "n": "ñńň", "o": "òóôõōő", "oe": "öøœ", "r": "ř", "s": "śşš", "ss": "ß", "t": "ťţ", "u": "ùúûūůű",
            "ue": "ü", "y": "ýÿ", "z": "źżž",
        ]
        var table: [String: String] = [:]
        for (plain, accented) in rows { for letter in accented { table[String(letter)] = plain } }
        return table
    }()

    /// Words for one thing; the first stands for all.
    private static let groups: [[String]] = [
        ["organization", "organisation", "org", "company", "account", "firm", "business", "customer", "client"],
        ["person", "people", "contact", "individual"],
        ["deal", "opportunity", "opp"],
        ["owner", "user", "assignee", "rep", "salesperson", "agent"],
        ["email", "mail", "emailaddress"],
        ["phone", "tel", "telephone", "mobile", "cell", "cellphone", "fon"],
        ["address", "addr", "street", "location"],
        ["website", "url", "homepage", "web", "site", "domain", "link"],
        ["value", "amount", "price", "sum", "total"],
        ["currency", "ccy", "cur"],
        ["label", "tag"],
        ["id", "identifier", "ident", "nr", "no", "number", "num"],
        ["created", "inserted", "added", "add", "creation"],
        ["updated", "modified", "changed", "update", "change", "modification"],
        ["time", "at", "on", "date", "timestamp", "datetime", "ts"],
        ["close", "closed", "closing", "closes"],
        ["count", "cnt", "qty", "quantity"],
        ["employee", "staff", "headcount"],
        ["postcode", "zip", "postal", "zipcode", "plz"],
        ["note", "comment", "remark", "description", "descr", "desc"],
    ]

    private static let groupOf: [String: String] = {
        var table: [String: String] = [:]
        for group in groups { for word in group { table[word] = group[0] } }
        return table
    }()
}
