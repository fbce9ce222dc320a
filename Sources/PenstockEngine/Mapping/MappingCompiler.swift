// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Turns a field map into plans, and collects everything that is wrong with it.
struct MappingCompiler {
    private let map: [MapEntry]
    private let insert: InsertDefinition
    private let source: Schema
    private let fields: [DestinationField]
    private let lookup: FieldLookup
    private let optionsKnown: Bool
    private(set) var problems: [MappingProblem] = []
    /// One for every entry without a problem, `id` included.
    private(set) var plans: [FieldPlan] = []
    /// The places in ``plans`` and the fields of entries whose target was found, whether or not the rest holds.
    private var targets: [(entry: Int, key: String)] = []

    init(
        _ map: [MapEntry], _ insert: InsertDefinition, _ source: Schema, _ fields: [DestinationField],
        optionsKnown: Bool
    ) {
        self.map = map
        self.insert = insert
        self.source = source
        self.fields = fields.contains { $0.kind == .id } ? fields : [MappingCompiler.idField] + fields
        self.optionsKnown = optionsKnown
        lookup = FieldLookup(self.fields)
    }

    private static let idField = DestinationField(
        "id", .id, label: "ID", isWritableOnCreate: false, isWritableOnUpdate: false)

    private var createsRecords: Bool { insert.mode == .append || insert.onMissing == .create }

    mutating func compile() {
        for (index, entry) in map.enumerated() { compile(entry, index) }
        compileFinder()
        checkConditions()
        checkMatch()
        checkRequired()
    }

    private mutating func report(
        _ entry: Int?, _ part: MappingProblem.Part, _ code: MappingProblem.Code, _ message: String,
        suggestion: String? = nil, notes: [String] = []
    ) {
        problems.append(
            MappingProblem(
                entry: entry, part: part, code: code, message: message, suggestion: suggestion, notes: notes))
    }

    private mutating func reportAmbiguous(
        _ entry: Int?, _ part: MappingProblem.Part, _ label: String, _ places: [Int]
    ) {
        let codes = places.map { fields[$0].key }
        report(
            entry, part, .ambiguousLabel,
            "Several fields are called \"\(label)\": \(codes.joined(separator: ", ")); name the field by its code.",
            notes: codes)
    }

    /// - Parameter isFinderOnly: Whether the entry is none of the map: it only finds records.
    private mutating func compile(_ entry: MapEntry, _ index: Int, isFinderOnly: Bool = false) {
        guard let field = target(entry, index) else { return }
        if let earlier = targets.first(where: { $0.key == field.key }) {
            report(
                index, .target, .duplicateTarget,
                "The field \"\(entry.target)\" is filled by \"\(map[earlier.entry].target)\" already; keep one of them."
            )
            return
        }
        targets.append((index, field.key))
        checkWritable(field, entry, index)
        checkSettings(field, entry, index)
        let groups = field.optionsWithin.isEmpty ? nil : fields.first { $0.key == field.optionsWithin }
        let converter = FieldConverter(entry, field, optionsKnown: optionsKnown, groups: groups?.options ?? [])
        // With parts, a constant beside them is that of the main part.
        let whole = entry.parts.isEmpty
        let constant = whole ? constant(entry.value, converter, entry, index, .value) : nil
        let isPart = !whole && (entry.from != nil || entry.value != nil)
        let fallback = isPart ? nil : self.constant(entry.defaultText, converter, entry, index, .defaultValue)
        guard var origin = origin(entry, index, field, converter, constant) else { return }
        let isGrouped = groups.map { isMapped($0.key) } ?? false
        if isGrouped, let value = entry.value, whole { origin = .groupedConstant(.text(value)) }
        plans.append(
            FieldPlan(
                entry: index, name: entry.target, field: field, origin: origin, defaultValue: fallback,
                converter: converter, groupedDefault: isGrouped ? entry.defaultText.map { .text($0) } : nil,
                link: entry.link?.sync, isFinderOnly: isFinderOnly,
                editGuard: insert.mode == .update ? entry.editGuard ?? insert.editGuard : .overwrite))
    }

    /// Whether the map fills the field with this key.
    private func isMapped(_ key: String) -> Bool {
        map.contains { entry in
            guard case .found(let place) = lookup.find(entry.target) else { return false }
            return fields[place].key == key
        }
    }

    /// Compiles the column that is looked for where the map does not fill the match field.
    private mutating func compileFinder() {
        guard insert.mode == .update, let from = insert.matchRule.from, let field = matchField, field.kind != .id else {
            return
        }
        guard !targets.contains(where: { $0.key == field.key }) else {
            return report(
                nil, .match, .duplicateTarget,
                "The map fills \"\(insert.match)\" already; leave `from` out of match, or the field out of the map.")
        }
        let before = problems.count
        compile(MapEntry(target: insert.match, from: from), map.count, isFinderOnly: true)
        for place in before..<problems.count {
            problems[place].entry = nil
            problems[place].part = .match
        }
    }

    /// What a new record can have only together with another field needs that one mapped.
    private mutating func checkConditions() {
        guard insert.mode == .append else { return }
        for (entry, key) in targets {
            guard let field = fields.first(where: { $0.key == key }), let condition = field.condition,
                !condition.initial.isEmpty, !condition.values.contains(condition.initial),
                !targets.contains(where: { $0.key == condition.field })
            else { continue }
            report(
                entry, .target, .conditionNotMapped,
                "A new record may have \"\(map[entry].target)\" only where \(condition.field) is "
                    + "\(condition.values.joined(separator: " or ")); map \(condition.field) too.")
        }
    }

    // MARK: Target

    private mutating func target(_ entry: MapEntry, _ index: Int) -> DestinationField? {
        switch lookup.find(entry.target) {
        case .found(let place): return fields[place]
        case .ambiguous(let places):
            reportAmbiguous(index, .target, entry.target, places)
        case .unknown(let suggestion):
            report(
                index, .target, .unknownField, "The object has no field \"\(entry.target)\".", suggestion: suggestion,
                notes: fields.map(FieldLookup.name(of:)))
        }
        return nil
    }

    private mutating func checkWritable(_ field: DestinationField, _ entry: MapEntry, _ index: Int) {
        if field.kind == .id {
            guard insert.mode == .append else { return }
            return report(
                index, .target, .readOnlyField,
                "The destination gives new records their id: leave \"\(entry.target)\" out, or use Update.")
        }
        let why = field.note.isEmpty ? "" : " " + field.note
        if insert.mode == .update, !field.isWritableOnUpdate {
            report(
                index, .target, .readOnlyField,
                "The field \"\(entry.target)\" cannot be changed by an update; leave it out.\(why)")
        } else if createsRecords, !field.isWritableOnCreate {
            report(
                index, .target, .readOnlyField,
                "The field \"\(entry.target)\" cannot be given to a new record; leave it out.\(why)")
        }
    }

    private mutating func checkSettings(_ field: DestinationField, _ entry: MapEntry, _ index: Int) {
        if let option = entry.option {
            if !field.kind.hasOptions {
                report(
                    index, .option, .optionNotAllowed,
                    "The field \"\(entry.target)\" is \(field.kind.phrase) and has no options; leave `option` out.")
            } else if field.kind == .user, option == .label {
                report(
                    index, .option, .optionNotAllowed, "A user is named by id or e-mail address; leave `option` out.")
            }
        }
        if let split = entry.split {
            let column = entry.from.flatMap { name in source.index(of: name).map { source.fields[$0].type } }
            if !field.kind.isList {
                report(
                    index, .split, .splitNotAllowed,
                    "The field \"\(entry.target)\" is \(field.kind.phrase) and no list; leave `split` out.")
            } else if split.isEmpty {
                report(index, .split, .splitNotAllowed, "A text cannot be split at nothing; write the separator.")
            } else if let column, column != .text {
                report(
                    index, .split, .splitNotAllowed,
                    "Only a text can be split, and the column has the type \(column.rawValue); leave `split` out.")
            }
        }
        if entry.whenMissing == .skip, field.kind != .option, field.kind != .options {
            report(
                index, .whenMissing, .whenMissingNotAllowed,
                "The field \"\(entry.target)\" is \(field.kind.phrase); `when_missing` is for fields with options.")
        }
        if let link = entry.link { checkLink(link, field, entry, index) }
        if entry.editGuard != nil, field.kind == .id {
            report(
                index, .editGuard, .guardNotAllowed,
                "The field \"\(entry.target)\" finds the record and is never changed; leave `guard` out.")
        }
        if entry.value != nil, entry.defaultText != nil {
            report(
                index, .defaultValue, .defaultNotAllowed, "A constant is never NULL: leave `default` or `value` out.")
        }
    }

    private mutating func checkLink(
        _ link: RecordLink, _ field: DestinationField, _ entry: MapEntry, _ index: Int
    ) {
        if field.kind != .reference {
            report(
                index, .link, .linkNotAllowed,
                "The field \"\(entry.target)\" is \(field.kind.phrase) and refers to no record; leave `link` out.")
        } else if !field.referenceObject.isEmpty, !link.object.isEmpty, field.referenceObject != link.object {
            report(
                index, .link, .linkNotAllowed,
                "The field \"\(entry.target)\" refers to a record of \(field.referenceObject), and \(link.sync) writes "
                    + "\(link.object); link to a sync that writes \(field.referenceObject).")
        }
    }

    // MARK: Origin

    private mutating func constant(
        _ text: String?, _ converter: FieldConverter, _ entry: MapEntry, _ index: Int, _ part: MappingProblem.Part
    ) -> Converted? {
        guard let text else { return nil }
        if entry.split?.isEmpty == true { return nil }
        do {
            let converted = try converter.convert(.text(text))
            if converter.field.isRequiredOnCreate, text.isBlank {
                report(index, part, .constantInvalid, "The field \"\(entry.target)\" must not be empty.")
            }
            return converted
        } catch {
            // Which of them is meant follows from the row's group.
            if error.code == .optionAmbiguous, isMapped(converter.field.optionsWithin) { return .null }
            report(
                index, part, .constantInvalid,
                "The \(part == .value ? "constant" : "default") of \"\(entry.target)\" does not convert: \(error.message)"
            )
            return nil
        }
    }

    private mutating func origin(
        _ entry: MapEntry, _ index: Int, _ field: DestinationField, _ converter: FieldConverter, _ constant: Converted?
    ) -> FieldPlan.Origin? {
        if entry.from != nil, entry.value != nil {
            report(
                index, .from, .sourceAmbiguous,
                "The entry \"\(entry.target)\" names a column and a constant; keep one of them.")
            return nil
        }
        if !entry.parts.isEmpty {
            guard let shape = converter.shape else {
                for part in entry.parts {
                    report(
                        index, .part(part.target), .partUnknown,
                        "The field \"\(entry.target)\" is \(field.kind.phrase) and has no parts.")
                }
                return nil
            }
            return parts(entry, index, shape).map { .parts($0) }
        }
        if entry.value != nil { return constant.map { .constant($0) } }
        guard let from = entry.from else {
            report(
                index, .target, .sourceMissing,
                "The entry \"\(entry.target)\" does not say what fills it: name a column or a constant.")
            return nil
        }
        let types = entry.link == nil ? field.kind.sourceTypes : Set(DataType.allCases).subtracting([.json, .bytes])
        return column(
            from, index, .from, types, "\"\(entry.target)\" is \(field.kind.phrase)",
            isInstant: field.kind == .instant
        ).map { .column($0) }
    }

    private mutating func column(
        _ name: String, _ index: Int, _ part: MappingProblem.Part, _ types: Set<DataType>, _ what: String,
        isInstant: Bool = false
    ) -> SourceColumn? {
        guard let place = source.index(of: name) else {
            let names = source.fields.map(\.name)
            report(
                index, part, .unknownColumn, "The source has no column \"\(name)\".",
                suggestion: NearestName.of(name, in: names), notes: names)
            return nil
        }
        let type = source.fields[place].type
        if isInstant, type == .timestamp {
            report(
                index, part, .zoneMissing,
                "The column \"\(name)\" has no time zone and \(what); give it a zone in the query.")
            return nil
        }
        guard types.contains(type) else {
            report(
                index, part, .typeMismatch,
                "The column \"\(name)\" has the type \(type.rawValue), and \(what); convert it in the query.",
                notes: types.map(\.rawValue).sorted())
            return nil
        }
        return SourceColumn(name: name, type: type)
    }

    private mutating func parts(_ entry: MapEntry, _ index: Int, _ shape: CompoundShape) -> [PartPlan]? {
        let before = problems.count
        var plans: [PartPlan] = []
        var written = entry.parts
        if entry.from != nil || entry.value != nil {
            written.insert(
                MapEntry(
                    target: CompoundShape.mainPart, from: entry.from, value: entry.value,
                    defaultText: entry.defaultText),
                at: 0)
        }
        for part in written {
            if plans.contains(where: { $0.name == part.target }) {
                report(
                    index, .part(part.target), .sourceAmbiguous,
                    "The part \"\(part.target)\" of \"\(entry.target)\" is filled twice; keep one of them.")
            } else if let plan = self.part(part, entry, index, shape) {
                plans.append(plan)
            }
        }
        for part in shape.required where !written.contains(where: { $0.target == part }) {
            report(
                index, .part(part), .partMissing,
                "The field \"\(entry.target)\" needs the part \"\(part)\"; say what fills it.")
        }
        return problems.count == before ? plans : nil
    }

    private mutating func part(
        _ part: MapEntry, _ entry: MapEntry, _ index: Int, _ shape: CompoundShape
    ) -> PartPlan? {
        let place = MappingProblem.Part.part(part.target)
        guard shape.parts.contains(part.target) else {
            report(
                index, place, .partUnknown, "The field \"\(entry.target)\" has no part \"\(part.target)\".",
                suggestion: NearestName.of(part.target, in: shape.parts), notes: shape.parts)
            return nil
        }
        var constant: JSON?
        if let text = part.value ?? part.defaultText {
            do {
                constant = try shape.convert(.text(text), part: part.target)
            } catch {
                report(
                    index, place, .constantInvalid,
                    "The constant of \"\(part.target)\" of \"\(entry.target)\" does not convert: \(error.message)")
                return nil
            }
        }
        guard let from = part.from else {
            if part.value == nil {
                report(
                    index, place, .sourceMissing,
                    "The part \"\(part.target)\" of \"\(entry.target)\" does not say what fills it: name a column or a constant."
                )
                return nil
            }
            return PartPlan(name: part.target, column: nil, constant: constant)
        }
        guard part.value == nil else {
            report(
                index, place, .sourceAmbiguous,
                "The part \"\(part.target)\" of \"\(entry.target)\" names a column and a constant; keep one of them.")
            return nil
        }
        let types = shape.sourceTypes(ofPart: part.target)
        let what = "it is to fill the part \"\(part.target)\" of \"\(entry.target)\""
        guard let column = column(from, index, place, types, what) else { return nil }
        return PartPlan(name: part.target, column: column, constant: constant)
    }

    // MARK: The whole map

    /// The field that finds records: nil with Append, and where `match` is at fault.
    var matchField: DestinationField? {
        guard insert.mode == .update, case .found(let place) = lookup.find(insert.match) else { return nil }
        return fields[place]
    }

    private mutating func checkMatch() {
        guard insert.mode == .update else { return }
        switch lookup.find(insert.match) {
        case .unknown(let suggestion):
            report(
                nil, .match, .unknownField, "The object has no field \"\(insert.match)\" to find records by.",
                suggestion: suggestion, notes: map.map(\.target))
        case .ambiguous(let places):
            reportAmbiguous(nil, .match, insert.match, places)
        case .found(let place):
            let field = fields[place]
            if field.kind != .id, !field.kind.isMatchable {
                report(
                    nil, .match, .matchNotAllowed,
                    "Records cannot be found by \"\(insert.match)\", which is \(field.kind.phrase); use another field.")
            } else if !targets.contains(where: { $0.key == field.key }),
                insert.matchRule.from == nil || field.kind == .id
            {
                report(
                    nil, .match, .matchNotMapped,
                    "Update finds records by \"\(insert.match)\", and nothing fills it; map it, or name another field.",
                    notes: map.map(\.target))
            }
            checkRule(field)
            checkUnusedID(match: field)
        }
    }

    private mutating func checkRule(_ field: DestinationField) {
        let rule = insert.matchRule
        guard rule.form != nil || rule.ignoresCase != nil || rule.from != nil else { return }
        if field.kind == .id {
            return report(
                nil, .match, .matchRuleNotAllowed,
                "An id is compared as it is, and the map fills it: write `match: \(insert.match)` and no more.")
        }
        if !field.kind.isTextual, rule.ignoresCase != nil || (rule.form ?? .text) != .text {
            return report(
                nil, .match, .matchRuleNotAllowed,
                "\"\(insert.match)\" is \(field.kind.phrase) and compared as such; leave `as` and `ignore_case` out.")
        }
        let form = rule.form ?? MatchTexts.form(of: field)
        if rule.ignoresCase != nil, form == .phone || form == .domain {
            report(
                nil, .match, .matchRuleNotAllowed,
                "A \(form.rawValue) is compared without regard to case; leave `ignore_case` out.")
        }
    }

    private mutating func checkUnusedID(match: DestinationField) {
        guard match.kind != .id else { return }
        for target in targets where fields.contains(where: { $0.kind == .id && $0.key == target.key }) {
            report(
                target.entry, .target, .idNotUsed,
                "Records are found by \"\(insert.match)\", so \"\(map[target.entry].target)\" is not used; leave it out."
            )
        }
    }

    private mutating func checkRequired() {
        guard createsRecords else { return }
        for field in fields where field.isRequiredOnCreate && !targets.contains(where: { $0.key == field.key }) {
            report(
                nil, .target, .requiredNotMapped,
                "A new record needs \"\(FieldLookup.name(of: field))\", and nothing fills it; map it.")
        }
    }
}
