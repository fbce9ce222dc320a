// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

@Suite struct FingerprintTests {
    @Test(
        "Digests in state files stay what they are: SipHash-2-4 of 128 bits",
        arguments: [
            (0, "503ebf9d65bb680e5b02d40f97be53c8"), (1, "600bde36bd0204da9780dbff462e3815"),
            (7, "f4bbffcbea58182d73b3b93fb36faf3c"), (8, "a8391bdd7a2111275b17516f292042ab"),
            (9, "58644b4ab7647caa02e2cfbbbb7e9b6f"), (20, "02724f8da19512915b7f0b9577e0067a"),
            (63, "e4fb8d88192fb5321b1ce4e8d1af18aa"),
        ])
    func digestsStayWhatTheyAre(count: Int, hex: String) {
        let bytes = (0..<count).map { UInt8($0) }
        var hasher = FingerprintHasher()
        hasher.combine(raw: bytes)
        #expect(hasher.finish().hex == hex)
    }

    @Test("It does not matter in which form, and in which pieces, bytes are given", arguments: 0..<20)
    func formAndPiecesDoNotMatter(cut: Int) {
        let bytes = (0..<60).map { UInt8(truncatingIfNeeded: 200 + $0 * 3) }
        var whole = FingerprintHasher()
        whole.combine(raw: bytes)
        var pieces = FingerprintHasher()
        pieces.combine(raw: bytes.span.extracting(0..<cut))
        pieces.combine(raw: bytes.span.extracting(cut..<bytes.count))
        #expect(pieces.finish() == whole.finish())
    }

    @Test func aBatchHasTheDigestsOfItsRows() {
        let schema = Schema([Schema.Field("a", .int64), Schema.Field("b", .text), Schema.Field("c", .float64)])
        var batch = RecordBatch(schema)
        batch.append([.int64(-1), .text("Große Straße"), .float64(0.5)])
        batch.append([.null, .text(""), .null])
        batch.append([.int64(7), .null, .float64(-0.0)])
        for places in [[0, 1, 2], [1], [2, 0], []] {
            let expected = (0..<3).map { row in
                var hasher = FingerprintHasher()
                for place in places { hasher.combine(batch.columns[place], row: row) }
                return hasher.finish()
            }
            #expect(batch.fingerprints(of: places) == expected)
        }
        #expect(batch.fingerprints() == batch.fingerprints(of: [0, 1, 2]))
    }
}
