// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A field's options, found by label, id or alias.
struct OptionIndex: Sendable {
    private let options: [FieldOption]
    private let byID: [String: Int]
    private let byLabel: [String: [Int]]
    private let byFoldedLabel: [String: [Int]]
    private let byFoldedAlias: [String: [Int]]
    /// Whether an id that is not listed is known to be wrong.
    private let isComplete: Bool
    /// The names of the groups that options go with, by id.
    private let groups: [String: String]

    /// How many options a message names.
    private static let shownMax = 10

    init(_ options: [FieldOption], isComplete: Bool, groups: [FieldOption] = []) {
        self.options = options
        self.isComplete = isComplete
        self.groups = Dictionary(groups.map { ($0.id, $0.label) }, uniquingKeysWith: { first, _ in first })
        let places = options.indices
        byID = Dictionary(places.map { (options[$0].id, $0) }, uniquingKeysWith: { first, _ in first })
        byLabel = Dictionary(grouping: places.filter { options[$0].isActive }) { options[$0].label }
        byFoldedLabel = Dictionary(grouping: places.filter { options[$0].isActive }) { Self.folded(options[$0].label) }
        var aliases: [String: [Int]] = [:]
        for place in places {
            for alias in options[place].aliases { aliases[Self.folded(alias), default: []].append(place) }
        }
        byFoldedAlias = aliases
    }

    private static func folded(_ text: String) -> String { String(text.trimmed).lowercased() }

    /// The label of an option, or nil for an id that is not listed.
    func label(ofID id: String) -> String? { byID[id].map { options[$0].label } }

    /// The id of the option that `text` names.
    ///
    /// - Parameter group: The group that the row's option must go with, or nil for any.
    func optionID(
        _ text: String, style: MapEntry.OptionStyle?, group: String? = nil
    ) throws(CellFault) -> String {
        if text.isBlank {
            throw CellFault(.emptyValue, "The text is empty, and no option is; map NULL to leave it out.")
        }
        if style != .id, let place = try label(text, group) { return options[place].id }
        let id = String(text.trimmed)
        if style != .label, let place = byID[id], options[place].isActive {
            guard let group, options[place].group != group else { return id }
            throw CellFault(
                .optionUnknown,
                "The option belongs to \(name(of: options[place].group)), and the row says \(name(of: group)).",
                element: text)
        }
        if !isComplete, byID[id] == nil { return id }
        throw unknown(text, style: style, group: group)
    }

    private func name(of group: String) -> String {
        groups[group].map { "\"\($0)\"" } ?? "the one with the id \(group)"
    }

    private func label(_ text: String, _ group: String?) throws(CellFault) -> Int? {
        func inGroup(_ places: [Int]?) -> [Int]? {
            let found = (places ?? []).filter { place in group.map { options[place].group == $0 } ?? true }
            return found.isEmpty ? nil : found
        }
        let places = inGroup(byLabel[text]) ?? inGroup(byFoldedLabel[Self.folded(text)]) ?? []
        guard places.count > 1 else { return places.first }
        let isGrouped = group == nil && !options[places[0]].group.isEmpty
        let ids = places.map { place in
            options[place].id + (isGrouped ? " in \(name(of: options[place].group))" : "")
        }.joined(separator: ", ")
        let cure =
            isGrouped ? "map what they belong to as well, or name the option by its id" : "name the option by its id"
        throw CellFault(
            .optionAmbiguous, "Several options are called so, with the ids \(ids); \(cure).", element: text)
    }

    private func unknown(_ text: String, style: MapEntry.OptionStyle?, group: String?) -> CellFault {
        if let place = byID[String(text.trimmed)], !options[place].isActive {
            return CellFault(.optionUnknown, "This option is no longer active; choose another one.", element: text)
        }
        let choices = options.filter { option in option.isActive && (group.map { option.group == $0 } ?? true) }
        let names = choices.map { style == .id ? $0.id : $0.label }
        guard !names.isEmpty else {
            return CellFault(.optionUnknown, "The field has no options; add one at the destination.", element: text)
        }
        let shown = names.prefix(Self.shownMax).joined(separator: ", ")
        let rest = names.count > Self.shownMax ? " and \(names.count - Self.shownMax) more" : ""
        var hint = NearestName.of(text, in: names).map { " Did you mean \"\($0)\"?" } ?? ""
        if hint.isEmpty, group != nil, let elsewhere = byFoldedLabel[Self.folded(text)]?.first {
            hint = " One in \(name(of: options[elsewhere].group)) is called so."
        }
        if hint.isEmpty, text.contains(where: { ",;|".contains($0) }) {
            hint = " Where the text is a list, say how to split it."
        }
        let holder = group.map(name(of:)) ?? "it"
        return CellFault(
            .optionUnknown, "The field has no such option; \(holder) has \(shown)\(rest).\(hint)", element: text)
    }

    /// The id of the active user that `text` names by id or, unless `style` is `id`, by e-mail address.
    func userID(_ text: String, style: MapEntry.OptionStyle?) throws(CellFault) -> String {
        let name = String(text.trimmed)
        if name.isEmpty { throw CellFault(.emptyValue, "The text is empty, and no user is; map NULL to leave it out.") }
        if let number = DecimalText(name) {
            let id = number.canonicalText
            guard let place = byID[id] else {
                if !isComplete, number.isPositive, !id.contains(".") { return id }
                throw CellFault(.ownerInvalid, "No user of the account has this id; use the id of an active user.")
            }
            guard options[place].isActive else {
                throw CellFault(.ownerInvalid, "The user with this id is not active; use an active user.")
            }
            return id
        }
        guard style != .id else { throw CellFault(.ownerInvalid, "This is not the id of a user; write one.") }
        let places = byFoldedAlias[Self.folded(name)] ?? []
        let active = places.filter { options[$0].isActive }
        if active.count == 1 { return options[active[0]].id }
        if active.count > 1 {
            let ids = active.map { options[$0].id }.joined(separator: ", ")
            throw CellFault(
                .ownerAmbiguous, "Several active users have this e-mail address, with the ids \(ids); use an id.")
        }
        throw CellFault(
            .ownerInvalid,
            places.isEmpty
                ? "No user of the account has this e-mail address; use an id or the e-mail address of an active user."
                : "The user with this e-mail address is not active; use an active user.")
    }
}
