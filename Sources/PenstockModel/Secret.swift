// SPDX-License-Identifier: Apache-2.0

/// A text that must not appear in logs, errors, plans or reports.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Wraps `value`.
    public init(_ value: String) { self.value = value }

    /// Hands the value to `body`; keep `body` as small as what needs it.
    public func reveal<R>(_ body: (String) throws -> R) rethrows -> R { try body(value) }

    /// Dots, whatever the value.
    public var description: String { "••••" }

    /// Dots, whatever the value.
    public var debugDescription: String { "••••" }

    /// Without children, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
