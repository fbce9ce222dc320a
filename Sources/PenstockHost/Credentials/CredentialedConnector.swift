// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A connector that is opened with the credential it has renewed last, and stores the next one.
package struct CredentialedConnector: Connector {
    private let base: any Connector
    private let store: CredentialStore
    private let redactor: Redactor

    /// `base` with a store for its credentials; `base` itself where it never renews one.
    ///
    /// - Parameter redactor: Learns every secret that is read or stored.
    package static func wrapping(
        _ base: any Connector, _ store: CredentialStore, redactor: Redactor
    ) -> any Connector {
        guard base.descriptor.capabilities.contains(.rotatesCredential) else { return base }
        return CredentialedConnector(base: base, store: store, redactor: redactor)
    }

    package var descriptor: ConnectorDescriptor { base.descriptor }

    package func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        let (settings, host) = try opening(settings, host)
        return try base.openSource(settings, host: host)
    }

    package func openDestination(
        _ settings: JSON, host: any HostServices
    ) throws(ConnectorError) -> any Destination {
        let (settings, host) = try opening(settings, host)
        return try base.openDestination(settings, host: host)
    }

    private func opening(
        _ settings: JSON, _ host: any HostServices
    ) throws(ConnectorError) -> (JSON, any HostServices) {
        let configured = ConfiguredSecrets(base.descriptor, settings)
        let stored = configured.entry(in: try store.entries())
        if let stored { redactor.learn(configured.secrets(in: stored.credential)) }
        let services = CredentialHost(
            host, store, configured, redactor: redactor, revision: stored?.revision ?? 0)
        return (stored.map { configured.overlaid(by: $0.credential) } ?? settings, services)
    }
}
