// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// One client connection: collects a request, asks the sandbox, and delivers the answer or the fault.
final class SandboxConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let bodyMax = 1 << 20

    private let sandbox: Sandbox
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ sandbox: Sandbox) { self.sandbox = sandbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.removeAll(keepingCapacity: true)
        case .body(let buffer):
            body.append(contentsOf: buffer.readableBytesView.prefix(Self.bodyMax + 1 - body.count))
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard body.count <= Self.bodyMax else {
            return deliver(SandboxReply(answer: .html(413, "413 Payload Too Large")), head, context)
        }
        let request = SandboxRequest(
            method: head.method.rawValue, target: head.uri, token: Self.token(head.headers),
            authorization: head.headers.first(name: "authorization"),
            contentType: head.headers.first(name: "content-type"), body: body)
        let reply = sandbox.reply(to: request)
        var generator = SystemRandomNumberGenerator()
        let delay = sandbox.options.delay(using: &generator)
        guard delay > 0, reply.delivery != .hang else { return deliver(reply, head, context) }
        context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) {
            self.deliver(reply, head, context)
        }
    }

    private static func token(_ headers: HTTPHeaders) -> String? {
        if let token = headers.first(name: "x-api-token") { return token }
        guard let value = headers.first(name: "authorization"), value.hasPrefix("Bearer ") else { return nil }
        return String(value.dropFirst(7))
    }

    private func deliver(_ reply: SandboxReply, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        switch reply.delivery {
        case .hang: return
        case .reset: reset(context)
        case .answer:
            writeHead(reply.answer, head, context)
            let body = head.method == .HEAD ? [] : reply.answer.body
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
            end(head, context)
        case .flood(let flood): drown(flood, head, context)
        case .slow(let pause):
            writeHead(reply.answer, head, context)
            dribble(reply.answer.body[...], .milliseconds(Int64(pause)), head, context)
        }
    }

    private func writeHead(_ answer: SandboxAnswer, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders([
            ("Content-Type", answer.contentType), ("Content-Length", String(answer.body.count)),
        ])
        for header in answer.headers { headers.add(name: header.name, value: header.value) }
        if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let status = HTTPResponseStatus(statusCode: answer.status)
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
    }

    private func end(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard !head.isKeepAlive else { return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    private func dribble(
        _ rest: ArraySlice<UInt8>, _ pause: TimeAmount, _ head: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        guard let byte = rest.first else { return end(head, context) }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: [byte])))), promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            guard context.channel.isActive else { return }
            self.dribble(rest.dropFirst(), pause, head, context)
        }
    }

    /// Sends a flood piece by piece, for as long as the client takes it.
    private func drown(_ flood: SandboxFlood, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders([("Content-Type", "application/json")])
        switch flood {
        case .endless: headers.add(name: "Transfer-Encoding", value: "chunked")
        case .huge: headers.add(name: "Content-Length", value: String(SandboxFlood.size))
        case .bomb:
            headers.add(name: "Content-Encoding", value: "gzip")
            headers.add(name: "Content-Length", value: String(SandboxFlood.gzip.count))
        }
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        if flood == .bomb {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: SandboxFlood.gzip)))), promise: nil)
            return end(head, context)
        }
        pour(flood == .endless ? .max : SandboxFlood.size / SandboxFlood.piece.count, head, context)
    }

    private func pour(_ pieces: Int, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard pieces > 0 else { return end(head, context) }
        let written = context.writeAndFlush(
            wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: SandboxFlood.piece)))))
        written.assumeIsolated().whenSuccess {
            guard context.channel.isActive else { return }
            self.pour(pieces - 1, head, context)
        }
    }

    /// Closes with a linger time of 0, so that the client sees a reset and not an end.
    private func reset(_ context: ChannelHandlerContext) {
        guard let socket = context.channel as? any SocketOptionProvider else { return context.close(promise: nil) }
        let done = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        done.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }
}
