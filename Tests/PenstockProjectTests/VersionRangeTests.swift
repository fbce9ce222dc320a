// SPDX-License-Identifier: Apache-2.0

import PenstockProject
import Testing

@Suite struct VersionRangeTests {
    @Test(arguments: [
        (">=0.3 <1.0", "0.3.0", true), (">=0.3 <1.0", "0.99.9", true), (">=0.3 <1.0", "1.0.0", false),
        ("^1.2", "1.2.0", true), ("^1.2", "1.9.9", true), ("^1.2", "2.0.0", false), ("^1.2", "1.1.9", false),
        ("^0.3", "0.3.7", true), ("^0.3", "0.4.0", false), ("~1.2", "1.2.9", true), ("~1.2", "1.3.0", false),
        ("1.2.3", "1.2.3", true), ("=1.2.3", "1.2.4", false), ("*", "9.9.9", true), (">1.0", "1.0.0", false),
        ("<=1.0", "1.0.0", true), ("^1.0", "1.2.0-dev", true), ("^1.10", "1.9.0", false),
    ])
    func aRangeHoldsItsVersions(_ range: String, _ version: String, _ isIn: Bool) throws {
        #expect(try #require(VersionRange(range)).contains(version) == isIn)
    }

    @Test(arguments: ["", "newest", "^^1", "1.2.3.4", ">=x", "1..2"])
    func whatIsNoRangeIsRefused(_ text: String) {
        #expect(VersionRange(text) == nil)
    }
}
