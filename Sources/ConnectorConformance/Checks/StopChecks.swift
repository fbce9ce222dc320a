// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockABI
import PenstockModel

/// Reads that are not read to their end.
enum StopChecks {
    private static let stream = ["read.stream"]
    /// How long a cancelled read may go on, in milliseconds.
    private static let cancelMax = 5_000
    /// How long giving up a read may take, in milliseconds.
    private static let abandonMax = 1_000
    private static let numbers: Set<Int32> = [ECANCELED, ENOMEM, EINVAL, EIO]

    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "read.cancel", "a cancelled read ends with ECANCELED within seconds, and says so", "Sources", .source,
            .settings,
            needs: stream, by: cancel),
        ConformanceCheck(
            "read.cancel-thread", "a read can be cancelled from another thread at any time", "Sources", .source,
            .settings,
            needs: stream + ["read.cancel"], by: cancelFromThread),
        ConformanceCheck(
            "read.abandon", "a read that is given up ends within a second, and the connection can be used at once",
            "Sources",
            .source, .settings, needs: stream, by: abandon),
    ]

    private static func cancel(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let read = try source.read(ReadRequest(target, batchRowsMax: 1))
            defer { read.close() }
            guard try read.next() != nil, try anotherRow(source, target) else {
                throw CheckSkip("\(target.name) has fewer than 2 rows")
            }
            read.cancel()
            read.cancel()
            let (_, milliseconds) = Stopwatch.milliseconds { judge(context, read, target.name) }
            if milliseconds > cancelMax { context.find("\(target.name): it went on for \(milliseconds) ms") }
        }
    }

    private static func anotherRow(_ source: SourceUnderTest, _ target: ReadRequest.Target) throws -> Bool {
        let read = try source.read(ReadRequest(target, batchRowsMax: 1, rowsMax: 2))
        defer { read.close() }
        guard try read.next() != nil else { return false }
        return try read.next() != nil
    }

    /// A source may hand out what it has prepared, which is two batches at most.
    private static func judge(_ context: CheckContext, _ read: ReadUnderTest, _ name: String) {
        do throws(Refusal) {
            for _ in 0..<3 {
                guard try read.next() != nil else {
                    context.find("\(name): after the cancel the stream ended as if all rows had been read")
                    return
                }
            }
            context.find("\(name): after the cancel three more batches came")
        } catch {
            judge(context, error, name)
        }
    }

    private static func judge(_ context: CheckContext, _ refusal: Refusal, _ name: String) {
        if refusal.number != ECANCELED {
            context.find("\(name): after the cancel get_next returned \(refusal.number), not ECANCELED (\(ECANCELED))")
        }
        if !numbers.contains(refusal.number) { context.find("\(name): get_next may not return \(refusal.number)") }
        if refusal.error.code != .cancelled {
            context.find("\(name): after the cancel read_error says \(refusal.error.code), not cancelled")
        }
    }

    private static func cancelFromThread(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            for round in 0..<5 {
                let read = try source.read(ReadRequest(target, batchRowsMax: 1))
                defer { read.close() }
                let carried = Carried(read)
                let wait = round == 0 ? 0 : Int.random(in: 0...10, using: &context.numbers)
                let done = Threads.later(wait) { carried.value.cancel() }
                let start = ContinuousClock.now
                do throws(Refusal) {
                    while try read.next() != nil {
                        if (ContinuousClock.now - start).wholeMilliseconds > cancelMax + wait {
                            context.find("\(target.name): it still delivers rows \(cancelMax) ms after the cancel")
                            break
                        }
                    }
                } catch {
                    judge(context, error, target.name)
                }
                done.wait()
            }
        }
    }

    private static func abandon(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            for batches in [0, 1, 2] {
                let read = try source.read(ReadRequest(target, batchRowsMax: 1))
                for _ in 0..<batches { _ = try read.next() }
                let (_, milliseconds) = Stopwatch.milliseconds { read.close() }
                if milliseconds > abandonMax {
                    context.find("\(target.name): giving up after \(batches) batches took \(milliseconds) ms")
                }
                let (_, next) = try Stopwatch.milliseconds { try source.describe(ReadRequest(target)) }
                if next > abandonMax { context.find("\(target.name): the next call took \(next) ms") }
                let again = try source.read(ReadRequest(target, batchRowsMax: 1))
                _ = try again.next()
                again.close()
            }
        }
    }
}
