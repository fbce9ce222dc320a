// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite struct HeaderTests {
    @Test(
        "the header is clean C11 and C++17",
        arguments: [("/usr/bin/cc", "c11", "c"), ("/usr/bin/c++", "c++17", "c++")])
    func theHeaderCompiles(compiler: String, standard: String, language: String) throws {
        let include = Workshop.package.appendingPathComponent("Sources/CPenstock/include")
        let result = try Workshop().run(
            compiler,
            [
                "-std=\(standard)", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-x", language,
                include.appendingPathComponent("penstock.h").path,
            ])
        #expect(result.status == 0, "\(result.text)")
    }
}
