// SPDX-License-Identifier: Apache-2.0

import CCurl

/// Requests on their way at the same time, driven by one thread.
///
/// Every call but ``wakeUp()`` must come from one thread at a time; that is what makes it `@unchecked Sendable`.
package final class HTTPMulti: @unchecked Sendable {
    private let multi: UnsafeMutableRawPointer
    private let settings: HTTPSettings
    private let transfersMax: Int
    private var running: [CurlHandle] = []
    private var idle: [CurlHandle] = []
    /// The headers that were used last: most requests have those of the one before.
    private var lines: [HeaderLines] = []

    /// A loop without requests.
    ///
    /// - Parameter transfersMax: The most requests at the same time; connections are kept for as many.
    package init(_ settings: HTTPSettings, transfersMax: Int) {
        guard CurlHandle.isReady, let multi = curl_multi_init() else {
            fatalError("libcurl has no memory for a loop.")
        }
        self.multi = multi
        self.settings = settings
        self.transfersMax = transfersMax
        penstock_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, transfersMax)
    }

    deinit {
        for handle in running { curl_multi_remove_handle(multi, handle.easy) }
        curl_multi_cleanup(multi)
    }

    /// How many requests are on their way.
    package var runningCount: Int { running.count }

    /// Whether one more request may be started.
    package var hasRoom: Bool { running.count < transfersMax }

    /// Starts a request; ``poll(milliseconds:)`` drives it and hands out what came of it under `tag`.
    package func start(_ request: HTTPRequest, tag: Int) {
        let handle = idle.popLast() ?? CurlHandle(settings)
        handle.tag = tag
        handle.prepare(request, lines(of: request.headers))
        running.append(handle)
        curl_multi_add_handle(multi, handle.easy)
    }

    private func lines(of headers: [HTTPHeader]) -> HeaderLines {
        if let known = lines.first(where: { $0.headers == headers }) { return known }
        let made = HeaderLines(headers)
        if lines.count == Self.linesMax { lines.removeFirst() }
        lines.append(made)
        return made
    }

    private static let linesMax = 4

    /// Drives the requests, waits for the network if none has ended, and returns those that have ended.
    ///
    /// - Parameter milliseconds: How long to wait at most; ``wakeUp()`` and any progress end it early.
    package func poll(milliseconds: Int) -> [HTTPCompletion] {
        var count: Int32 = 0
        curl_multi_perform(multi, &count)
        let ended = takeEnded()
        guard ended.isEmpty else { return ended }
        curl_multi_poll(multi, nil, 0, Int32(clamping: milliseconds), nil)
        curl_multi_perform(multi, &count)
        return takeEnded()
    }

    private func takeEnded() -> [HTTPCompletion] {
        var ended: [HTTPCompletion] = []
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let handle = CurlHandle.from(penstock_curl_get_private(easy))
            else { continue }
            let code = penstock_curl_result(message)
            let outcome = handle.outcome(code)
            remove(handle)
            ended.append(HTTPCompletion(tag: handle.tag, outcome: outcome))
        }
        return ended
    }

    private func remove(_ handle: CurlHandle) {
        curl_multi_remove_handle(multi, handle.easy)
        guard let index = running.firstIndex(where: { $0 === handle }) else { return }
        running.swapAt(index, running.count - 1)
        running.removeLast()
        if CurlHandle.mayBeReused { idle.append(handle) }
    }

    /// Drops every request that is on its way and returns what is known of each.
    package func cancelAll() -> [HTTPCompletion] {
        running.map { handle in
            let failure = handle.cancelled()
            remove(handle)
            return HTTPCompletion(tag: handle.tag, outcome: .failure(failure))
        }
    }

    /// Makes a waiting ``poll(milliseconds:)`` return; allowed from any thread.
    package func wakeUp() { curl_multi_wakeup(multi) }
}

/// A request that has ended.
package struct HTTPCompletion: Sendable {
    /// The number it was started under.
    package var tag: Int
    /// What came of it.
    package var outcome: HTTPOutcome
}
