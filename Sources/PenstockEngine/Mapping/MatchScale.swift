// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Weighs what speaks for and against one column for one field.
struct MatchScale {
    let field: DestinationField
    let column: AutoMap.Column
    let subject: AutoMap.Subject

    /// How well the names go together.
    private struct NameFit {
        var score: Int
        var reason: String
        var isExact = false
    }

    /// What the rows say.
    private struct ValueFit {
        var score = 0
        var reason = ""
        var split: String?
        /// Whether the values alone are reason enough.
        var speaksAlone = false
        /// Whether the values refuse the field.
        var refuses = false
    }

    /// The match, or nil where too little speaks for it or something against it.
    func match(field place: Int, column columnPlace: Int) -> FieldMatch? {
        guard isWritable, field.kind.sourceTypes.contains(column.type), field.kind != .json else { return nil }
        let values = valueFit()
        guard !values.refuses else { return nil }
        guard let name = nameFit() ?? (values.speaksAlone ? NameFit(score: 25, reason: "") : nil) else { return nil }
        var score = name.score + values.score
        if field.kind == .text, column.type != .text, !name.isExact { score -= 10 }
        guard score >= FieldMatch.least else { return nil }
        let reason = [name.reason, values.reason].filter { !$0.isEmpty }.joined(separator: ", ")
        return FieldMatch(
            field: place, column: columnPlace, score: score, isExact: name.isExact, reason: reason,
            split: values.split)
    }

    private var isWritable: Bool {
        field.kind == .id || ((field.isWritableOnCreate || field.isWritableOnUpdate) && !field.locksRecord)
    }

    // MARK: - Names

    private func nameFit() -> NameFit? {
        if field.kind == .id { return idFit() }
        let column = NameWords(self.column.name)
        guard !column.words.isEmpty else { return nil }
        let fits = [NameWords(field.key), NameWords(field.label)].compactMap { fit(column, $0) }
        guard let best = fits.max(by: { $0.score < $1.score }) else {
            let isNamedAfterIt = column.meanings == NameWords(subject.object).meanings
            guard isNamedAfterIt, field.isRequiredOnCreate, field.kind == .text else { return nil }
            return NameFit(score: 60, reason: "named after the object")
        }
        guard !isOwnTime else {
            return NameFit(score: min(best.score, 40), reason: "the destination keeps such a time itself")
        }
        return best
    }

    /// Times at which a record was made or changed, which a destination keeps itself.
    private var isOwnTime: Bool {
        guard field.kind == .instant || field.kind == .date, !field.isCustom else { return false }
        let words = NameWords(field.key).meanings
        return words.contains("created") || words.contains("updated")
    }

    private func fit(_ column: NameWords, _ field: NameWords) -> NameFit? {
        guard !field.words.isEmpty else { return nil }
        if column.joined == field.joined { return NameFit(score: 100, reason: "same name", isExact: true) }
        let (own, wanted) = (significant(column), significant(field))
        guard !own.isEmpty, !wanted.isEmpty else { return nil }
        if own == wanted { return NameFit(score: 80, reason: "similar name") }
        if Set(own) == Set(wanted) { return NameFit(score: 70, reason: "same words") }
        let (ownSet, wantedSet) = (Set(own), Set(wanted))
        // A lone word such as `id` is part of too many names to say anything.
        if wantedSet.isSubset(of: ownSet), wantedSet != ["id"] {
            return NameFit(score: max(60 - 8 * (own.count - wanted.count - 1), 35), reason: "name holds the field's")
        }
        if ownSet.isSubset(of: wantedSet), ownSet.subtracting(["id", "time"]).isEmpty == false {
            return NameFit(score: max(55 - 8 * (wanted.count - own.count - 1), 35), reason: "part of the field's name")
        }
        if column.joined.count > 4, NearestName.of(column.joined, in: [field.joined]) != nil {
            return NameFit(score: 50, reason: "nearly the same name")
        }
        return nil
    }

    /// The meanings of a name without the words for the object itself; all of them where nothing else is left.
    private func significant(_ name: NameWords) -> [String] {
        let rest = name.meanings.filter { !noise.contains($0) }
        return rest.isEmpty || rest == ["id"] ? name.meanings : rest
    }

    private var noise: Set<String> {
        Set(([subject.object] + subject.system).flatMap { NameWords($0).meanings } + ["crm"])
    }

    /// The id of a record: a column that only says `id` is the source's own key rather than the destination's.
    private func idFit() -> NameFit? {
        let words = NameWords(column.name).meanings
        guard words.contains("id") else { return nil }
        let system = Set(subject.system.flatMap { NameWords($0).meanings } + ["crm"])
        if words.contains(where: system.contains) {
            return NameFit(score: 100, reason: "names the destination's id", isExact: true)
        }
        let object = Set(NameWords(subject.object).meanings)
        if column.isKey || words == ["id"] {
            return NameFit(score: 35, reason: "may be the source's own key, and not the destination's id")
        }
        guard words.contains(where: object.contains) else { return nil }
        return NameFit(score: 45, reason: "may be the source's own id, and not the destination's")
    }

    // MARK: - Values

    private func valueFit() -> ValueFit {
        let values = column.samples.filter { !SampleForm.isBlank($0) }
        guard !values.isEmpty else { return ValueFit() }
        switch field.kind {
        case .option, .options: return optionFit(values)
        case .user: return userFit(values)
        case .contacts, .text, .texts: return textFit(values)
        default: break
        }
        let bad = values.count { !converts($0) }
        if bad == values.count { return ValueFit(refuses: true) }
        if bad > 0 {
            return ValueFit(score: -20, reason: "\(bad) of \(values.count) sample values do not convert")
        }
        return ValueFit(score: 5)
    }

    private func converts(_ value: Value, split: String? = nil) -> Bool {
        let entry = MapEntry(target: field.key, from: column.name, split: split)
        let converter = FieldConverter(entry, field, optionsKnown: !field.options.isEmpty)
        do {
            _ = try converter.convert(value)
            return true
        } catch {
            return false
        }
    }

    private func optionFit(_ values: [Value]) -> ValueFit {
        guard !field.options.isEmpty else { return ValueFit() }
        let distinct = SampleForm.distinct(values)
        let separator = field.kind == .options ? SampleForm.separator(distinct) : nil
        let known = distinct.count { converts($0, split: separator) }
        let unknown = distinct.count - known
        if known == 0 {
            // A field whose every sample is unknown can only have been meant by its name.
            return ValueFit(score: -40, reason: Self.unknown(unknown), split: separator)
        }
        let share = 100 * known / distinct.count
        return ValueFit(
            score: unknown == 0 ? 30 : share >= 50 ? 10 : 0,
            reason: unknown == 0 ? "its options" : Self.unknown(unknown),
            split: separator, speaksAlone: unknown == 0 && known >= 2 && column.type == .text)
    }

    private static func unknown(_ count: Int) -> String { "\(count) value\(count == 1 ? "" : "s") unknown" }

    private func userFit(_ values: [Value]) -> ValueFit {
        let distinct = SampleForm.distinct(values)
        if field.options.isEmpty {
            let good = distinct.count { SampleForm.isEmail($0) || SampleForm.isPositiveInteger($0) }
            return good == 0 ? ValueFit(refuses: true) : ValueFit(score: 5)
        }
        let known = distinct.count { converts($0) }
        let unknown = distinct.count - known
        if known == 0 {
            let canBe = distinct.contains { SampleForm.isEmail($0) || SampleForm.isPositiveInteger($0) }
            return canBe ? ValueFit(score: -30, reason: Self.unknown(unknown)) : ValueFit(refuses: true)
        }
        return ValueFit(
            score: unknown == 0 ? 25 : 5, reason: unknown == 0 ? "users of the account" : Self.unknown(unknown),
            speaksAlone: unknown == 0 && distinct.allSatisfy(SampleForm.isEmail))
    }

    private func textFit(_ values: [Value]) -> ValueFit {
        let split = field.kind.isList && column.type == .text ? SampleForm.separator(values) : nil
        let bad = values.count { !converts($0, split: split) }
        if bad == values.count { return ValueFit(refuses: true) }
        var fit = ValueFit(split: split)
        if bad > 0 {
            fit.score = -20
            fit.reason = "\(bad) of \(values.count) sample values do not convert"
        }
        weigh(split.map { SampleForm.elements(values, $0) } ?? values, &fit)
        return fit
    }

    /// Weighs what texts are against what the field's texts are.
    private func weigh(_ values: [Value], _ fit: inout ValueFit) {
        let mails = values.count(where: SampleForm.isEmail)
        switch field.content {
        case .email:
            fit.refuses = mails == 0
            fit.score += mails * 2 > values.count ? 30 : 0
            if mails == values.count {
                fit.reason = "e-mail addresses"
                fit.speaksAlone = true
            }
        case .phone:
            let phones = values.count(where: SampleForm.isPhone)
            fit.refuses = phones == 0
            fit.score += phones * 2 > values.count ? 30 : 0
            if phones == values.count, values.contains(where: SampleForm.isWrittenAsPhone) {
                fit.reason = "phone numbers"
                fit.speaksAlone = true
            }
        case .url:
            let addresses = values.count(where: SampleForm.isWebAddress)
            fit.refuses = addresses == 0
            fit.score += addresses * 2 > values.count ? 20 : 0
            if addresses == values.count { fit.reason = "web addresses" }
        case .plain:
            // A name is seldom an e-mail address.
            if mails == values.count { fit.score -= 25 }
        }
    }
}
