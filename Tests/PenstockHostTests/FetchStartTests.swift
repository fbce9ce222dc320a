// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockState
import Testing

/// Where a fetch starts, given what the file says and what earlier runs left.
@Suite struct FetchStartTests {
    private func bound(
        _ fetch: FetchDefinition, _ watermark: String?, stored: DataType = .int64, type: DataType = .int64
    ) -> Value? {
        let stored = watermark.map { Watermark(column: "at", type: stored, text: $0, run: 1) }
        return FetchStart.resolve(fetch, stored, type: type)?.lowerBound?.value
    }

    @Test("A run never looks back behind the start, with lookback and with a watermark that was held there")
    func neverBehindTheStart() {
        var fetch = FetchDefinition(mode: .incremental, key: "at", start: "5", lookback: .number("4"))
        #expect(bound(fetch, "7") == .int64(5))
        #expect(bound(fetch, "20") == .int64(16))
        fetch.lookback = nil
        #expect(bound(fetch, "3") == .int64(5))
        #expect(bound(fetch, nil) == .int64(5))
    }

    @Test("A watermark of another order is none; numbers are numbers in any type")
    func typeChanged() {
        let fetch = FetchDefinition(mode: .incremental, key: "at")
        #expect(FetchStart.resolve(fetch, Watermark(column: "at", type: .int64, text: "9", run: 1), type: .text) == nil)
        #expect(bound(fetch, "9", stored: .int64, type: .decimal) == .decimal("9"))
    }
}
