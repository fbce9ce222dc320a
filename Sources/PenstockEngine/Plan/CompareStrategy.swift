// SPDX-License-Identifier: Apache-2.0

/// Decides how the records behind rows are looked at before they are updated, so that it costs the least.
///
/// The ways are: read records by id in groups, read them one by one, read the list of all of them, or do not look and
/// send the rows as they are. What is known before reading is the number of rows, if the source ends within the rows at
/// hand, and what the list cost when it was read last, if it was. With both known, the choice is the minimum over all
/// ways and their mixtures. What is not known is decided on the way:
///
/// - **Ids that are numbers** say how far into the list the records of the rows at hand lie at most, as long as the
///   list comes in the order of its ids: whatever else there is, `n` pages show all ids up to `n` times a page. Where
///   so many pages, and the rest of the rows by id, cost less than all of them by id, they are read; that is certain
///   beforehand.
/// - **The number of rows is not known**: the list is read once records by id have cost as much as it does. In the end
///   it is at most twice the minimum.
/// - **The cost of the list is not known**: where one page may save at least what it costs, it is read, and another one
///   as long as the pages so far say that the rest of the list costs less than the rest of the rows by id. Pages never
///   cost more than the rows so far would have cost by id, and a row that a page holds is not read again; so it is
///   never more than twice what the rows cost by id, and one page more than that where the first page says that the
///   list is long.
///
/// Performs nothing itself; rows are numbers here. ADR 0034.
package struct CompareStrategy: Sendable, Hashable {
    /// What is asked for.
    package enum Demand: Sendable, Hashable {
        /// Every record has to be looked at.
        case look
        /// A record is looked at where that costs less than sending its row without a look.
        case cheapest
    }

    /// What to do next with the rows that wait.
    package enum Step: Sendable, Hashable {
        /// Read one more page of the list; all of it once it has been chosen.
        case page
        /// Read the records of the first so many rows with one request.
        case together(Int)
        /// Read the record of the first row alone.
        case alone
        /// Send the first so many rows without a look.
        case send(Int)
    }

    private let costs: CompareCosts
    /// What the whole list costs, as far as it is known.
    private let listCost: Int64?

    /// What records by id have cost so far.
    package private(set) var spentByID: Int64 = 0
    /// What pages have cost so far.
    package private(set) var spentOnPages: Int64 = 0
    /// Rows that were looked at by id so far.
    private var rowsByID: Int64 = 0
    /// Rows that pages have answered.
    private var rowsByPages: Int64 = 0
    /// Pages read.
    private var pages: Int64 = 0
    /// The id that the list has shown last, for as long as it comes in the order of its ids; nil once it does not.
    private var shownUpTo: UInt64? = 0

    /// A strategy for one run.
    ///
    /// - Parameter listCost: What reading the whole list costs, or nil where that is not known.
    package init(_ costs: CompareCosts, listCost: Int64?) {
        self.costs = costs
        self.listCost = listCost
    }

    /// What to do next; call it again once that is done, for as long as rows wait.
    ///
    /// - Parameters:
    ///   - waiting: How many rows wait, at least 1, all with different records.
    ///   - isLast: Whether no further rows come.
    ///   - ids: The ids of these records; nil where nothing is to be made of them.
    package func step(_ waiting: Int, isLast: Bool, _ demand: Demand, ids: WaitingIDs? = nil) -> Step {
        if let ids, pagesSave(Int64(waiting), demand, ids) { return .page }
        if listIsCheaper(Int64(waiting), isLast: isLast, demand) { return .page }
        let group = min(waiting, max(1, costs.groupMax))
        let isAlone = costs.readsOneByOne(group)
        guard let price = costs.readByID(Int64(isAlone ? 1 : group)) else {
            return .send(waiting)
        }
        let rows = isAlone ? 1 : group
        // At the same price the look is left out: it may find that everything has to be sent all the same.
        if demand == .cheapest, price >= Int64(rows) * costs.update { return .send(rows) }
        return isAlone ? .alone : .together(group)
    }

    /// Whether it is certain, by the ids, that further pages save more than they cost.
    private func pagesSave(_ waiting: Int64, _ demand: Demand, _ ids: WaitingIDs) -> Bool {
        guard let shownUpTo, costs.list(1) != nil else { return false }
        let least = otherwise(waiting, demand)
        guard least != Self.noWay else { return false }
        let next = shownUpTo / UInt64(costs.pageRecords)
        var rest = waiting
        for (page, count) in ids.pages(from: next, atMost: (least - 1) / costs.page) {
            rest -= Int64(count)
            if Int64(page - next + 1) * costs.page + otherwise(rest, demand) < least { return true }
        }
        return false
    }

    /// Whether the list, or its next page, is the better way to the records of the rows that wait.
    private func listIsCheaper(_ waiting: Int64, isLast: Bool, _ demand: Demand) -> Bool {
        guard costs.list(1) != nil else { return false }
        let seen = waiting + rowsByID + rowsByPages
        // Where more rows may come, as many are expected as there were.
        let expected = otherwise(isLast ? waiting : waiting + seen, demand)
        if expected == Self.noWay { return true }
        // A list that has become longer than it was is one of unknown length.
        if let listCost, spentOnPages < listCost { return listCost - spentOnPages < expected }
        guard spentOnPages + costs.page <= otherwise(seen, demand) else { return false }
        guard pages > 0 else { return 2 * costs.page <= expected }
        // The pages hold a share of the rows, and so, as far as is known, of the list: what is left of it is compared
        // with what is left of the rows.
        return Int128(pages) * Int128(seen - rowsByPages) * Int128(costs.page) < Int128(expected) * Int128(rowsByPages)
    }

    /// The least that so many rows cost without the list, before it is known what differs; ``noWay`` where there is
    /// nothing but the list.
    private func otherwise(_ rows: Int64, _ demand: Demand) -> Int64 {
        let group = Int64(max(1, costs.groupMax))
        func least(_ rows: Int64) -> Int64 {
            let sent = rows * costs.update
            guard let read = costs.readByID(rows) else { return demand == .look ? Self.noWay : sent }
            return demand == .look ? read : min(read, sent)
        }
        let (groups, rest) = (rows / group, rows % group)
        let full = least(group)
        return full == Self.noWay ? full : groups * full + (rest == 0 ? 0 : least(rest))
    }

    /// The cost of what cannot be done.
    private static let noWay = Int64.max

    /// What the whole list costs, as far as its first pages tell; nil where none was read.
    ///
    /// Pages that have shown none of the rows count as if they had shown one: the next run then does not try them
    /// again.
    package var listEstimate: Int64? {
        guard pages > 0 else { return nil }
        let seen = rowsByID + rowsByPages
        let share = Int128(spentOnPages) * Int128(seen) / Int128(max(1, rowsByPages))
        return max(spentOnPages + costs.page, Int64(clamping: share))
    }

    /// Takes note of records read by id.
    package mutating func noteByID(_ rows: Int, cost: Int64) {
        rowsByID += Int64(rows)
        spentByID += cost
    }

    /// Takes note of a row that did not have to wait, since a page has shown its record.
    package mutating func noteListed() { rowsByPages += 1 }

    /// Takes note of a record that the list has shown, in its order.
    package mutating func noteShown(_ id: String) {
        guard let last = shownUpTo else { return }
        shownUpTo = WaitingIDs.number(id).flatMap { $0 > last ? $0 : nil }
    }

    /// Takes note of a page.
    ///
    /// - Parameter rows: How many of the rows that waited it has answered.
    package mutating func notePage(_ rows: Int, cost: Int64) {
        pages += 1
        rowsByPages += Int64(rows)
        spentOnPages += cost
    }
}
