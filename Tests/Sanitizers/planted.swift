// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Faults that a sanitizer must report, and locks that it must not; built by `Tests/Sanitizers/proof` alone.
@main enum Planted {
    // Shared by two threads on purpose; with "locked" they take turns.
    nonisolated(unsafe) static var shared = 0
    static let lock = Mutex(())

    static func main() {
        switch CommandLine.arguments.last {
        case "overflow": overflow()
        case "race": threads { for _ in 0..<1_000 { shared += 1 } }
        default: threads { for _ in 0..<20_000 { lock.withLock { _ in shared += 1 } } }
        }
    }

    /// Reads one byte behind what was allocated.
    private static func overflow() {
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: 16)
        room.initialize(repeating: 1, count: 16)
        print(room[16 + CommandLine.arguments.count - 2])
        room.deallocate()
    }

    private static func threads(_ body: @escaping @Sendable () -> Void) {
        var threads = [pthread_t](repeating: pthread_t(), count: 4)
        for index in threads.indices {
            let context = UnsafeMutablePointer<() -> Void>.allocate(capacity: 1)
            context.initialize(to: body)
            pthread_create(
                &threads[index], nil,
                { context in
                    context?.assumingMemoryBound(to: (() -> Void).self).pointee()
                    return nil
                }, context)
        }
        for thread in threads { pthread_join(thread, nil) }
    }
}
