// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension BatchMapper {
    /// What a NULL is for a target.
    private enum NullMeaning {
        /// The field stays as it is.
        case keep
        /// The field is cleared.
        case clear
        /// Each NULL is to be looked at.
        case look
    }

    private func nullMeaning(_ plan: FieldPlan, _ target: Int) -> NullMeaning {
        let insert = mapping.insert
        if plan.defaultValue != nil || plan.groupedDefault != nil || plan.field.isRequiredOnCreate { return .look }
        guard insert.mode == .update, insert.onNull == .clear, mapping.match != .target(target) else { return .keep }
        return plan.field.isClearable ? .clear : .look
    }

    /// Maps a target a column at a time, and only the cells that need it one by one.
    ///
    /// - Returns: Nil where the plan is of another kind; nothing was done then.
    mutating func mapWhole(_ plan: FieldPlan, _ target: Int) -> Column? {
        guard plan.link == nil, plan.groupTarget == nil else { return nil }
        if case .constant(.value(let value)) = plan.origin { return repeated(value, plan, target) }
        guard let cells = cells(plan) else { return nil }
        let meaning = nullMeaning(plan, target)
        guard let plain = plainColumn(cells, plan, looksAtNulls: meaning == .look) else { return nil }
        for word in 0..<out.presence.stride {
            let isLast = word == out.presence.stride - 1 && out.rowCount & 63 != 0
            let rows: UInt64 = isLast ? 1 << UInt64(out.rowCount & 63) - 1 : .max
            out.presence.set(target, word: word, meaning == .clear ? rows : rows & cells.validityWord(word))
        }
        guard !plain.exceptions.isEmpty else { return plain.column }
        var single = Column(plan.field.kind.columnType, capacity: plain.exceptions.count)
        for row in plain.exceptions {
            out.presence[row, target] = false
            mapOne(plan, cells, target, row, &single)
        }
        let presence = out.presence
        return plain.completed(with: single) { presence[$0, target] }
    }

    private func plainColumn(_ cells: Column, _ plan: FieldPlan, looksAtNulls: Bool) -> PlainColumn? {
        let isSplit = plan.converter.split != nil
        if let plain = PlainColumn(cells, for: plan.field, isSplit: isSplit, looksAtNulls: looksAtNulls) {
            return plain
        }
        return PlainColumn(cells, plan.field.kind.columnType, looksAtNulls: looksAtNulls) { row in
            // What is wrong with a cell is found out again for each row that has it.
            guard case .value(let value)? = try? plan.converter.convert(cells.value(row)) else { return nil }
            if plan.field.isRequiredOnCreate, case .text(let text) = value, text.isBlank { return nil }
            return value
        }
    }

    /// A column that has `value` in every row.
    private mutating func repeated(_ value: Value, _ plan: FieldPlan, _ target: Int) -> Column? {
        if plan.field.isRequiredOnCreate, case .text(let text) = value, text.isBlank { return nil }
        var one = Column(plan.field.kind.columnType, capacity: 1)
        one.append(value)
        for row in 0..<out.rowCount { out.presence[row, target] = true }
        return PlainColumn.repeating(one, out.rowCount)
    }

    /// The digests that the ledger stores; what goes into them, and in which order, never changes.
    func payloads() -> [Fingerprint] {
        PlainColumn.payloads(out.columns, rows: out.rowCount, out.presence, mapping.payloadOrder)
    }
}
