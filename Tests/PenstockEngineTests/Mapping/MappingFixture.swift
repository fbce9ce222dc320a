// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// A destination's fields and the shortest ways to map to them.
enum MappingFixture {
    static let code = String(repeating: "a1", count: 20)
    static let otherCode = String(repeating: "b2", count: 20)

    static let options = [
        FieldOption(id: "1", label: "Customer"), FieldOption(id: "2", label: "Partner"),
        FieldOption(id: "3", label: "Lead"), FieldOption(id: "4", label: "Twin"), FieldOption(id: "5", label: "Twin"),
        FieldOption(id: "6", label: "Gone", isActive: false),
    ]
    static let users = [
        FieldOption(id: "11", label: "Ada", aliases: ["ada@example.com"]),
        FieldOption(id: "12", label: "Bob", aliases: ["bob@example.com"], isActive: false),
        FieldOption(id: "13", label: "Cy", aliases: ["team@example.com"]),
        FieldOption(id: "14", label: "Di", aliases: ["Team@example.com"]),
    ]

    /// One field of every kind, named by the kind, and some custom ones.
    static let fields: [DestinationField] =
        DestinationField.Kind.allCases.map { kind in
            DestinationField(
                kind == .id ? "id" : kind.rawValue, kind, label: "The \(kind.rawValue)",
                isWritableOnCreate: kind != .id, isWritableOnUpdate: kind != .id, isClearable: true,
                lengthMax: kind == .text ? 10 : nil,
                options: kind == .user ? users : kind == .option || kind == .options ? options : [],
                parts: kind == .address ? ["locality", "country"] : [])
        } + [
            DestinationField("name", .text, label: "Name", isRequiredOnCreate: true),
            DestinationField("add_time", .instant, isWritableOnUpdate: false),
            DestinationField(code, .number, label: "ARR (EUR)", isCustom: true, isClearable: true),
            DestinationField(otherCode, .text, label: "Same", isCustom: true),
            DestinationField("c3", .text, label: "Same", isCustom: true),
        ]

    static let update = InsertDefinition(mode: .update)

    /// Maps one value to the field of `kind`, in an update.
    static func map(
        _ value: Value, as type: DataType, to kind: DestinationField.Kind, _ entry: MapEntry? = nil,
        insert: InsertDefinition = update
    ) throws -> MappedBatch {
        let source = Schema([Schema.Field("id", .int64), Schema.Field("c", type)])
        let map = [MapEntry(target: "id", from: "id"), entry ?? MapEntry(target: kind.rawValue, from: "c")]
        let mapping = try CompiledMapping(map: map, insert: insert, source: source, fields: fields)
        var batch = RecordBatch(source)
        batch.append([.int64(1), value])
        return mapping.map(batch)
    }

    /// The problems of a map, or none.
    static func problems(
        _ map: [MapEntry], _ insert: InsertDefinition = update,
        source: Schema = Schema(DataType.allCases.map { Schema.Field($0.rawValue, $0) }),
        fields: [DestinationField] = MappingFixture.fields
    ) -> [MappingProblem] {
        do {
            _ = try CompiledMapping(map: map, insert: insert, source: source, fields: fields)
            return []
        } catch {
            return error.problems
        }
    }
}

/// A generator whose whole sequence follows from its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// A generator with a new seed, which is printed so that a failure can be repeated.
    static func announced(_ test: String = #function) -> SeededGenerator {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("\(test): seed \(seed)")
        return SeededGenerator(seed: seed)
    }
}
