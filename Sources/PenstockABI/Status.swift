// SPDX-License-Identifier: Apache-2.0

import CPenstock
import Glibc
import PenstockModel

extension penstock_error {
    /// The C form of `error`; texts that do not fit are cut at a character.
    init(_ error: ConnectorError) {
        self.init()
        code = error.code.rawValue
        if let milliseconds = error.retryAfterMilliseconds {
            has_retry_after = 1
            retry_after_ms = milliseconds
        }
        withUnsafeMutableBytes(of: &vendor_code) { fill($0, error.vendorCode) }
        withUnsafeMutableBytes(of: &field) { fill($0, error.field) }
        withUnsafeMutableBytes(of: &message) { fill($0, error.message) }
        withUnsafeMutableBytes(of: &detail) { fill($0, error.detail) }
    }

    /// The Swift form, with `status` as its code.
    package func connectorError(_ status: penstock_status) -> ConnectorError {
        ConnectorError(
            ConnectorError.Code(rawValue: status), withUnsafeBytes(of: message, text),
            detail: withUnsafeBytes(of: detail, text), field: withUnsafeBytes(of: field, text),
            vendorCode: withUnsafeBytes(of: vendor_code, text),
            retryAfterMilliseconds: has_retry_after != 0 ? retry_after_ms : nil)
    }
}

/// Writes as much of `text` into `room` as fits before a NUL; `room` is zeroed.
private func fill(_ room: UnsafeMutableRawBufferPointer, _ text: String) {
    let bytes = Array(text.utf8)
    var count = min(bytes.count, room.count - 1)
    if count < bytes.count { while count > 0, bytes[count] & 0xC0 == 0x80 { count -= 1 } }
    for index in 0..<count { room[index] = bytes[index] == 0 ? 0x20 : bytes[index] }
}

private func text(_ room: UnsafeRawBufferPointer) -> String {
    String(decoding: room.prefix { $0 != 0 }, as: UTF8.self)
}

/// Runs `body`; what it throws becomes the returned status and the contents of `out`.
func reporting(
    _ out: UnsafeMutablePointer<penstock_error>?, _ body: () throws(ConnectorError) -> Void
) -> penstock_status {
    do {
        try body()
        return penstock_status(PENSTOCK_OK)
    } catch {
        out?.pointee = penstock_error(error)
        return error.code.rawValue == 0 ? ConnectorError.Code.internalFault.rawValue : error.code.rawValue
    }
}

/// The number that a stream's callback returns for `code`; the truth is in `read_error`.
func streamErrno(_ code: ConnectorError.Code) -> Int32 {
    switch code {
    case .cancelled: ECANCELED
    case .noMemory: ENOMEM
    case .badRequest: EINVAL
    default: EIO
    }
}

/// The code for what a stream's callback returned, where `read_error` has nothing to say.
package func statusCode(streamErrno: Int32) -> ConnectorError.Code {
    switch streamErrno {
    case ECANCELED: .cancelled
    case ENOMEM: .noMemory
    case EINVAL: .badRequest
    case EIO: .unavailable
    default: .internalFault
    }
}
