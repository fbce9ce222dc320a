// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// How a list is written.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    /// Aligned columns, for people.
    case table
    /// Tab-separated with a heading, for pipes.
    case tsv
    /// One JSON document.
    case json
    /// One JSON value a line.
    case jsonl
    /// Comma-separated with a heading.
    case csv

    /// Whether nothing but a list can be written so.
    var isForLists: Bool { self == .csv }
}
