// SPDX-License-Identifier: Apache-2.0

import CCurl

/// One transfer of libcurl, used for one request: the only place that touches its pointers.
///
/// Not safe for two threads at once.
final class CurlHandle {
    /// libcurl's start-up, done once for the process; it must come before everything else.
    static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    let easy: UnsafeMutableRawPointer
    /// The number the caller gave the running request.
    var tag = 0

    private let settings: HTTPSettings
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var body: [UInt8] = []
    private var bodyOffset = 0
    private var isRepeatable = false
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
        curl_slist_free_all(headerList)
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
        // One request per connection at a time: a connection that breaks leaves one request in doubt, not dozens.
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
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
        penstock_curl_set_pointer(easy, CURLOPT_READDATA, context)
        penstock_curl_set_read(easy) { bytes, size, count, context in
            CurlHandle.from(context)?.supply(bytes, size * count) ?? 0
        }
        penstock_curl_set_pointer(easy, CURLOPT_SEEKDATA, context)
        penstock_curl_set_seek(easy) { context, offset, origin in
            CurlHandle.from(context)?.rewind(to: Int(offset), origin) ?? CURL_SEEKFUNC_FAIL
        }
    }

    /// The handle behind a pointer set in `setCallbacks`, or nil for NULL.
    static func from(_ context: UnsafeMutableRawPointer?) -> CurlHandle? {
        context.map { Unmanaged<CurlHandle>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Makes ready for its request.
    func prepare(_ request: HTTPRequest) {
        body = request.body
        bodyOffset = 0
        isRepeatable = request.isRepeatable
        answerBody = []
        answerHeaders = []
        headerBytes = 0
        isTooLarge = false
        errorText[0] = 0
        set(CURLOPT_URL, request.url)
        setHeaders(request.headers)
        if request.body.isEmpty {
            set(CURLOPT_HTTPGET, 1)
        } else {
            set(CURLOPT_POST, 1)
            penstock_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
        }
        set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }

    private func setHeaders(_ headers: [HTTPHeader]) {
        // Waiting for "100 Continue" costs a round trip or a second.
        var list = curl_slist_append(nil, "Expect:")
        for header in headers { list = curl_slist_append(list, "\(header.name): \(header.value)") }
        penstock_curl_set_pointer(easy, CURLOPT_HTTPHEADER, list)
        curl_slist_free_all(headerList)
        headerList = list
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
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        let tail = line[(colon + 1)...].drop(while: isSpace)
        let end = tail.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? tail.startIndex
        answerHeaders.append(
            HTTPHeader(
                received: String(decoding: line[..<colon], as: UTF8.self).lowercased(),
                String(decoding: tail[..<end], as: UTF8.self)))
        return count
    }

    private func supply(_ bytes: UnsafeMutablePointer<CChar>?, _ room: Int) -> Int {
        let count = min(room, body.count - bodyOffset)
        UnsafeMutableRawBufferPointer(start: bytes, count: room).copyBytes(from: body[bodyOffset..<bodyOffset + count])
        bodyOffset += count
        return count
    }

    private func rewind(to offset: Int, _ origin: Int32) -> Int32 {
        guard isRepeatable, origin == 0, offset >= 0, offset <= body.count else { return CURL_SEEKFUNC_FAIL }
        bodyOffset = offset
        return CURL_SEEKFUNC_OK
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
        return .success(HTTPResponse(status: status, headers: answerHeaders, body: answerBody))
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
