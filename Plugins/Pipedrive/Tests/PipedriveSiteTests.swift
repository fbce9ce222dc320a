// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import PipedriveConnector
import Testing

@Suite struct PipedriveSiteTests {
    private func field(_ domain: String?, _ url: String?) -> String? {
        #expect(throws: ConnectorError.self) { try PipedriveSite(companyDomain: domain, baseURL: url) }?.field
    }

    @Test func aCompanyDomainBecomesItsAddress() throws {
        let site = try PipedriveSite(companyDomain: "acme-2", baseURL: nil)
        #expect(site.base == "https://acme-2.pipedrive.com")
        #expect(!site.isPlain)
    }

    @Test(arguments: ["", "Acme", "acme.pipedrive.com", "-a", "a/b", "a b", "a@evil.example"])
    func otherDomainsAreRefused(domain: String) { #expect(field(domain, nil) == "company_domain") }

    @Test func oneOfTheTwoIsNeededAndBaseURLWins() throws {
        #expect(field(nil, nil) == "company_domain")
        let site = try PipedriveSite(companyDomain: "acme", baseURL: "http://127.0.0.1:7391")
        #expect(site.base == "http://127.0.0.1:7391")
    }

    @Test(arguments: ["http://127.0.0.1:8080/", "http://localhost:1", "http://[::1]:8080"])
    func plainHTTPIsForThisMachine(url: String) throws {
        let site = try PipedriveSite(companyDomain: nil, baseURL: url)
        #expect(site.isPlain)
        #expect(!site.base.hasSuffix("/"))
    }

    @Test(arguments: [
        "http://acme.pipedrive.com", "http://127.0.0.1.evil.example", "http://localhost.evil.example",
        "http://127.0.0.1@evil.example", "ftp://127.0.0.1", "acme.pipedrive.com", "https://", "https://a b",
        "https://acme.pipedrive.com/api/v2", "https://acme.pipedrive.com/v1", "https://a?b", "http://127.1.evil",
        "http://127.0.0.1:99999", "http://127.0.0.1:0", "http://127.0.0.1:", "http://[::1]:x",
        "https://a.example:65536",
    ])
    func otherAddressesAreRefused(url: String) { #expect(field(nil, url) == "base_url") }

    @Test func aTokenWithALineBreakIsRefusedAndNotShown() {
        let settings: JSONObject = ["company_domain": .string("acme"), "api_token": .string("secret\r\nx: 1")]
        let error = #expect(throws: ConnectorError.self) {
            _ = try PipedriveConnector().openDestination(.object(settings), host: TestHost())
        }
        #expect(error?.code == .badConfig)
        #expect(error?.field == "api_token")
        #expect(error?.message.contains("secret") == false)
    }
}
