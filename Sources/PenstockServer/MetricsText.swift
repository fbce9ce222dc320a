// SPDX-License-Identifier: Apache-2.0

/// Metrics in the text format of Prometheus, version 0.0.4.
package struct MetricsText: Sendable {
    /// What a number means over time.
    package enum Kind: String, Sendable, Hashable {
        /// It only grows.
        case counter
        /// It goes up and down.
        case gauge
    }

    private struct Family {
        var name: String
        var kind: Kind
        var help: String
        var samples: [(labels: String, value: Double)] = []
    }

    private var families: [Family] = []
    private let common: [(name: String, value: String)]

    /// No metric.
    ///
    /// - Parameter common: Labels that every number gets.
    package init(common: [(name: String, value: String)] = []) { self.common = common }

    /// Begins a metric; what is added next belongs to it.
    ///
    /// - Parameter name: Letters, digits and underscores.
    package mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        families.append(Family(name: name, kind: kind, help: help))
    }

    /// Adds a number to the metric that was begun last; a second one with the same labels is left out.
    package mutating func add(_ labels: [(name: String, value: String)] = [], _ value: Double) {
        guard let last = families.indices.last else { return }
        let pairs = (common + labels).map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
        let text = pairs.isEmpty ? "" : "{" + pairs.joined(separator: ",") + "}"
        if !families[last].samples.contains(where: { $0.labels == text }) {
            families[last].samples.append((text, value))
        }
    }

    /// The text; metrics without a number are left out.
    package var text: String {
        var out = ""
        for family in families where !family.samples.isEmpty {
            let help = family.help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
            out += "# HELP \(family.name) \(help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples { out += "\(family.name)\(sample.labels) \(Self.number(sample.value))\n" }
        }
        return out
    }

    /// A label's value between its quotes.
    static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return String(value)
    }
}
