// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockState
import Testing

/// Batches between two threads: none is lost, none comes twice, and all come in order.
@Suite struct BatchQueueTests {
    private static let schema = Schema([.init("a", .int64), .init("b", .text)])

    private static func batch(_ number: Int) -> SourceBatch {
        var batch = RecordBatch(schema)
        for row in 0..<(number % 7 + 1) { batch.append([.int64(Int64(number)), .text("row \(row)")]) }
        return SourceBatch(batch)
    }

    /// Puts `count` batches from a thread of its own, with a pause before some of them.
    private static func fill(_ queue: BatchQueue, _ count: Int, pause: @escaping @Sendable (Int) -> Void) {
        Thread.detachNewThread {
            for number in 0..<count {
                pause(number)
                // A queue that fails shows in what comes out of it.
                guard (try? queue.put(batch(number))) == true else { break }
            }
            queue.finish()
        }
    }

    @Test("They come in order, whoever is the faster", arguments: [0, 1, 2, 3])
    func order(round: Int) throws {
        let queue = BatchQueue(folder: NSTemporaryDirectory(), rowsAheadMax: round == 3 ? 20 : nil)
        Self.fill(queue, 400) { if round == 1 && $0 % 100 == 7 { Thread.sleep(forTimeInterval: 0.05) } }
        for number in 0..<400 {
            // Longer than the source has patience for, twice: what follows goes through the file, and then not.
            if round == 2 && (number == 0 || number == 200) { Thread.sleep(forTimeInterval: 3 * BatchQueue.patience) }
            #expect(try queue.next {} == Self.batch(number), "round \(round), batch \(number)")
        }
        #expect(try queue.next {} == nil)
        if round == 2 { #expect(queue.spooled > 0) }
    }

    @Test func whatWaitsForARestIsGivenBackWhenItIsClosed() throws {
        let queue = BatchQueue(folder: NSTemporaryDirectory(), rowsAheadMax: 3)
        Self.fill(queue, 400) { _ in }
        #expect(try queue.next {} == Self.batch(0))
        queue.close()
        // What was put before may still come; then it ends, because the other thread has stopped.
        var count = 0
        while try queue.next({}) != nil { count += 1 }
        #expect(count < 10)
    }

    @Test("Rows are waited for without being taken, and the end ends the wait")
    func waiting() throws {
        let queue = BatchQueue(folder: NSTemporaryDirectory(), rowsAheadMax: nil)
        Self.fill(queue, 40) { if $0 == 20 { Thread.sleep(forTimeInterval: 0.25) } }
        let whole = (0..<40).reduce(Int64(0)) { $0 + Int64(Self.batch($1).batch.rowCount) }
        var pauses = 0
        let some = queue.waitForRows(whole / 2 + 10) { pauses += 1 }
        #expect(some >= whole / 2 + 10 && some <= whole)
        #expect(pauses > 0, "whoever waits is asked whether it is to stop")
        #expect(queue.waitForRows(whole + 1) {} == whole)
        for number in 0..<40 { #expect(try queue.next {} == Self.batch(number), "batch \(number)") }
        #expect(try queue.next {} == nil)
    }
}
