// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockABI
import PenstockModel

/// What a connector leaves behind in the process it shares.
enum ProcessChecks {
    /// How often a connection is opened and closed to look for what is left, after a few rounds to get warm.
    private static let cycles = 40
    private static let warming = 5
    private static let section = "Rules for every call"
    private static let open = ["settings.open"]

    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "process.state", "work leaves signals, locale, folder, umask and variables alone", section, [], .settings,
            needs: open, isBroad: true, by: state),
        ConformanceCheck(
            "process.signals", "its own threads have all signals blocked", section, [], .settings, needs: open,
            isBroad: true, by: signals),
        ConformanceCheck(
            "process.leaks", "no thread and no descriptor is left when a connection is closed", section, [], .settings,
            needs: open + ["read.abandon"], isBroad: true, by: leaks),
        ConformanceCheck(
            Catalogue.output, "nothing is written to standard output or standard error", section, [], .child
        ) { _ in },
    ]

    /// Opens a connection, uses it, and closes it.
    ///
    /// - Parameter during: Called while a read or a session is open.
    private static func use(_ context: CheckContext, _ maker: RowMaker?, during: () -> Void = {}) throws {
        let connector = try context.connector()
        if connector.capabilities.contains(.source) {
            let source = try context.source()
            defer { source.close() }
            _ = try source.check()
            for target in try context.targets(source).prefix(1) {
                let read = try source.read(ReadRequest(target, batchRowsMax: 2))
                _ = try read.next()
                during()
                read.close()
            }
        }
        if connector.capabilities.contains(.destination) {
            let destination = try context.destination()
            defer { destination.close() }
            _ = try destination.limits()
            if let maker {
                let inbox = ResultInboxUnderTest(context.transcript)
                let session = try destination.begin(
                    WriteRequest(object: maker.object, mode: .create, schema: maker.schema(.create), inFlightMax: 2),
                    inbox
                )
                during()
                try session.flush()
                session.end()
            }
        }
    }

    /// What makes rows for a session; nil where nothing may be written.
    private static func maker(_ context: CheckContext) throws -> RowMaker? {
        let isDestination = try context.connector().capabilities.contains(.destination)
        return isDestination && context.order.isRehearsal ? try WriteChecks.maker(context) : nil
    }

    private static func state(_ context: CheckContext) throws {
        let maker = try maker(context)
        let before = ProcessState.now()
        try use(context, maker)
        for difference in before.differences(to: .now()) { context.find(difference) }
    }

    private static func signals(_ context: CheckContext) throws {
        let maker = try maker(context)
        try use(context, maker)
        let before = ProcessState.threads
        var seen = 0
        try use(context, maker) {
            for thread in ProcessState.threads.subtracting(before) {
                seen += 1
                let open = ProcessState.unblockedSignals(ofThread: thread)
                if !open.isEmpty {
                    context.find("the thread \(ProcessState.name(ofThread: thread)) lets \(open.count) signals through")
                }
            }
        }
        if seen == 0 { context.note("it has no thread of its own") }
    }

    /// Does something again where the other side asks to be sent less.
    private static func patiently(_ body: () throws -> Void) throws {
        for _ in 0..<5 {
            do {
                return try body()
            } catch let refusal as Refusal where refusal.error.code == .rateLimited {
                let wait = refusal.error.retryAfterMilliseconds ?? CheckDeferral.milliseconds
                usleep(UInt32(min(wait, CheckDeferral.milliseconds)) * 1_000)
            }
        }
        try body()
    }

    private static func leaks(_ context: CheckContext) throws {
        let maker = try maker(context)
        for _ in 0..<warming { try patiently { try use(context, maker) } }
        let (threads, descriptors) = (ProcessState.threads.count, ProcessState.descriptors)
        for _ in 0..<cycles { try patiently { try use(context, maker) } }
        let (threadsAfter, descriptorsAfter) = (ProcessState.threads.count, ProcessState.descriptors)
        if threadsAfter >= threads + cycles / 4 {
            context.find("\(threadsAfter - threads) threads are left after \(cycles) connections")
        }
        let more = descriptorsAfter.count - descriptors.count
        if more >= cycles / 4 {
            let kinds = descriptorsAfter.filter { descriptors[$0.key] == nil }.values.prefix(2).joined(separator: ", ")
            context.find("\(more) descriptors are left after \(cycles) connections, for example \(kinds)")
        }
    }
}
