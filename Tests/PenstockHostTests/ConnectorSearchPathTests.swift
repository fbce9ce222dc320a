// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import Testing

@Suite struct ConnectorSearchPathTests {
    private func paths(_ environment: [String: String], _ executable: String? = "/opt/p/bin/penstock") -> [String] {
        ConnectorSearchPath(environment: environment, executable: executable).folders.map(\.path)
    }

    @Test func theVariableComesFirstThenTheBinaryThenTheUserThenTheSystem() {
        #expect(
            paths(["PENSTOCK_CONNECTOR_PATH": "/a:/b", "HOME": "/home/u"]) == [
                "/a", "/b", "/opt/p/bin", "/opt/p/bin/../lib/penstock/connectors",
                "/home/u/.local/share/penstock/connectors", "/usr/local/lib/penstock/connectors",
                "/usr/lib/penstock/connectors",
            ])
    }

    @Test func theDataFolderOfTheUserCanBeElsewhere() {
        #expect(paths(["XDG_DATA_HOME": "/data", "HOME": "/home/u"], nil).first == "/data/penstock/connectors")
        #expect(paths(["XDG_DATA_HOME": "data", "HOME": "/h"], nil).first == "/h/.local/share/penstock/connectors")
    }

    @Test func relativeAndRepeatedFoldersArePassedOver() {
        #expect(
            paths(["PENSTOCK_CONNECTOR_PATH": "::x:./y:/a:/a"], nil).prefix(2) == [
                "/a", "/usr/local/lib/penstock/connectors",
            ])
    }

    @Test func besideTheBinaryOnlyOurNamesCount() {
        let path = ConnectorSearchPath(environment: [:], executable: "/bin/penstock")
        #expect(path.folders.first == .init(path: "/bin", prefix: "libpenstock-"))
        #expect(path.folders.dropFirst().allSatisfy { $0.prefix.isEmpty })
    }

    @Test func theProcessHasOne() {
        #expect(ConnectorSearchPath.ofProcess().folders.contains { $0.path == Workshop.products.path })
    }
}
