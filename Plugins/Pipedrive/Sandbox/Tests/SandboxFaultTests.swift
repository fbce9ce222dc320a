// SPDX-License-Identifier: Apache-2.0

import PipedriveSandbox
import Testing

@Suite struct SandboxFaultTests {
    @Test(arguments: [
        "status=abc", "status", "explode", "hang:nth", "hang:nth=0", "hang:colour=red", "slow=soon", "reset-after=1",
        "late", "late=soon", "redirect=0", "garbage=odd", "block=1",
    ])
    func aFaultThatSaysNothingUsableIsRefused(text: String) {
        #expect(throws: SandboxFaultError.self) { try SandboxFault(parsing: text) }
    }

    @Test func filtersAreRead() throws {
        let fault = try SandboxFault(parsing: "status=503:method=post:path=/api/v2/organizations:every=7:count=2")
        #expect(fault.kind == .status(503))
        #expect(fault.method == "POST")
        #expect(fault.path == "/api/v2/organizations")
        #expect(fault.every == 7)
        #expect(fault.count == 2)
    }
}
