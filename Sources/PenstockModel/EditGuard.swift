// SPDX-License-Identifier: Apache-2.0

/// When an update may change what a field of a record holds: the edits of people against those of the source.
public enum EditGuard: String, Sendable, Hashable, CaseIterable {
    /// Always.
    case overwrite
    /// Only where the field is empty.
    case ifEmpty = "if-empty"
    /// Only where the field still holds what the sync wrote last, or is empty and was never written.
    case ifUnchangedSinceUs = "if-unchanged-since-us"
    /// Always, but a value is never replaced by nothing.
    case neverNull = "never-null"

    /// Whether it can be told only from the record as it is.
    public var needsRecord: Bool { self == .ifEmpty || self == .ifUnchangedSinceUs }
}

/// Whether a run keeps what it needs to be undone.
public enum UndoPolicy: String, Sendable, Hashable, CaseIterable {
    /// Of records that it reads anyway, and of those that it creates.
    case auto
    /// Of every record; what would not be read for another reason is read for this one.
    case on
    /// Of none.
    case off
}
