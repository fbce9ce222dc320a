// SPDX-License-Identifier: Apache-2.0

/// How a connection is given its credential in a browser: OAuth 2.0 with an authorization code.
///
/// The host sends the browser to the authorization server and takes the answer. The connector, which has HTTP and TLS,
/// exchanges the code: it is opened with the setting ``setting``, an object of `code`, `redirect_uri` and, with PKCE,
/// `code_verifier`, and stores what it gets as any renewed credential before it is used.
public struct BrowserLogin: Sendable, Hashable {
    /// The setting with which a connector is opened for a login; no project file holds it.
    public static let setting = "login"

    /// The address of the authorization server's page.
    public var authorizeURL: String
    /// The setting that holds another address, or empty.
    public var authorizeURLSetting: String
    /// The setting that holds the client id.
    public var clientIDSetting: String
    /// The settings that must have a value before a login, in the order in which they are asked for.
    public var needs: [String]
    /// The secret setting that a login gives a value.
    public var gives: String
    /// The settings that stand for other ways in, which must have no value.
    public var insteadOf: [String]
    /// The rights to ask for, separated by spaces; empty where the app's registration says them.
    public var scope: String
    /// The boolean setting that says whether the server takes PKCE (S256); empty for one that always does.
    public var pkceSetting: String
    /// The port of the address that is registered with the authorization server; nil for any free one.
    public var port: Int?

    /// A login; see the properties.
    public init(
        authorizeURL: String, authorizeURLSetting: String = "", clientIDSetting: String, needs: [String], gives: String,
        insteadOf: [String] = [], scope: String = "", pkceSetting: String = "", port: Int? = nil
    ) {
        self.authorizeURL = authorizeURL
        self.authorizeURLSetting = authorizeURLSetting
        self.clientIDSetting = clientIDSetting
        self.needs = needs
        self.gives = gives
        self.insteadOf = insteadOf
        self.scope = scope
        self.pkceSetting = pkceSetting
        self.port = port
    }
}
