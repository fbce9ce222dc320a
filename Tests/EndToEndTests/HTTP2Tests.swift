// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// HTTP/2 where TLS offers it: many requests on one connection, under the same limits.
@Suite(.enabled(if: TLSProxy.isAvailable, "needs nghttpx (nghttp2-proxy)")) struct HTTP2Tests {
    /// A project whose destination is reached through `proxy`.
    private func connect(_ project: TemporaryProject, _ proxy: TLSProxy, budget: String) throws {
        try project.write(
            "connections.yml",
            """
            version: 1
            connections:
              files: {connector: csv, path: ./data/*.csv}
              crm:
                connector: pipedrive
                base_url: \(proxy.url)
                ca_file: \(proxy.certificateFile)
                api_token: ${env:CRM_TOKEN}
                budget: \(budget)

            """)
        try project.csv("orgs", ["key,company"] + (1...100).map { "k\($0),Company \($0)" })
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company}
            insert: {mode: Append}
            """)
    }

    @Test("Where TLS offers HTTP/2, the creates of a run share one connection and keep the limit")
    func oneConnection() throws {
        let project = try TemporaryProject {
            $0.burst = 40
            $0.latency = 50
        }
        let proxy = try TLSProxy(before: project.server.baseURL, protocols: "h2,http/1.1")
        try connect(project, proxy, budget: "{burst: 40, window: 2s}")
        let report = try project.run()
        #expect(report.status == 0, "\(report.result.errors)")
        #expect(report.counts == "fetched 100, created 100")
        #expect(Set(project.server.names) == Set((1...100).map { "Company \($0)" }))
        #expect(project.server.counters.burst429 == 0)
        let requests = try proxy.requests()
        let creates = requests.filter { $0.line.hasPrefix("POST ") }
        #expect(creates.count == 100)
        #expect(requests.allSatisfy { $0.protocol == "h2" && $0.line.hasSuffix("HTTP/2") }, "\(requests.prefix(3))")
        #expect(Set(creates.map(\.connection)).count == 1)
    }

    @Test("Where TLS offers HTTP/1.1 alone, the same run takes a connection for each request that is out")
    func fallsBack() throws {
        let project = try TemporaryProject { $0.latency = 20 }
        let proxy = try TLSProxy(before: project.server.baseURL, protocols: "http/1.1")
        try connect(project, proxy, budget: "{burst: 100000, window: 2s}")
        let report = try project.run()
        #expect(report.counts == "fetched 100, created 100", "\(report.result.errors)")
        let requests = try proxy.requests()
        #expect(requests.allSatisfy { $0.protocol == "http/1.1" && $0.line.hasSuffix("HTTP/1.1") })
        #expect(Set(requests.map(\.connection)).count > 1)
    }
}
