// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A list for standard output: a table for people, tab-separated for pipes, JSON for programs.
struct Listing {
    /// One column.
    struct Column {
        /// The heading.
        var title: String
        /// Whether the cells are numbers.
        var isNumber = false
        /// Whether the cells are cut first where a table is too wide.
        var isCutFirst = false
        /// Whether a cell goes on in further lines where a table is too wide; only for the last column.
        var isWrapped = false
        /// Whether the cells are never cut.
        var isWhole = false
        /// When the column is left out of a table that is too wide, the lowest first; nil for never.
        var leftOut: Int?

        /// A column of texts.
        init(_ title: String) { self.title = title }

        /// A column of numbers.
        init(number title: String) {
            self.title = title
            isNumber = true
        }

        /// A column of texts that are cut first where a table is too wide.
        init(cutFirst title: String) {
            self.title = title
            isCutFirst = true
        }

        /// A column of short texts that are worth nothing where they are cut.
        init(whole title: String) {
            self.title = title
            isWhole = true
        }

        /// A last column of sentences, which are never cut.
        init(wrapped title: String) {
            self.title = title
            isWrapped = true
        }
    }

    /// The name of the document, for example `connector.list`.
    var kind: String
    /// The columns.
    var columns: [Column]
    /// The cells, one text per column.
    var rows: [[String]] = []
    /// What is said of single rows, by row: on a line of its own in a table, in a last column elsewhere.
    var remarks: [Int: String] = [:]
    /// The heading of that column; empty where no row of the list ever has a remark.
    var remarkTitle = ""
    /// The same for programs.
    var data: [JSON] = []
    /// What is said where there are no rows.
    var emptyNote = ""

    /// Adds a row, in both forms.
    mutating func add(_ cells: [String], _ json: JSON, remark: String? = nil) {
        if let remark { remarks[rows.count] = remark.printable }
        rows.append(cells.map(\.printable))
        data.append(json)
    }

    /// The text in `format`.
    ///
    /// - Parameter width: How wide a table may be, or nil for no limit.
    func text(_ format: OutputFormat, width: Int?) -> String {
        switch format {
        case .json: Document(kind: kind, data: .array(data)).text
        case .jsonl: data.map { $0.text + "\n" }.joined()
        case .tsv: lines.map { $0.map(Self.withoutTabs).joined(separator: "\t") + "\n" }.joined()
        case .csv: lines.map(Self.csv).joined()
        case .table: rows.isEmpty && !emptyNote.isEmpty ? emptyNote + "\n" : table(width)
        }
    }

    /// The heading and the rows, with the remarks.
    private var lines: [[String]] {
        let all = [columns.map(\.title)] + rows
        guard !remarkTitle.isEmpty else { return all }
        return all.enumerated().map { index, row in row + [index == 0 ? remarkTitle : remarks[index - 1] ?? ""] }
    }

    private static func withoutTabs(_ cell: String) -> String { cell.split(separator: "\t").joined(separator: " ") }

    /// One line of comma-separated values.
    static func csv(_ cells: [String]) -> String { cells.map(quoted).joined(separator: ",") + "\n" }

    private static func quoted(_ cell: String) -> String {
        // Scalar by scalar: with a combining mark behind it, a comma is another character to Swift, and a comma to CSV.
        guard cell.unicodeScalars.contains(where: { ",\"\n\r".unicodeScalars.contains($0) }) else { return cell }
        return QuotedText.text(cell, quote: "\"", escape: "\"\"")
    }

    private func table(_ width: Int?) -> String {
        var widths = columns.indices.map { index in
            max(columns[index].title.displayWidth, rows.map { $0[index].displayWidth }.max() ?? 0)
        }
        if let width {
            if let narrower = withoutColumn(widths, width) { return narrower.table(width) }
            narrow(&widths, to: width)
        }
        var out = line(columns.map(\.title), widths)
        for (index, row) in rows.enumerated() {
            out += line(row, widths)
            if let remark = remarks[index] { out += "    ! \(remark)\n" }
        }
        return out
    }

    /// What texts are cut to at the least, and sentences are broken to.
    private static let widthMin = (text: 12, short: 8, sentence: 28)

    /// The list without the column that is left out first, where a table has no room for all with texts cut as usual.
    private func withoutColumn(_ widths: [Int], _ width: Int) -> Listing? {
        let least = columns.indices.map { index in
            let column = columns[index]
            if column.isWrapped { return min(widths[index], Self.widthMin.sentence) }
            return column.isNumber || column.isWhole ? widths[index] : min(widths[index], Self.widthMin.text)
        }
        guard least.reduce(0, +) + 2 * (least.count - 1) > width else { return nil }
        let open = columns.indices.filter { columns[$0].leftOut != nil }
        guard let first = open.min(by: { columns[$0].leftOut ?? 0 < columns[$1].leftOut ?? 0 }) else { return nil }
        var listing = self
        listing.columns.remove(at: first)
        for row in rows.indices { listing.rows[row].remove(at: first) }
        return listing
    }

    private func narrow(_ widths: inout [Int], to width: Int) {
        let texts = columns.indices.filter {
            !columns[$0].isNumber && !columns[$0].isWrapped && !columns[$0].isWhole
        }
        let steps = [
            (columns.indices.filter { columns[$0].isWrapped }, Self.widthMin.sentence),
            (texts.filter { columns[$0].isCutFirst }, Self.widthMin.text), (texts, Self.widthMin.text),
            (texts, Self.widthMin.short),
        ]
        for (candidates, least) in steps {
            while widths.reduce(0, +) + 2 * (widths.count - 1) > width {
                guard let widest = candidates.max(by: { widths[$0] < widths[$1] }), widths[widest] > least else {
                    break
                }
                widths[widest] -= 1
            }
        }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var cells = cells
        var more: [String] = []
        if columns.last?.isWrapped == true, let last = widths.last, let sentence = cells.popLast() {
            more = sentence.wrapped(to: last)
            cells.append(more.removeFirst())
        }
        let text = zip(cells.indices, cells)
            .map { $1.fitted(to: widths[$0], alignedRight: columns[$0].isNumber) }
            .joined(separator: "  ")
        let indent = String(repeating: " ", count: widths.dropLast().reduce(0) { $0 + $1 + 2 })
        return ([text] + more.map { indent + $0 }).map { $0.withoutTrailingSpace + "\n" }.joined()
    }
}

/// One JSON document on standard output.
struct Document {
    /// The name of the document, for example `plan`.
    var kind: String
    /// What it says.
    var data: JSON

    /// The document in `format`: one JSON value a line for `jsonl`, otherwise the whole, for people's eyes as well.
    func text(_ format: OutputFormat) -> String {
        guard format == .jsonl else { return text }
        return (data.arrayValue ?? [data]).map { $0.text + "\n" }.joined()
    }

    /// The document, for people's eyes as well.
    var text: String {
        JSON.object(["schema_version": .string("1.0"), "kind": .string(kind), "data": data]).prettyText
    }
}
