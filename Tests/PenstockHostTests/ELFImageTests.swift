// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import Testing

@Suite struct ELFImageTests {
    private let workshop: Workshop
    private let bytes: [UInt8]

    init() throws {
        workshop = try Workshop()
        let path = try workshop.library(
            "elf", Workshop.connector("elf", "#include <stdlib.h>\nvoid *(*used)(size_t) = malloc;"))
        bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    private func image(_ bytes: [UInt8]) throws(ELFImage.Fault) -> ELFImage {
        try ELFImage(size: bytes.count) { Array(bytes[$0]) }
    }

    private func changed(_ offset: Int, _ value: UInt8) -> [UInt8] {
        var copy = bytes
        copy[offset] = value
        return copy
    }

    @Test func exportsAndNeedsAreRead() throws {
        let image = try image(bytes)
        #expect(image.exports == ["penstock_connector_v1"])
        #expect(image.needed == ["libc.so.6"])
    }

    @Test func otherFilesAreNamedForWhatTheyAre() {
        #expect(throws: ELFImage.Fault.self) { try image([]) }
        #expect(throws: ELFImage.Fault.self) { try image(Array("#!/bin/sh\n".utf8)) }
        let cases: [(Int, UInt8, String)] = [
            (4, 1, "is not a 64-bit library"), (5, 2, "has the byte order of another processor"),
            (18, 3, "is made for another processor"),
            (16, 2, "is not a shared library but another kind of ELF file"),
        ]
        for (offset, value, reason) in cases {
            let fault = #expect(throws: ELFImage.Fault.self) { try image(changed(offset, value)) }
            #expect(fault?.reason == reason)
        }
    }

    @Test func everyTruncationIsAFaultAndNoTrap() {
        for count in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: ELFImage.Fault.self, "\(count) bytes") { try image(Array(bytes.prefix(count))) }
        }
    }

    @Test func everyChangedByteIsReadOrRefusedWithoutATrap() {
        for offset in stride(from: 0, to: bytes.count, by: 3) {
            for value in [0x00, 0x7F, 0xFF] as [UInt8] {
                // Either answer will do; the test is that there is one.
                _ = try? image(changed(offset, value))
            }
        }
    }
}
