// SPDX-License-Identifier: Apache-2.0

/// The columns of a stream, in order.
public struct Schema: Sendable, Hashable {
    /// One column: its name, logical type and whether it may hold NULL.
    public struct Field: Sendable, Hashable {
        /// The column's name as the source spells it.
        public var name: String
        /// The logical type of every value.
        public var type: DataType
        /// Whether NULL may occur; true where the source cannot tell.
        public var isNullable: Bool
        /// The source's own name of the type, for display, for example `varchar(40)`; empty where unknown.
        public var nativeType: String

        /// A column of a stream.
        public init(_ name: String, _ type: DataType, isNullable: Bool = true, nativeType: String = "") {
            self.name = name
            self.type = type
            self.isNullable = isNullable
            self.nativeType = nativeType
        }
    }

    /// The columns, in order.
    ///
    /// Names may repeat in a careless query; ``index(of:)`` then finds the first.
    public var fields: [Field]

    /// A schema of these columns.
    public init(_ fields: [Field]) { self.fields = fields }

    /// The position of the first column with this name, compared byte for byte, or nil.
    public func index(of name: String) -> Int? { fields.firstIndex { $0.name.utf8.elementsEqual(name.utf8) } }
}
