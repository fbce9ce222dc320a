// SPDX-License-Identifier: Apache-2.0

import CCurl

/// One transfer of libcurl, used for one request at a time: the only place that touches its pointers.
///
/// Not safe for two threads at once.
final class CurlHandle {
    /// libcurl's start-up, done once for the process; it must come before everything else.
    static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// Whether a handle may be used for a second request.
    ///
    /// libcurl before 8.1.1 uses freed memory where the answer to a handle's second request begins with the
    /// continuation of a header; there, every request gets a handle of its own, which costs some six microseconds.
    static let mayBeReused: Bool = penstock_curl_version() >= 0x08_01_01

    let easy: UnsafeMutableRawPointer
    /// The number the caller gave the running request.
    var tag = 0

    private let settings: HTTPSettings
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerLines: HeaderLines?
    private var isRepeatable = false
    /// Whether the request has gone out once, as far as libcurl is concerned.
    private var hasGoneOut = false
    /// Whether libcurl wanted to send a request a second time that must not be repeated.
    private var wasHeld = false
    private var answerBody: [UInt8] = []
    private var answerHeaders: [HTTPHeader] = []
    private var headerBytes = 0
    private var isTooLarge = false

    init(_ settings: HTTPSettings) {
        // Out of memory at this point leaves nothing to report it with.
        guard Self.isReady, let easy = curl_easy_init() else {
            fatalError("libcurl has no memory for a transfer.")
        }
        self.easy = easy
        self.settings = settings
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setFixedOptions()
        setCallbacks()
    }

    deinit {
        curl_easy_cleanup(easy)
        errorText.deallocate()
    }

    private func set(_ option: CURLoption, _ value: Int) { penstock_curl_set_long(easy, option, value) }

    private func set(_ option: CURLoption, _ value: String?) { penstock_curl_set_text(easy, option, value) }

    private func setFixedOptions() {
        set(CURLOPT_NOSIGNAL, 1)
        penstock_curl_keep_sockets(easy)
        set(CURLOPT_TIMEOUT_MS, settings.timeoutMilliseconds)
        set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeoutMilliseconds)
        set(CURLOPT_LOW_SPEED_LIMIT, 1)
        set(CURLOPT_LOW_SPEED_TIME, settings.idleSeconds)
        set(CURLOPT_PROTOCOLS_STR, settings.allowsPlainHTTP ? "http,https" : "https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let caFile = settings.caFile { set(CURLOPT_CAINFO, caFile) }
        // HTTP/2 where TLS offers it, and never without TLS: libcurl 7.88 fails at that (ADR 0033).
        if settings.allowsPlainHTTP {
            set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        } else {
            set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
            // Requests wait to learn whether the first connection takes them all, instead of opening one each.
            set(CURLOPT_PIPEWAIT, 1)
        }
        // An environment variable must not send credentials through a proxy that nobody configured here.
        set(CURLOPT_PROXY, "")
        set(CURLOPT_USERAGENT, settings.userAgent)
        set(CURLOPT_ACCEPT_ENCODING, "")
        set(CURLOPT_TCP_KEEPALIVE, 1)
        // Kept connections that have been idle for long are the ones that turn out dead.
        set(CURLOPT_MAXAGE_CONN, 30)
        set(CURLOPT_MAXLIFETIME_CONN, 600)
    }

    private func setCallbacks() {
        // Unretained: the handle outlives its transfers, which HTTPMulti removes before it lets go of the handle.
        let context = Unmanaged.passUnretained(self).toOpaque()
        penstock_curl_set_pointer(easy, CURLOPT_PRIVATE, context)
        penstock_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
        penstock_curl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        penstock_curl_set_write(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            CurlHandle.from(context)?.take(bytes, size * count) ?? 0
        }
        penstock_curl_set_pointer(easy, CURLOPT_HEADERDATA, context)
        penstock_curl_set_write(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            CurlHandle.from(context)?.takeHeader(bytes, size * count) ?? 0
        }
        penstock_curl_set_pointer(easy, CURLOPT_PREREQDATA, context)
        penstock_curl_set_before(easy) { context, _, _, _, _ in
            CurlHandle.from(context)?.mayGoOut() ?? true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
    }

    /// The handle behind a pointer set in `setCallbacks`, or nil for NULL.
    static func from(_ context: UnsafeMutableRawPointer?) -> CurlHandle? {
        context.map { Unmanaged<CurlHandle>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Makes ready for its request.
    ///
    /// - Parameter lines: The request's headers.
    func prepare(_ request: HTTPRequest, _ lines: HeaderLines) {
        isRepeatable = request.isRepeatable
        hasGoneOut = false
        wasHeld = false
        answerBody = []
        answerHeaders = []
        headerBytes = 0
        isTooLarge = false
        errorText[0] = 0
        set(CURLOPT_URL, request.url)
        penstock_curl_set_pointer(easy, CURLOPT_HTTPHEADER, lines.list)
        headerLines = lines
        if request.body.isEmpty {
            set(CURLOPT_HTTPGET, 1)
        } else {
            set(CURLOPT_POST, 1)
            penstock_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
            // A body that libcurl has goes out in one piece with the header.
            penstock_curl_copy_body(easy, request.body)
        }
        set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }

    private func take(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard answerBody.count + count <= settings.bodyBytesMax else {
            isTooLarge = true
            return 0
        }
        answerBody.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
        return count
    }

    private func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        headerBytes += count
        guard headerBytes <= settings.headerBytesMax else {
            isTooLarge = true
            return 0
        }
        let line = UnsafeRawBufferPointer(start: bytes, count: count)
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            // A status line starts an answer; those before it were provisional.
            if line.starts(with: "HTTP/".utf8) { answerHeaders = [] }
            return count
        }
        guard let name = settings.keptName(line[..<colon]) else { return count }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        let tail = line[(colon + 1)...].drop(while: isSpace)
        let end = tail.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? tail.startIndex
        answerHeaders.append(HTTPHeader(received: name, String(decoding: tail[..<end], as: UTF8.self)))
        return count
    }

    /// Whether the request may go out now; libcurl asks each time, also when it repeats one by itself.
    private func mayGoOut() -> Bool {
        wasHeld = hasGoneOut && !isRepeatable
        hasGoneOut = true
        return !wasHeld
    }

    /// What came of the request that has just ended with `code`.
    func outcome(_ code: CURLcode) -> HTTPOutcome {
        guard code == CURLE_OK else { return .failure(failure(code)) }
        let status = penstock_curl_get_long(easy, CURLINFO_RESPONSE_CODE)
        defer {
            answerBody = []
            answerHeaders = []
        }
        guard (100...999).contains(status) else {
            // libcurl takes more for HTTP than is HTTP.
            let detail = "The answer has the status \(status)."
            return .failure(HTTPFailure(.connectionLost, wasNeverSent: false, detail: detail))
        }
        var response = HTTPResponse(status: status, headers: answerHeaders, body: answerBody)
        response.isHTTP2 = penstock_curl_get_long(easy, CURLINFO_HTTP_VERSION) == Int(CURL_HTTP_VERSION_2_0)
        return .success(response)
    }

    /// What is known of a request that was taken off before it ended.
    func cancelled() -> HTTPFailure { HTTPFailure(.cancelled, wasNeverSent: !hasStarted) }

    /// Whether a byte of the request may have left; the numbers start at zero with every request.
    private var hasStarted: Bool {
        penstock_curl_get_long(easy, CURLINFO_REQUEST_SIZE) > 0
            || penstock_curl_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T) > 0
    }

    private func failure(_ code: CURLcode) -> HTTPFailure {
        let isBeforeSending = Self.codesBeforeSending.contains(code.rawValue) || code == CURLE_OPERATION_TIMEDOUT
        return HTTPFailure(
            cause(code), code: Int32(bitPattern: code.rawValue), wasNeverSent: isBeforeSending && !hasStarted,
            detail: String(cString: errorText))
    }

    /// Codes that come up before a byte is sent: bad address, resolving, connecting, TLS, certificates.
    private static let codesBeforeSending: Set<UInt32> = [
        CURLE_UNSUPPORTED_PROTOCOL.rawValue, CURLE_URL_MALFORMAT.rawValue, CURLE_COULDNT_RESOLVE_PROXY.rawValue,
        CURLE_COULDNT_RESOLVE_HOST.rawValue, CURLE_COULDNT_CONNECT.rawValue, CURLE_SSL_CONNECT_ERROR.rawValue,
        CURLE_PEER_FAILED_VERIFICATION.rawValue, CURLE_SSL_CACERT_BADFILE.rawValue,
    ]

    private func cause(_ code: CURLcode) -> HTTPFailure.Cause {
        if isTooLarge { return .tooLarge }
        if wasHeld { return .notRepeated }
        switch code {
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_URL_MALFORMAT: return .hostNotFound
        case CURLE_COULDNT_CONNECT: return .notConnected
        case CURLE_PEER_FAILED_VERIFICATION: return certificateCause
        case CURLE_SSL_CONNECT_ERROR: return .tls
        case CURLE_SSL_CACERT_BADFILE: return .caFile
        case CURLE_OPERATION_TIMEDOUT: return .timedOut
        case CURLE_SEND_FAIL_REWIND: return .notRepeated
        default: return .connectionLost
        }
    }

    /// Why the certificate was refused, from OpenSSL's `X509_V_ERR` numbers.
    ///
    /// libcurl compares host names itself, before it asks for that number, and leaves it unset, which is 1.
    private var certificateCause: HTTPFailure.Cause {
        switch penstock_curl_get_long(easy, CURLINFO_SSL_VERIFYRESULT) {
        case 0, 1, 62: .certificateForOtherHost
        case 9, 10: .certificateExpired
        case 2, 18, 19, 20, 21: .certificateUnknown
        default: .tls
        }
    }
}
