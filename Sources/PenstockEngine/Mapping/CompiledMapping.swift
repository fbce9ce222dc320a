// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A field map that fits its source and its destination, ready to be applied to batches.
package struct CompiledMapping: Sendable {
    /// A target field, as columns and presence bits count them.
    package struct Target: Sendable, Hashable {
        /// The entry's place in the map.
        package let entry: Int
        /// The field as the map spells it.
        package let name: String
        /// The field.
        package let field: DestinationField
        /// Whether it only finds records, so that an update does not set it.
        package let isFinderOnly: Bool
        /// The target that is sent whenever this one is, where the row sets it: what its value depends on.
        package let companion: Int?
        /// When an update may change it.
        package let editGuard: EditGuard
    }

    /// What finds the record of a row.
    package enum Match: Sendable, Hashable {
        /// Nothing: every row becomes a record.
        case none
        /// The record's id; see ``MappedBatch/idText(_:)``.
        case id
        /// The target at this place; see ``MappedBatch/matchTexts(_:)``.
        case target(Int)
    }

    /// The targets in the order of the map, `id` left out: it is no field of a write.
    package let targets: [Target]
    /// The source columns that are read, each once, in the order in which the map names them.
    package let columns: [String]
    /// What finds the record of a row.
    package let match: Match
    /// The field columns of a write: one per target, named by key, in the column type of the kind.
    package let fieldSchema: Schema

    /// The syncs whose rows the map refers to, each once.
    package var links: [String] {
        var names: [String] = []
        for plan in plans { if let link = plan.link, !names.contains(link) { names.append(link) } }
        return names
    }

    /// The column that names the record of a row, where nothing else does; or nil.
    package var idColumn: String? {
        guard let idPlan, case .column(let column) = idPlan.origin, idPlan.link == nil, idPlan.defaultValue == nil,
            idPlan.groupedDefault == nil
        else { return nil }
        return column.name
    }

    let plans: [FieldPlan]
    let idPlan: FieldPlan?
    let insert: InsertDefinition
    /// How match values are compared; nil where no target finds records.
    package let matching: MatchTexts?
    /// The targets in an order in which what others depend on comes first.
    let mapOrder: [Int]
    /// The places of the targets in the order of their keys, and a digest of each key.
    let payloadOrder: [(target: Int, key: Fingerprint)]

    /// Compiles a map.
    ///
    /// - Parameters:
    ///   - source: The columns of the table or model.
    ///   - fields: The fields of the object, with the options of those that the map names.
    ///   - optionsKnown: False where the options of users were not read, to check a map without paying for them:
    ///     then any id of a field without options passes. A run needs true.
    /// - Throws: Everything that is wrong, in the order of the map, the whole map's problems last.
    package init(
        map: [MapEntry], insert: InsertDefinition, source: Schema, fields: [DestinationField],
        optionsKnown: Bool = true
    ) throws(MappingProblems) {
        var compiler = MappingCompiler(map, insert, source, fields, optionsKnown: optionsKnown)
        compiler.compile()
        guard compiler.problems.isEmpty else { throw MappingProblems(problems: compiler.problems) }
        var plans = compiler.plans.filter { $0.field.kind != .id }
        for place in plans.indices {
            let field = plans[place].field
            plans[place].groupTarget = plans.firstIndex { $0.field.key == field.optionsWithin }
            plans[place].conditionTarget = plans.firstIndex { $0.field.key == field.condition?.field }
        }
        self.plans = plans
        mapOrder =
            plans.indices.filter { plans[$0].groupTarget == nil }
            + plans.indices.filter { plans[$0].groupTarget != nil }
        self.insert = insert
        idPlan = compiler.plans.first { $0.field.kind == .id }
        targets = plans.map { plan in
            Target(
                entry: plan.entry, name: plan.name, field: plan.field, isFinderOnly: plan.isFinderOnly,
                companion: plan.groupTarget ?? plan.conditionTarget, editGuard: plan.editGuard)
        }
        var columns: [String] = []
        for column in compiler.plans.flatMap(\.columns) where !columns.contains(column.name) {
            columns.append(column.name)
        }
        self.columns = columns
        if let field = compiler.matchField {
            match = plans.firstIndex { $0.field.key == field.key }.map { .target($0) } ?? .id
            matching = field.kind == .id ? nil : MatchTexts(field, insert.matchRule)
        } else {
            match = .none
            matching = nil
        }
        fieldSchema = Schema(plans.map { Schema.Field($0.field.key, $0.field.kind.columnType) })
        payloadOrder = plans.indices.filter { !plans[$0].isFinderOnly }
            .sorted { plans[$0].field.key.utf8.lexicographicallyPrecedes(plans[$1].field.key.utf8) }
            .map { place in
                var hasher = FingerprintHasher()
                hasher.combine(plans[place].field.key)
                return (place, hasher.finish())
            }
    }

    /// Maps the rows of a batch of the source; every one of them is mapped or a reject.
    ///
    /// - Parameters:
    ///   - batch: Has the columns of ``columns`` under these names, in any order, in the types they were compiled
    ///     with; other columns are passed over.
    ///   - links: Finds what the keys of entries with a link stand for; needed where there are such entries.
    package func map(_ batch: RecordBatch, links: LinkResolver? = nil) -> MappedBatch {
        var mapper = BatchMapper(self, batch, links)
        return mapper.map()
    }
}
