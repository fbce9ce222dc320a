// SPDX-License-Identifier: Apache-2.0

/// A connector: it names itself, describes its settings, and opens connections.
///
/// The same protocol stands on both sides of the C boundary: a connector implements it, and a loaded library is
/// seen through it. The engine cannot tell the two apart.
public protocol Connector: Sendable {
    /// Who this is and what it can do. Pure and cheap; the same every time.
    var descriptor: ConnectorDescriptor { get }

    /// Opens a source connection. Local and cheap; the network is first used by the calls on the source.
    ///
    /// - Parameters:
    ///   - settings: An object of the descriptor's ``ConnectorDescriptor/settings``; defaults are filled in,
    ///     references are resolved, relative paths are absolute.
    ///   - host: What the host offers this one connection; usable until the source is closed.
    /// - Throws: ``ConnectorError``: `unsupported` for a connector that is no source, `badConfig`.
    func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source

    /// Opens a destination connection, under the same rules as ``openSource(_:host:)``.
    ///
    /// - Throws: ``ConnectorError``: `unsupported` for a connector that is no destination, `badConfig`.
    func openDestination(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Destination
}

/// Abilities that a connector may have or lack; bits as in `penstock.h`.
public struct Capabilities: OptionSet, Sendable, Hashable {
    /// The bits that cross the C boundary.
    public let rawValue: UInt64
    /// Abilities from their bits; unknown bits are kept.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Opens sources.
    public static let source = Capabilities(rawValue: 1 << 0)
    /// Opens destinations.
    public static let destination = Capabilities(rawValue: 1 << 1)
    /// Reads a query, not only named objects.
    public static let query = Capabilities(rawValue: 1 << 2)
    /// Honours ``ReadRequest/lowerBound``; without it the host reads everything and drops rows itself.
    public static let lowerBound = Capabilities(rawValue: 1 << 3)
    /// Honours ``ReadRequest/order``.
    public static let order = Capabilities(rawValue: 1 << 4)
    /// Creates a marker field on request.
    public static let prepare = Capabilities(rawValue: 1 << 5)
    /// Deletes records.
    public static let delete = Capabilities(rawValue: 1 << 6)
    /// Rotates its own credential and asks the host to store it.
    public static let rotatesCredential = Capabilities(rawValue: 1 << 7)
    /// Reads files of this machine and needs no network, so that projects can be checked against it offline.
    public static let local = Capabilities(rawValue: 1 << 8)
}

/// What a connector says about itself, without being opened.
public struct ConnectorDescriptor: Sendable, Hashable {
    /// The id for project files, in lower case, for example `my-crm`.
    public var id: String
    /// The name for people, for example `My CRM`.
    public var title: String
    /// The connector's own version, `major.minor.patch`.
    public var version: String
    /// What it is for, in one sentence.
    public var summary: String
    /// What it can do.
    public var capabilities: Capabilities
    /// The settings of a connection, in the order in which a form shows them.
    public var settings: [ConfigField]
    /// What it can write, in order; empty for a source.
    public var objects: [ObjectDescriptor]
    /// How a connection gets its credential in a browser; nil where there is no such way.
    public var login: BrowserLogin?

    /// A connector's description.
    public init(
        id: String, title: String, version: String, summary: String, capabilities: Capabilities,
        settings: [ConfigField], objects: [ObjectDescriptor] = [], login: BrowserLogin? = nil
    ) {
        self.id = id
        self.title = title
        self.version = version
        self.summary = summary
        self.capabilities = capabilities
        self.settings = settings
        self.objects = objects
        self.login = login
    }
}
