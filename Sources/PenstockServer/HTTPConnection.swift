// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix

/// One client connection: collects a request, asks the API on another thread, and sends the answer.
///
/// A client that is slow, in either direction, loses its connection.
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// The most bytes of a request's body; nothing that the API takes needs any.
    private static let bodyMax = 1 << 16
    private static let targetMax = 4_096
    /// How long a request may take to arrive, an answer to leave, and a connection to be idle.
    private static let patience = TimeAmount.seconds(10)

    private let api: ServerAPI
    private let pool: NIOThreadPool
    private let isLocal: Bool
    private let onClose: @Sendable () -> Void
    private var isTrusted = false
    private var head: HTTPRequestHead?
    private var bodyBytes = 0
    private var deadline: Scheduled<Void>?

    init(_ api: ServerAPI, _ pool: NIOThreadPool, isLocal: Bool, onClose: @escaping @Sendable () -> Void) {
        self.api = api
        self.pool = pool
        self.isLocal = isLocal
        self.onClose = onClose
    }

    /// The other side of a socket in the file system, as the kernel tells it.
    private struct Peer {
        var pid: Int32 = 0
        var user: UInt32 = .max
        var group: UInt32 = .max
    }

    func channelActive(context: ChannelHandlerContext) {
        restartDeadline(context)
        guard isLocal, let socket = context.channel as? any SocketOptionProvider else { return }
        let peer: EventLoopFuture<Peer> = socket.unsafeGetSocketOption(
            level: .init(rawValue: SOL_SOCKET), name: .init(rawValue: SO_PEERCRED))
        peer.assumeIsolated().whenSuccess { peer in
            self.isTrusted = peer.user == getuid() || peer.user == 0
            if !self.isTrusted { context.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        onClose()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            bodyBytes = 0
        case .body(let buffer):
            // What is too much is thrown away to its end: a client that is still sending would not see the answer.
            bodyBytes += buffer.readableBytes
        case .end:
            guard let head else { return }
            self.head = nil
            guard bodyBytes <= Self.bodyMax else {
                return send(
                    .failure(413, "too-large", "a body has at most \(Self.bodyMax) bytes"), context, closes: true)
            }
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        restartDeadline(context)
        guard head.uri.utf8.count <= Self.targetMax else {
            return send(.failure(414, "too-long", "a path has at most \(Self.targetMax) bytes"), context, closes: true)
        }
        let request = APIRequest(
            method: head.method.rawValue, target: head.uri, authorization: head.headers.first(name: "authorization"),
            isTrusted: isTrusted)
        let api = api
        let closes = !head.isKeepAlive
        let hasBody = head.method != .HEAD
        pool.runIfActive(eventLoop: context.eventLoop) { api.reply(to: request) }
            .assumeIsolated().whenComplete { result in
                guard case .success(let reply) = result, context.channel.isActive else {
                    return context.close(promise: nil)
                }
                self.send(reply, context, closes: closes, hasBody: hasBody)
            }
    }

    private func send(
        _ reply: APIReply, _ context: ChannelHandlerContext, closes: Bool, hasBody: Bool = true
    ) {
        var headers = HTTPHeaders([
            ("Content-Type", reply.contentType), ("Content-Length", String(reply.body.count)),
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
        ])
        for header in reply.headers { headers.add(name: header.name, value: header.value) }
        if closes { headers.add(name: "Connection", value: "close") }
        let status = HTTPResponseStatus(statusCode: reply.status)
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        if hasBody { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: reply.body)))), promise: nil) }
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        guard closes else { return restartDeadline(context) }
        written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    private func restartDeadline(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }
}
