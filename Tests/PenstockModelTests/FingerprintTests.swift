// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

@Suite struct FingerprintTests {
    /// The vectors that xxHash itself is tested with, for the seed 0: each length has its own way through the function.
    @Test(
        "A digest is XXH3 with 128 bits, on every machine and in every version",
        arguments: [
            (0, 0x6001_C324_468D_497F, 0x99AA_06D3_0147_98D8), (1, 0xC44B_DFF4_074E_ECDB, 0xA6CD_5E93_9200_0F6A),
            (6, 0x3E70_39BD_DA43_CFC6, 0x082A_FE0B_8162_D12A), (12, 0x061A_1927_13F6_9AD9, 0x6E3E_FD8F_C780_2B18),
            (24, 0x1E70_44D2_8B1B_901D, 0x0CE9_66E4_678D_3761), (48, 0xF942_219A_ED80_F67B, 0xA002_AC4E_5478_227E),
            (81, 0x5E8B_AFB9_F95F_B803, 0x4952_F581_81AB_0042), (222, 0xF1AE_BD59_7CEC_6B3A, 0x337E_0964_1B94_8717),
            (403, 0xCDEB_804D_65C6_DEA4, 0x1B6D_E21E_332D_D73D), (512, 0x617E_4959_9013_CB6B, 0x18D2_D110_DCC9_BCA1),
            (2048, 0xDD59_E2C3_A5F0_38E0, 0xF736_557F_D470_73A5), (2367, 0xCB37_AEB9_E5D3_61ED, 0xE89C_0F6F_F369_B427),
        ] as [(Int, UInt64, UInt64)])
    func digestsAreThePublishedOnes(count: Int, low: UInt64, high: UInt64) {
        var state: UInt64 = 2_654_435_761
        let bytes = (0..<count).map { _ -> UInt8 in
            defer { state &*= 11_400_714_785_074_694_797 }
            return UInt8(state >> 56)
        }
        var hasher = FingerprintHasher()
        hasher.combine(raw: bytes)
        #expect(hasher.finish() == Fingerprint(low: low, high: high))
        #expect(FingerprintHasher.digest(raw: bytes.span) == hasher.finish())
    }

    @Test("Digests in state files stay what they are")
    func digestsStayWhatTheyAre() {
        var hasher = FingerprintHasher()
        #expect(hasher.finish().hex == "7f498d4624c30160d8984701d306aa99")
        hasher.combine("Große Straße")
        hasher.combine(7)
        #expect(hasher.finish().hex == "2d66dea6f257db5068ac19935a8ed322")
        hasher.combine(bytes: [UInt8](repeating: 9, count: 300))
        #expect(hasher.finish().hex == "fe2618a55f64f6916913802f3d8069ba")
        var row = FingerprintHasher()
        for value in [Value.int64(-1), .null, .text("a"), .float64(0.5), .decimal("1.50")] {
            var column = Column(value.type ?? .text)
            column.append(value)
            row.combine(column, row: 0)
        }
        #expect(row.finish().hex == "df7b890e4812f0b0e2a364da11d2fb99")
    }

    @Test("It does not matter in which form, and in which pieces, bytes are given", arguments: [0, 1, 7, 60, 255, 256])
    func formAndPiecesDoNotMatter(cut: Int) {
        for count in [cut, cut + 1, cut + 8, cut + 256, cut + 700] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: 200 + $0 * 3) }
            let whole = FingerprintHasher.digest(raw: bytes.span)
            var pieces = FingerprintHasher()
            pieces.combine(raw: bytes.span.extracting(0..<cut))
            pieces.combine(raw: bytes.span.extracting(cut..<bytes.count))
            #expect(pieces.finish() == whole)
            var words = FingerprintHasher()
            words.combine(raw: bytes.prefix(count % 8))
            for start in stride(from: count % 8, to: count, by: 8) {
                words.combine((0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) })
            }
            #expect(words.finish() == whole)
            #expect(words.finish() == whole, "A digest that was taken changes nothing.")
        }
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
