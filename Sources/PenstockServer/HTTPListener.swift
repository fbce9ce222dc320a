// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// The certificate and key that a listener shows.
package struct ServerCertificate: Sendable {
    private let context: NIOSSLContext

    /// Reads both files.
    ///
    /// - Throws: ``HTTPListener/StartFailure`` where a file is not there or holds something else.
    package init(certificate: String, key: String) throws(HTTPListener.StartFailure) {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw HTTPListener.StartFailure(reason: "the certificate \(certificate) with the key \(key) cannot be used")
        }
    }

    func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: context) }
}

/// Listens for HTTP on addresses and sockets until ``stop()``.
package final class HTTPListener: Sendable {
    /// Why it does not listen; a clause.
    package struct StartFailure: Error {
        /// What is wrong.
        package var reason: String
    }

    private let group: MultiThreadedEventLoopGroup
    private let pool: NIOThreadPool
    private let api: ServerAPI
    private let connections = ConnectionCount()
    /// This user's own are counted apart: whoever connects over the network must not keep them out.
    private let ownConnections = ConnectionCount()
    private let sockets = Mutex<[String]>([])

    private static let threads = 4

    /// A listener that listens nowhere yet.
    package init(_ api: ServerAPI) {
        self.api = api
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        pool = NIOThreadPool(numberOfThreads: Self.threads)
        pool.start()
    }

    /// Listens on a socket in the file system, for this user alone.
    ///
    /// A socket that is left there from before is replaced; something else is not.
    ///
    /// - Parameter name: Where the socket is, if `path` is only a way to it that is open now.
    /// - Throws: ``StartFailure``.
    package func listen(socket path: String, name: String? = nil) throws(StartFailure) {
        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else {
                throw StartFailure(reason: "\(path) is there and is not a socket")
            }
            unlink(path)
        }
        // Nothing else of this process makes files while it starts.
        let before = umask(0o177)
        defer { umask(before) }
        do {
            let address = try SocketAddress(unixDomainSocketPath: path)
            _ = try bootstrap(isLocal: true, certificate: nil).bind(to: address).wait()
            sockets.withLock { $0.append(name ?? path) }
        } catch {
            throw StartFailure(reason: "\(path) cannot be listened on: \(error)")
        }
    }

    /// Listens on a host's address.
    ///
    /// - Returns: The port.
    /// - Throws: ``StartFailure``.
    package func listen(host: String, port: Int, certificate: ServerCertificate?) throws(StartFailure) -> Int {
        do {
            let channel = try bootstrap(isLocal: false, certificate: certificate).bind(host: host, port: port).wait()
            return channel.localAddress?.port ?? port
        } catch {
            throw StartFailure(reason: "\(host):\(port) cannot be listened on: \(error)")
        }
    }

    /// Closes everything; blocks until that is done.
    package func stop() {
        // The threads end with the process where they do not end here.
        try? group.syncShutdownGracefully()
        try? pool.syncShutdownGracefully()  // As above.
        for path in sockets.withLock({ $0 }) { unlink(path) }
    }

    private func bootstrap(isLocal: Bool, certificate: ServerCertificate?) -> ServerBootstrap {
        let (api, pool, connections) = (api, pool, isLocal ? ownConnections : connections)
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                guard connections.enter() else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    if let certificate { try channel.pipeline.syncOperations.addHandler(certificate.handler()) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(
                        HTTPConnection(api, pool, isLocal: isLocal) { connections.leave() })
                }
            }
    }
}

/// How many clients are connected.
private final class ConnectionCount: Sendable {
    private let count = Mutex(0)

    private static let most = 128

    func enter() -> Bool {
        count.withLock { count in
            guard count < Self.most else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
