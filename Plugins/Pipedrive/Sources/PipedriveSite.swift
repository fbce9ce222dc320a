// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Where an account's API is.
package struct PipedriveSite: Sendable, Hashable {
    /// The address without a path, version and trailing slash.
    package let base: String
    /// The host name, with the port where one is given, for messages.
    package let name: String
    /// Whether it is reached without TLS, which only a host on this machine may be.
    package let isPlain: Bool

    /// The address that follows from the settings `company_domain` and `base_url`, one of which must be given.
    ///
    /// `base_url` wins, so that a profile can send a connection to a sandbox.
    ///
    /// - Throws: ``ConnectorError`` `badConfig`, naming the setting.
    package init(companyDomain: String?, baseURL: String?) throws(ConnectorError) {
        switch (companyDomain, baseURL) {
        case (nil, nil):
            throw ConnectorError(
                .badConfig, "The setting company_domain is missing: the part before .pipedrive.com.",
                field: "company_domain")
        case (.some(let domain), nil): try self.init(domain: domain)
        case (_, .some(let url)): try self.init(url: url)
        }
    }

    /// The address that an answer of the token endpoint names, or nil where it is none of Pipedrive's.
    ///
    /// It decides where a credential is sent to, so nothing but a company's own host is taken.
    package init?(apiDomain: String) {
        let prefix = "https://"
        guard apiDomain.hasPrefix(prefix) else { return nil }
        var host = apiDomain.dropFirst(prefix.count)
        if host.last == "/" { host.removeLast() }
        guard host.hasSuffix(Self.vendorSuffix),
            // Whatever is wrong with the name, it is not taken.
            let site = try? PipedriveSite(domain: String(host.dropLast(Self.vendorSuffix.count)))
        else { return nil }
        self = site
    }

    private static let vendorSuffix = ".pipedrive.com"

    /// Whether it is a host of Pipedrive itself.
    var isVendor: Bool { !isPlain && name.hasSuffix(Self.vendorSuffix) }

    private init(domain: String) throws(ConnectorError) {
        let isLabel =
            (1...63).contains(domain.utf8.count) && domain.utf8.first != UInt8(ascii: "-")
            && domain.utf8.allSatisfy(Self.isLabelByte)
        guard isLabel else {
            throw ConnectorError(
                .badConfig,
                "The setting company_domain holds only the part before .pipedrive.com, in lower case, for example acme.",
                field: "company_domain")
        }
        name = "\(domain).pipedrive.com"
        base = "https://\(name)"
        isPlain = false
    }

    /// The address in a setting.
    ///
    /// - Throws: ``ConnectorError`` `badConfig`, naming the setting.
    init(url: String, setting: String = "base_url") throws(ConnectorError) {
        func refuse(_ message: String) -> ConnectorError {
            ConnectorError(.badConfig, message.replacing("base_url", with: setting), field: setting)
        }
        var text = url[...]
        while text.last == "/" { text.removeLast() }
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else {
            throw refuse("The setting base_url must start with https://.")
        }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        let isClean = rest.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7F && !"@?#\\\"<>%".utf8.contains(byte)
        }
        guard !authority.isEmpty, isClean else {
            throw refuse("The setting base_url must be a plain address, for example https://acme.pipedrive.com.")
        }
        guard Self.hasPossiblePort(authority) else {
            throw refuse("The port in the setting base_url must be a number from 1 to 65535.")
        }
        guard !rest.dropFirst(authority.count).split(separator: "/").contains(where: { $0 == "api" || $0 == "v1" })
        else { throw refuse("The setting base_url ends before the version: leave out /api/v2 and /v1.") }
        isPlain = scheme == "http://"
        name = String(authority)
        base = String(text)
        guard !isPlain || Self.isLoopback(name) else {
            throw refuse("The setting base_url may use http:// only for this machine; use https://.")
        }
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }

    /// Whether an authority has no port, or one that there can be.
    private static func hasPossiblePort(_ authority: Substring) -> Bool {
        let afterAddress = authority.lastIndex(of: "]") ?? authority.startIndex
        guard let colon = authority[afterAddress...].lastIndex(of: ":") else { return true }
        let port = authority[authority.index(after: colon)...]
        return port.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } && UInt16(port) ?? 0 > 0
    }

    /// Whether an authority names this machine: `localhost`, `[::1]` or an address `127.x.y.z`.
    private static func isLoopback(_ authority: String) -> Bool {
        if authority == "[::1]" || authority.hasPrefix("[::1]:") { return true }
        let host = authority.prefix { $0 != ":" }
        if host == "localhost" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
