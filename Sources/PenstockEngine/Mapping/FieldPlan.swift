// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How one target field is filled.
struct FieldPlan: Sendable {
    /// Where the value comes from.
    enum Origin: Sendable {
        /// A column of the source.
        case column(SourceColumn)
        /// A constant, converted already.
        case constant(Converted)
        /// A constant that means something else from row to row: an option within the row's group.
        case groupedConstant(Value)
        /// The parts of a compound field.
        case parts([PartPlan])
    }

    let entry: Int
    /// The target as the map spells it.
    let name: String
    let field: DestinationField
    let origin: Origin
    /// What stands in for NULL, converted already.
    let defaultValue: Converted?
    let converter: FieldConverter
    /// A default that means something else from row to row, as for ``Origin/groupedConstant(_:)``; or nil.
    var groupedDefault: Value?
    /// The sync whose rows the column names by their source keys, or nil.
    var link: String?
    /// Whether it only finds records; see ``MatchRule/from``.
    var isFinderOnly = false
    /// The place of the target whose option names the group of this one's options, or nil.
    var groupTarget: Int?
    /// When an update may change it.
    var editGuard = EditGuard.overwrite
    /// The place of the target that says whether this field may have a value, or nil.
    var conditionTarget: Int?

    /// The columns read.
    var columns: [SourceColumn] {
        switch origin {
        case .column(let column): [column]
        case .constant, .groupedConstant: []
        case .parts(let parts): parts.compactMap(\.column)
        }
    }
}

/// How one part of a compound field is filled.
struct PartPlan: Sendable {
    let name: String
    /// The column, or nil for a constant.
    let column: SourceColumn?
    /// The constant, or what stands in for NULL.
    let constant: JSON?
}

/// A column that the map reads.
struct SourceColumn: Sendable, Hashable {
    let name: String
    let type: DataType
}
