// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension Project {
    /// Gives every `link` the object that its sync writes, and reports links that can never be followed.
    ///
    /// Links to syncs that do not exist are left to the check of names.
    mutating func settleLinks(_ findings: inout Findings) {
        for index in syncs.indices {
            for entry in syncs[index].definition.map.indices {
                guard let link = syncs[index].definition.map[entry].link, let linked = sync(named: link.sync) else {
                    continue
                }
                syncs[index].definition.map[entry].link?.object = linked.definition.destination.object
                check(syncs[index], linked, at: syncs[index].position(of: .entry(entry, .link)), &findings)
            }
        }
    }

    private func check(_ sync: SyncFile, _ linked: SyncFile, at span: SourceSpan, _ findings: inout Findings) {
        let here = sync.definition.destination.connection
        let there = linked.definition.destination.connection
        if !here.isEmpty, !there.isEmpty, here != there {
            findings.error(
                .linkTarget, at: span, "\(linked.name) writes to \(there), and this sync to \(here)",
                notes: ["the ids of records mean nothing at another destination"])
        }
        let key = linked.definition.source.key
        if key.count > 1 {
            findings.error(
                .linkTarget, at: span,
                "\(linked.name) is keyed by \(key.count) columns (\(key.joined(separator: ", "))), and link follows one",
                suggestion: "give \(linked.name) a source key of one column")
        }
    }
}
