// SPDX-License-Identifier: Apache-2.0

/// The undos of a sync, which may have undone each other.
struct UndoChain {
    /// A run that has undone another one.
    struct Undo {
        /// Its number.
        var run: Int64
        /// Its id.
        var id: String
        /// The number of the run that it has undone.
        var undoes: Int64
    }

    private let all: [Undo]

    /// The undos of a sync, in their order.
    init(_ undos: [Undo]) { all = undos }

    /// The ids of the undos of a run that still stand: that were not undone themselves.
    func undos(of run: Int64) -> [String] {
        // An undo is younger than what it undoes, so this comes to an end.
        all.filter { $0.undoes == run && $0.run > run && undos(of: $0.run).isEmpty }.map(\.id)
    }
}
