// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A value behind a lock.
final class Guarded<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    /// A lock around `value`.
    init(_ value: Value) { mutex = Mutex(value) }

    /// The value as it is now.
    var value: Value { mutex.withLock { $0 } }

    /// Changes the value.
    @discardableResult
    func update<R: Sendable>(_ body: (inout Value) -> R) -> R { mutex.withLock { value in body(&value) } }
}

/// Something that is handed to another thread; the checks keep to the contract's thread rules themselves.
struct Carried<Value>: @unchecked Sendable {  // One thread at a time uses it, or the contract allows several.
    /// What is carried.
    let value: Value

    /// Carries `value`.
    init(_ value: Value) { self.value = value }
}
