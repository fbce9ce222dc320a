// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Delivery under every fate of requests, process and machine, from seeds.
///
/// `PENSTOCK_SEEDS` sets how many seeds are tried, `PENSTOCK_SEED` replays one.
@Suite struct DeliverySimulationTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let count = environment["PENSTOCK_SEEDS"].flatMap(UInt64.init) ?? 10_000
    private static let replayed = environment["PENSTOCK_SEED"].flatMap(UInt64.init)

    private static var seeds: Range<UInt64> {
        replayed.map { $0..<($0 + 1) } ?? 0..<count
    }

    @Test("Whatever happens, every row has one record, and every request an intent")
    func holds() {
        var fates: Set<RequestFate> = []
        var crashes = 0
        for seed in Self.seeds {
            var simulation = DeliverySimulation(seed: seed)
            let faults = simulation.run()
            fates.formUnion(simulation.fatesSeen)
            crashes += simulation.crashes
            guard faults.isEmpty else {
                Issue.record("seed \(seed): \(faults.joined(separator: "; ")) (PENSTOCK_SEED=\(seed) replays it)")
                return
            }
        }
        guard Self.replayed == nil else { return }
        #expect(fates == Set(RequestFate.allCases), "every fate came up")
        #expect(crashes > 100)
    }

    @Test("A broken protocol is noticed", arguments: Mutant.allCases)
    func mutants(mutant: Mutant) {
        let found = (0..<10_000).first { seed in
            var simulation = DeliverySimulation(seed: UInt64(seed), mutant: mutant)
            return !simulation.run().isEmpty
        }
        #expect(found != nil, "10,000 seeds do not notice the mutant \(mutant.rawValue)")
    }

    @Test("One seed is one execution")
    func isRepeatable() {
        for seed in [3, 77, 4_711] as [UInt64] {
            var first = DeliverySimulation(seed: seed, mutant: .repeatsUnknownCreates)
            var second = DeliverySimulation(seed: seed, mutant: .repeatsUnknownCreates)
            #expect(first.run() == second.run())
        }
    }
}
