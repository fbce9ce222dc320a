// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A place in a sync that a finding can be about.
package enum SyncLocation: Sendable, Hashable {
    /// What of a map entry.
    package enum Item: Sendable, Hashable {
        /// The key: the target field.
        case target
        /// What fills it, whatever it is.
        case content
        /// The column.
        case from
        /// The constant.
        case value
        /// What stands in for NULL.
        case defaultText
        /// How options are named.
        case option
        /// The separator.
        case split
        /// The sync that is linked to.
        case link
        /// When an update may change it.
        case editGuard
        /// What happens to unknown elements.
        case whenMissing
    }

    /// The sync as a whole.
    case file
    /// `name`.
    case name
    /// `destination`.
    case destination
    /// `destination.connection`.
    case destinationConnection
    /// `destination.object`.
    case destinationObject
    /// `source`.
    case source
    /// `source.connection`.
    case sourceConnection
    /// `source.model`.
    case model
    /// `source.table`.
    case table
    /// One column of `source.key`, or of the model's key.
    case sourceKey(Int)
    /// `map`.
    case map
    /// An entry of `map`, by its index in ``PenstockModel/SyncDefinition/map``.
    case entry(Int, Item)
    /// A part of an entry, by both indexes.
    case part(entry: Int, part: Int, Item)
    /// `fetch`.
    case fetch
    /// `fetch.mode`.
    case fetchMode
    /// `fetch.key`.
    case fetchKey
    /// `fetch.start`.
    case fetchStart
    /// `fetch.lookback`.
    case fetchLookback
    /// `fetch.null_key`.
    case fetchNullKey
    /// `fetch.on_removed`.
    case fetchOnRemoved
    /// `insert`.
    case insert
    /// `insert.mode`.
    case insertMode
    /// `insert.match`.
    case insertMatch
    /// `insert.on_missing`.
    case insertOnMissing
    /// `insert.on_null`.
    case insertOnNull
    /// `insert.compare`.
    case insertCompare
    /// `insert.repeat`.
    case insertRepeat
    /// `insert.delivery`.
    case insertDelivery
    /// `insert.settle`.
    case insertSettle
    /// `insert.guard`.
    case insertGuard
    /// `undo`.
    case undo
    /// `schedule`.
    case schedule
    /// `schedule.cron` or `schedule.every`.
    case scheduleTiming
    /// `schedule.timezone`.
    case scheduleTimezone
    /// `limits`.
    case limits
    /// A limit of how much a run may do.
    case limit(BlastLimits.Name)
    /// `rejects.max`.
    case rejectsMax
    /// An element of `mask`.
    case mask(Int)
    /// An element of `after`.
    case after(Int)

    /// Where to look when the file does not have this place.
    var parent: SyncLocation? {
        switch self {
        case .file: nil
        case .destinationConnection, .destinationObject: .destination
        case .sourceConnection, .model, .table, .sourceKey: .source
        case .entry(_, .target): .map
        case .entry(let index, .content): .entry(index, .target)
        case .entry(let index, _): .entry(index, .content)
        case .part(let entry, _, .target): .entry(entry, .content)
        case .part(let entry, let part, .content): .part(entry: entry, part: part, .target)
        case .part(let entry, let part, _): .part(entry: entry, part: part, .content)
        case .fetchMode, .fetchKey, .fetchStart, .fetchLookback, .fetchNullKey, .fetchOnRemoved: .fetch
        case .insertMode, .insertMatch, .insertOnMissing, .insertOnNull, .insertCompare, .insertRepeat,
            .insertDelivery, .insertSettle, .insertGuard:
            .insert
        case .scheduleTiming, .scheduleTimezone: .schedule
        case .limit: .limits
        case .name, .destination, .source, .map, .fetch, .insert, .schedule, .limits, .rejectsMax, .mask, .after, .undo:
            .file
        }
    }
}
