// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Applies a compiled map to one batch, target by target.
///
/// What needs no look at single values is done by ``PlainColumn``; this is for the rest, cell by cell.
struct BatchMapper {
    let mapping: CompiledMapping
    let batch: RecordBatch
    var out: MappedBatch
    /// The place of every source column in the batch.
    private let places: [String: Int]
    private let links: LinkResolver?
    private var rowCount: Int { out.rowCount }

    init(_ mapping: CompiledMapping, _ batch: RecordBatch, _ links: LinkResolver?) {
        self.links = links
        self.mapping = mapping
        self.batch = batch
        var places: [String: Int] = [:]
        for column in (mapping.plans + [mapping.idPlan].compactMap { $0 }).flatMap(\.columns) {
            guard let place = batch.schema.index(of: column.name), batch.schema.fields[place].type == column.type
            else { preconditionFailure("the batch has the columns that the map was compiled with") }
            places[column.name] = place
        }
        self.places = places
        let rows = batch.rowCount
        out = MappedBatch(
            rowCount: rows, columns: mapping.plans.map { Column($0.field.kind.columnType) },
            presence: Presence(rowCount: rows, targetCount: mapping.plans.count),
            rejects: [], createRejects: [], payloads: [], match: mapping.match,
            matching: mapping.matching, ids: nil, isRejected: [Bool](repeating: false, count: rows),
            finder: mapping.plans.firstIndex(where: \.isFinderOnly))
    }

    mutating func map() -> MappedBatch {
        if let plan = mapping.idPlan { mapIDs(plan) }
        for target in mapping.mapOrder {
            let plan = mapping.plans[target]
            out.columns[target] = mapWhole(plan, target) ?? map(plan, target)
        }
        for (target, plan) in mapping.plans.enumerated() { checkCondition(plan, target) }
        mapping.leaveOutNothing(&out)
        out.rejects.sort { $0.row < $1.row }
        for rejected in out.rejects { out.presence.clear(rejected.row) }
        var seen: Set<Int> = []
        out.createRejects = out.createRejects.filter { !out.isRejected[$0.row] && seen.insert($0.row).inserted }
        out.createRejects.sort { $0.row < $1.row }
        out.payloads = payloads()
        return out
    }

    // MARK: Rejects

    private mutating func reject(_ row: Int, _ plan: FieldPlan, _ fault: CellFault, _ value: Value) {
        out.isRejected[row] = true
        out.rejects.append(MappedBatch.Rejected(row: row, reject: rowReject(plan, fault, value)))
    }

    private func rowReject(_ plan: FieldPlan, _ fault: CellFault, _ value: Value) -> RowReject {
        RowReject(
            code: fault.code, field: plan.name, value: fault.element ?? CellText.of(value), message: fault.message)
    }

    // MARK: Cells of any kind

    private func cell(_ name: String, _ row: Int) -> Value {
        guard let place = places[name] else { return .null }
        return batch.columns[place].value(row)
    }

    /// The one column that a target is filled from, or nil: looked up once, because that costs more than a cell.
    func cells(_ plan: FieldPlan) -> Column? {
        guard case .column(let source) = plan.origin, let place = places[source.name] else { return nil }
        return batch.columns[place]
    }

    private mutating func map(_ plan: FieldPlan, _ target: Int) -> Column {
        var column = Column(plan.field.kind.columnType, capacity: rowCount)
        let cells = cells(plan)
        for row in 0..<rowCount { mapOne(plan, cells, target, row, &column) }
        return column
    }

    /// - Parameter cells: What ``cells(_:)`` says for the plan.
    mutating func mapOne(
        _ plan: FieldPlan, _ cells: Column?, _ target: Int, _ row: Int, _ column: inout Column
    ) {
        if out.isRejected[row] { return column.appendNull() }
        var value = Value.null
        do throws(CellFault) {
            switch try converted(plan, cells, row, &value) {
            case .value(let converted): try store(converted, plan, target, row, &column)
            case .null: try storeNull(plan, target, row, &column)
            case .leftAlone: column.appendNull()
            }
        } catch {
            column.appendNull()
            reject(row, plan, error, value)
        }
    }

    /// - Parameters:
    ///   - cells: What ``cells(_:)`` says for the plan.
    ///   - value: Becomes the cell that was read, for the reject.
    private func converted(
        _ plan: FieldPlan, _ cells: Column?, _ row: Int, _ value: inout Value
    ) throws(CellFault) -> Converted {
        let result: Converted
        switch plan.origin {
        case .column:
            value = cells?.value(row) ?? .null
            if let link = plan.link {
                guard let links else { preconditionFailure("a map with links is given what resolves them") }
                result = value.isNull ? .null : try links(link, value).converted()
            } else {
                result = try plan.converter.convert(value, group: group(plan, row))
            }
        case .constant(let constant): result = constant
        case .groupedConstant(let constant):
            value = constant
            result = try plan.converter.convert(constant, group: group(plan, row))
        case .parts(let parts): result = try assembled(parts, plan, row, &value)
        }
        guard result == .null else { return result }
        if let value = plan.groupedDefault { return try plan.converter.convert(value, group: group(plan, row)) }
        return plan.defaultValue ?? .null
    }

    /// The group that the row's option must go with, or nil where the row does not say one.
    private func group(_ plan: FieldPlan, _ row: Int) -> String? {
        guard let target = plan.groupTarget else { return nil }
        return text(target, row)
    }

    /// What the row sets a target of kind option to, or nil.
    private func text(_ target: Int, _ row: Int) -> String? {
        guard out.presence[row, target], case .text(let text) = out.columns[target].value(row) else { return nil }
        return text
    }

    // MARK: Fields that depend on another one

    /// Holds the rows that set a field against what the field depends on.
    ///
    /// A NULL for a field that cannot have a value is left alone: there is nothing to clear.
    private mutating func checkCondition(_ plan: FieldPlan, _ target: Int) {
        guard let condition = plan.field.condition else { return }
        for row in 0..<rowCount where !out.isRejected[row] && out.presence[row, target] {
            let isNull = out.columns[target].isNull(row)
            let controlling = plan.conditionTarget.flatMap { text($0, row) }
            if let controlling, !condition.values.contains(controlling) {
                if isNull {
                    out.presence[row, target] = false
                } else {
                    reject(row, plan, conditionFault(plan, condition), out.columns[target].value(row))
                }
            } else if controlling == nil, !isNull, !condition.initial.isEmpty,
                !condition.values.contains(condition.initial)
            {
                let fault = conditionFault(plan, condition)
                if mapping.insert.mode == .append {
                    reject(row, plan, fault, out.columns[target].value(row))
                } else if mapping.insert.onMissing == .create {
                    let reason = rowReject(plan, fault, out.columns[target].value(row))
                    out.createRejects.append(MappedBatch.Rejected(row: row, reject: reason))
                }
            }
        }
    }

    private func conditionFault(_ plan: FieldPlan, _ condition: FieldCondition) -> CellFault {
        CellFault(
            .conditionUnmet,
            "The field may have a value only where \(condition.field) is \(condition.values.joined(separator: " or ")); "
                + "leave it NULL otherwise.")
    }

    private func assembled(
        _ parts: [PartPlan], _ plan: FieldPlan, _ row: Int, _ value: inout Value
    ) throws(CellFault) -> Converted {
        guard let shape = plan.converter.shape else { return .null }
        var values: [String: JSON] = [:]
        var hasCell = false
        for part in parts {
            if let column = part.column {
                value = cell(column.name, row)
                if !value.isNull {
                    values[part.name] = try shape.convert(value, part: part.name)
                    hasCell = true
                    continue
                }
            }
            values[part.name] = part.constant
        }
        // Where no column has anything, constants are a value only if they are a whole one.
        if !hasCell, shape.required.contains(where: { values[$0] == nil }) { return .null }
        return try shape.assembled(values).map { .value(.json($0.text)) } ?? .null
    }

    private mutating func store(
        _ value: Value, _ plan: FieldPlan, _ target: Int, _ row: Int, _ column: inout Column
    ) throws(CellFault) {
        if plan.field.isRequiredOnCreate, case .text(let text) = value, text.isBlank { throw Self.requiredEmpty }
        column.append(value)
        out.presence[row, target] = true
    }

    private static let requiredEmpty = CellFault(
        .requiredEmpty, "A record must have this field, and it is NULL, empty or blank; fill it in the source.")

    /// What NULL means for a field, as the sync's `on_null` says; with Append there is nothing to clear.
    private mutating func storeNull(
        _ plan: FieldPlan, _ target: Int, _ row: Int, _ column: inout Column
    ) throws(CellFault) {
        let field = plan.field
        if field.isRequiredOnCreate, mapping.insert.mode == .append { throw Self.requiredEmpty }
        let isMatch = mapping.match == .target(target)
        let clears = mapping.insert.onNull == .clear && plan.editGuard != .neverNull
        if mapping.insert.mode == .update, clears, !isMatch {
            guard field.isClearable else {
                throw CellFault(
                    .cannotClear,
                    "The value is NULL and the destination cannot clear this field; fill it, or give the field "
                        + "guard: never-null.")
            }
            out.presence[row, target] = true
        }
        column.appendNull()
        if field.isRequiredOnCreate, mapping.insert.onMissing == .create {
            out.createRejects.append(
                MappedBatch.Rejected(row: row, reject: rowReject(plan, Self.requiredEmpty, .null)))
        }
    }

    private mutating func mapIDs(_ plan: FieldPlan) {
        let cells = cells(plan)
        let hasDefault = plan.defaultValue != nil || plan.groupedDefault != nil
        // Ids that are integers at the source stay so, unless a default stands in for some.
        let plain =
            hasDefault && cells?.type == .int64
            ? nil : cells.flatMap { PlainColumn($0, for: plan.field, looksAtNulls: hasDefault) }
        let rows = plain?.exceptions ?? Array(0..<rowCount)
        var ids = Column(plain?.column.type ?? .text, capacity: rows.count)
        for row in rows {
            var value = Value.null
            do throws(CellFault) {
                if case .value(let id) = try converted(plan, cells, row, &value) {
                    ids.append(id)
                } else {
                    ids.appendNull()
                }
            } catch {
                ids.appendNull()
                // An empty text is no id, as NULL is none: what then happens is for `on_missing` to say.
                if error.code != .emptyValue { reject(row, plan, error, value) }
            }
        }
        out.ids = plain?.completed(with: ids) { _ in true } ?? ids
    }
}
