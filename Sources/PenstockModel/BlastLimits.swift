// SPDX-License-Identifier: Apache-2.0

/// How much a run may do before a person must have looked: what is above it is stopped before anything is sent.
package struct BlastLimits: Sendable, Hashable {
    /// What is limited; the name is the key in the file and the word for `--yes-really`.
    package enum Name: String, Sendable, Hashable, CaseIterable {
        /// Records that are created.
        case creates
        /// Records that are changed.
        case updates
        /// Rows that are sent, of those fetched.
        case changed
        /// Values of one field that become empty, of the rows that have a record.
        case emptied
        /// Rows that are rejected.
        case rejected
        /// Tokens that the run costs.
        case tokens
        /// How far the source may shrink since the last finished run.
        case shrink

        /// The code of the error, for example `limit-creates`.
        package var code: String { "limit-\(rawValue)" }
    }

    /// A number, or a share in hundredths of a percent.
    package enum Bound: Sendable, Hashable {
        /// So many.
        case count(Int64)
        /// So many hundredths of a percent: `50%` is 5,000.
        case basisPoints(Int64)

        /// As it is written in the file.
        package var text: String {
            switch self {
            case .count(let number): "\(number)"
            case .basisPoints(let points):
                "\(points / 100)" + (points % 100 == 0 ? "" : ".\(points % 100 / 10)\(points % 10)") + "%"
            }
        }

        /// Whether `number` of `whole` is more than this.
        package func isExceeded(by number: Int64, of whole: Int64) -> Bool {
            switch self {
            case .count(let limit): number > limit
            case .basisPoints(let points): number * 10_000 > points * whole
            }
        }
    }

    /// The share by which a source may shrink where the file says nothing: half.
    package static let usualShrink = Bound.basisPoints(5_000)

    /// What the file limits.
    package var bounds: [Name: Bound] = [:]
    /// Limits that the file turns off.
    package var off: Set<Name> = []

    /// No limit but the usual ones.
    package init() {}

    /// The limit that holds, or nil.
    ///
    /// - Parameter mode: A source that is read as a whole may not shrink by more than half unless the file says so.
    package func bound(_ name: Name, _ mode: FetchDefinition.Mode) -> Bound? {
        if off.contains(name) { return nil }
        if let bound = bounds[name] { return name == .shrink && mode != .full ? nil : bound }
        return name == .shrink && mode == .full ? Self.usualShrink : nil
    }
}
