// SPDX-License-Identifier: Apache-2.0

import CPenstock
import Synchronization

/// Objects that C refers to by number, so that a call that comes too late finds nothing instead of freed memory.
final class NumberedObjects<Object: Sendable>: Sendable {
    private struct State: Sendable {
        var next: UInt = 1
        var objects: [UInt: Object] = [:]
    }

    private let state = Mutex(State())

    /// Takes `object` in, until ``remove(_:)``.
    ///
    /// - Returns: Its number, never 0 and never used again.
    func insert(_ object: Object) -> UInt {
        state.withLock { state in
            defer { state.next += 1 }
            state.objects[state.next] = object
            return state.next
        }
    }

    /// Forgets the object.
    func remove(_ number: UInt) { state.withLock { $0.objects[number] = nil } }

    /// The object that a context pointer of C stands for, or nil once it was removed.
    func object(at context: UnsafeMutableRawPointer?) -> Object? {
        let number = UInt(bitPattern: context)
        return state.withLock { $0.objects[number] }
    }

    /// The context pointer for a number; it points at nothing.
    static func context(_ number: UInt) -> UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: number) }
}

/// An array of Arrow, given back when it goes out of scope.
struct OwnedArray: ~Copyable {
    private var array: ArrowArray

    /// Takes over `array`.
    init(taking array: ArrowArray) { self.array = array }

    deinit {
        var last = array
        last.release?(&last)
    }

    /// Lends the array to `body`; its pointers must not be kept.
    borrowing func withArray<R, E: Error>(_ body: (ArrowArray) throws(E) -> R) throws(E) -> R { try body(array) }
}

/// A schema of Arrow, given back when it goes out of scope.
struct OwnedSchema: ~Copyable {
    private var schema: ArrowSchema

    /// Takes over `schema`.
    init(taking schema: ArrowSchema) { self.schema = schema }

    deinit {
        var last = schema
        last.release?(&last)
    }

    /// Lends the schema to `body`; its pointers must not be kept.
    borrowing func withSchema<R, E: Error>(_ body: (ArrowSchema) throws(E) -> R) throws(E) -> R {
        try body(schema)
    }
}
