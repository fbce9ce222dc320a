// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import Testing

@Suite struct HTTPRequestTests {
    @Test(arguments: ["secret\r\nx-other: 1", "secret\n", "a\u{0}b", "a\u{7F}"])
    func aHeaderCannotSmuggleAnotherOne(value: String) { #expect(HTTPHeader("x-api-token", value) == nil) }

    @Test func queryPartsAreEncodedByteByByte() {
        #expect(HTTPRequest.percentEncoded("2026-01-01T10:20:00Z") == "2026-01-01T10%3A20%3A00Z")
        #expect(HTTPRequest.percentEncoded("Zoë & co") == "Zo%C3%AB%20%26%20co")
    }
}
