// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SyncDecoder {
    /// Decodes `fetch` and holds its keys against the mode.
    mutating func fetch() {
        guard let fetch = section("fetch", .fetch), !fetch.isInvalid else { return }
        let mode = value(fetch, "mode", .fetchMode)
        sync.definition.fetch.mode = Self.word(mode, FetchDefinition.Mode.self) ?? .full
        let isKnown = mode == nil || Self.word(mode, FetchDefinition.Mode.self) != nil
        let isFull = isKnown && sync.definition.fetch.mode == .full
        var kept = fetch
        if isFull {
            let refused = ["key", "start", "lookback", "null_key"]
            for entry in fetch.entries where refused.contains(entry.key) && !entry.value.isInherited {
                findings.error(
                    .fetchFull, at: entry.keySpan, "FULL reads every row and has no \(entry.key)",
                    suggestion: "remove it, or write mode: INCREMENTAL")
            }
            kept = fetch.removing(Set(refused))
        }
        sync.definition.fetch.key = value(kept, "key", .fetchKey)?.text
        sync.definition.fetch.start = value(kept, "start", .fetchStart)?.text
        if let lookback = value(kept, "lookback", .fetchLookback)?.text {
            sync.definition.fetch.lookback =
                DurationText.microseconds(lookback).map { .microseconds($0) }
                ?? (ScalarText.isDecimal(lookback) ? .number(lookback) : nil)
        }
        let nullKey = value(kept, "null_key", .fetchNullKey)
        sync.definition.fetch.nullKey = Self.word(nullKey, FetchDefinition.NullKey.self) ?? .reject
        onRemoved(fetch)
        if sync.definition.fetch.mode == .incremental, fetch["key"] == nil {
            findings.error(
                .fetchKey, at: sync.position(of: .fetchMode), "INCREMENTAL needs the Incremental Key",
                suggestion: "add key: COLUMN, or write FULL")
        }
    }

    /// Decodes `fetch.on_removed`, which only FULL has.
    private mutating func onRemoved(_ fetch: YAMLNode) {
        let isIncremental = sync.definition.fetch.mode == .incremental
        if isIncremental, let entry = fetch.entry("on_removed"), !entry.value.isInherited {
            findings.error(
                .fetchRemoved, at: entry.keySpan,
                "INCREMENTAL does not read every row, so it cannot tell which have left the source",
                suggestion: "remove it, or write mode: FULL")
        }
        let written = isIncremental ? nil : value(fetch, "on_removed", .fetchOnRemoved)
        sync.definition.fetch.onRemoved = Self.word(written, FetchDefinition.OnRemoved.self) ?? .report
    }

    /// Decodes `insert` and holds its keys and the map against the mode.
    mutating func insert() {
        guard let insert = section("insert", .insert) else { return checkAppend(nil) }
        guard !insert.isInvalid else { return }
        let mode = value(insert, "mode", .insertMode)
        sync.definition.insert.mode = Self.word(mode, InsertDefinition.Mode.self) ?? .append
        let onNull = value(insert, "on_null", .insertOnNull)
        sync.definition.insert.onNull = Self.word(onNull, InsertDefinition.OnNull.self) ?? .keep
        let repeats = value(insert, "repeat", .insertRepeat)
        sync.definition.insert.repeats = Self.word(repeats, InsertDefinition.Repeat.self) ?? .warn
        delivery(insert)
        guard mode == nil || Self.word(mode, InsertDefinition.Mode.self) != nil else { return }
        guard sync.definition.insert.mode == .update else { return checkAppend(insert) }
        let onMissing = value(insert, "on_missing", .insertOnMissing)
        sync.definition.insert.onMissing = Self.word(onMissing, InsertDefinition.OnMissing.self) ?? .reject
        let compare = value(insert, "compare", .insertCompare)
        sync.definition.insert.compare = Self.word(compare, InsertDefinition.Compare.self) ?? .auto
        sync.definition.insert.editGuard =
            Self.word(value(insert, "guard", .insertGuard), EditGuard.self) ?? .overwrite
        match(insert)
    }

    private mutating func match(_ insert: YAMLNode) {
        let match = insert["match"]
        if let match, match.isInvalid { return }
        let names = match?.items ?? []
        if let match, !match.entries.isEmpty { matchRule(match) }
        if let first = names.first {
            sync.spans[.insertMatch] = first.span
            sync.definition.insert.match = first.text ?? "id"
        }
        if names.count > 1 {
            findings.error(
                .notYet, at: names[1].span, "matching by more than one field is not carried out by this version",
                suggestion: "keep one field")
        }
        let wanted = sync.definition.insert.match
        let targets = sync.definition.map.map(\.target)
        guard !targets.isEmpty, !targets.contains(wanted), !Reference.isPresent(in: wanted) else { return }
        // The column that it names is looked for, and nothing of the map.
        if sync.definition.insert.matchRule.from != nil, wanted != "id" { return }
        guard match != nil, wanted != "id" else {
            findings.error(
                .updateId, at: sync.position(of: .insertMode),
                "Update needs the id of the record, and id is not mapped",
                suggestion: "map id: COLUMN, or add match: FIELD")
            return
        }
        findings.error(
            .matchUnmapped, at: sync.position(of: .insertMatch), "match names \"\(wanted)\", which is not mapped",
            suggestion: Spelling.suggestion(wanted, in: targets) ?? "map \(wanted): COLUMN",
            notes: ["mapped: \(ScalarText.list(targets))"])
    }

    /// Decodes `match` written as a map: the field, and how its values are compared.
    private mutating func matchRule(_ match: YAMLNode) {
        if let field = match["field"], !field.isInvalid {
            sync.spans[.insertMatch] = field.span
            sync.definition.insert.match = field.text ?? "id"
        }
        var rule = MatchRule()
        rule.form = Self.word(match["as"], MatchRule.Form.self)
        rule.ignoresCase = (match["ignore_case"]?.text).flatMap(ScalarText.boolean)
        rule.from = match["from"]?.text
        sync.definition.insert.matchRule = rule
        guard let form = rule.form, rule.ignoresCase != nil, form == .phone || form == .domain else { return }
        findings.error(
            .matchRule, at: match.entry("ignore_case")?.keySpan ?? match.span,
            "a \(form.rawValue) is always compared without regard to case", suggestion: "remove ignore_case")
    }

    private mutating func checkAppend(_ insert: YAMLNode?) {
        for entry in insert?.entries ?? []
        where ["match", "on_missing", "compare", "guard"].contains(entry.key) && !entry.value.isInherited {
            findings.error(
                .appendOption, at: entry.keySpan, "Append only creates records and has no \(entry.key)",
                suggestion: "remove it, or write mode: Update")
        }
        for (index, entry) in sync.definition.map.enumerated() where entry.editGuard != nil {
            findings.error(
                .appendOption, at: sync.position(of: .entry(index, .editGuard)),
                "Append only creates records, and a guard is about existing ones",
                suggestion: "remove guard, or write insert: {mode: Update}")
        }
        if let index = sync.definition.map.firstIndex(where: { $0.target == "id" }) {
            findings.error(
                .appendId, at: sync.position(of: .entry(index, .target)), "Append cannot set the id of a new record",
                suggestion: "remove it, or write insert: {mode: Update}")
        }
    }

    private mutating func delivery(_ insert: YAMLNode) {
        let delivery = value(insert, "delivery", .insertDelivery)
        sync.definition.insert.delivery = Self.word(delivery, InsertDefinition.Delivery.self) ?? .auto
        guard let settle = value(insert, "settle", .insertSettle),
            let microseconds = settle.text.flatMap(DurationText.microseconds)
        else { return }
        guard (1...600).contains(microseconds / 1_000_000) else {
            findings.error(
                .range, at: settle.span, "settle is \(settle.text ?? ""), and must be between 1s and 600s",
                suggestion: "write settle: 60s")
            return
        }
        sync.definition.insert.settleMilliseconds = microseconds / 1_000
    }

    /// Decodes limits, rejects, undo, mask and after.
    mutating func guards() {
        sync.definition.undo = Self.word(value(node, "undo", .undo), UndoPolicy.self) ?? .auto
        let limits = section("limits", .limits)
        sync.limits.tokensPerRun = (limits?["tokens_per_run"]?.text).flatMap(ScalarText.integer)
        sync.limits.rows = (limits?["rows"]?.text).flatMap(ScalarText.integer)
        sync.limits.reserveBasisPoints = (limits?["reserve"]?.text).flatMap(ScalarText.basisPoints)
        for name in BlastLimits.Name.allCases {
            guard let text = value(limits, name.rawValue, .limit(name))?.text else { continue }
            if text == ScalarText.off { sync.limits.blast.off.insert(name) }
            sync.limits.blast.bounds[name] =
                ScalarText.basisPoints(text).map { .basisPoints(Int64($0)) }
                ?? ScalarText.integer(text).map { .count(Int64($0)) }
        }
        let rejects = node["rejects"]
        if let text = value(rejects, "max", .rejectsMax)?.text {
            sync.definition.rejectsMax =
                ScalarText.basisPoints(text).map { .basisPoints($0) } ?? .count(ScalarText.integer(text) ?? 0)
        }
        if let keep = (rejects?["keep"]?.text).flatMap(DurationText.microseconds) { sync.rejects.keep = keep }
        sync.rejects.record = Self.word(rejects?["record"], RejectPolicy.Record.self) ?? .masked
        var targets = sync.definition.map.map(\.target)
        if sync.definition.insert.matchRule.from != nil { targets.append(sync.definition.insert.match) }
        for (index, item) in (node["mask"]?.items ?? []).enumerated() {
            guard let text = item.text else { continue }
            sync.mask.append(text)
            sync.spans[.mask(index)] = item.span
            guard !targets.isEmpty, !targets.contains(text), !Reference.isPresent(in: text) else { continue }
            findings.error(
                .maskTarget, at: item.span, "mask names \"\(text)\", which is not mapped",
                suggestion: Spelling.suggestion(text, in: targets), notes: ["mapped: \(ScalarText.list(targets))"])
        }
        for (index, item) in (node["after"]?.items ?? []).enumerated() {
            guard let text = item.text else { continue }
            sync.spans[.after(index)] = item.span
            sync.after.append(text)
        }
    }
}
