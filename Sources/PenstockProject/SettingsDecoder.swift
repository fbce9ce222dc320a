// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Decodes `alerts:`, `history:` and `lineage:` of `penstock.yml`.
///
/// A secret that is not there is a warning here and not an error: that nobody can be told of a failure is no reason
/// for the syncs to stand still.
struct SettingsDecoder {
    let sources: [String: SourceText]
    let resolver: ReferenceResolver?
    /// The names of the syncs, or nil where they are not all known.
    var syncs: [String]?

    private var checker: SchemaChecker { SchemaChecker(sources: sources, resolver: resolver) }

    /// The rules of `alerts:`; those that cannot be used are left out and among the findings.
    func alerts(_ node: YAMLNode?, _ findings: inout Findings) -> [AlertDefinition] {
        (node?.entries ?? []).compactMap { entry in
            let errors = findings.errorCount
            if !ScalarText.isName(entry.key) {
                findings.error(
                    .badName, at: entry.keySpan, "\"\(entry.key)\" cannot be the name of an alert",
                    suggestion: "use letters, digits, - and _")
            }
            let checked = checker.check(
                entry.value, ProjectSchema.alert, key: entry.key, at: entry.keySpan, &findings)
            guard findings.errorCount == errors else { return nil }
            return alert(entry, checked, &findings)
        }
    }

    private func alert(
        _ entry: YAMLNode.Entry, _ node: YAMLNode, _ findings: inout Findings
    ) -> AlertDefinition? {
        let errors = findings.errorCount
        var rule = AlertDefinition(name: entry.key, span: entry.keySpan)
        if let words = node["on"]?.items.compactMap(\.text), !words.isEmpty {
            rule.kinds = words.compactMap(AlertDefinition.Kind.init)
        }
        rule.syncs = node["syncs"]?.items.compactMap(\.text) ?? []
        checkSyncs(node["syncs"], &findings)
        if let text = node["rejects"]?.text {
            rule.rejects =
                ScalarText.basisPoints(text).map { .basisPoints(Int64($0)) }
                ?? ScalarText.integer(text).map { .count(Int64($0)) } ?? .ofSync
        }
        if let number = node["reject_queue"]?.text.flatMap(ScalarText.integer) { rule.rejectQueue = Int64(number) }
        if let points = node["budget"]?.text.flatMap(ScalarText.basisPoints) { rule.budgetBasisPoints = Int64(points) }
        rule.graceMilliseconds = milliseconds(node["overdue"]) ?? rule.graceMilliseconds
        rule.repeatMilliseconds = milliseconds(node["repeat"]) ?? rule.repeatMilliseconds
        rule.timeoutMilliseconds = milliseconds(node["timeout"]) ?? rule.timeoutMilliseconds
        rule.sendsResolved = node["resolved"]?.text.flatMap(ScalarText.boolean) ?? true
        rule.hourlyMax = node["max_per_hour"]?.text.flatMap(ScalarText.integer) ?? rule.hourlyMax
        if let words = node["command"]?.items.compactMap(\.text), !words.isEmpty {
            rule.channels.append(.command(words))
        }
        if let webhook = node["webhook"], let channel = webhookChannel(webhook, &findings) {
            rule.channels.append(channel)
        }
        if let smtp = node["smtp"], let channel = mailChannel(smtp, &findings) { rule.channels.append(channel) }
        if ["command", "webhook", "smtp"].allSatisfy({ node[$0] == nil }) {
            findings.error(
                .alertChannel, at: entry.keySpan, "the alert \"\(entry.key)\" is sent nowhere",
                suggestion: "add command:, webhook: or smtp:")
        }
        return findings.errorCount == errors ? rule : nil
    }

    private func checkSyncs(_ node: YAMLNode?, _ findings: inout Findings) {
        guard let syncs else { return }
        for item in node?.items ?? [] {
            guard let text = item.text, !text.contains("*"), !syncs.contains(text) else { continue }
            findings.error(
                .unknownSync, at: item.span, "there is no sync \"\(text)\"",
                suggestion: Spelling.suggestion(text, in: syncs), notes: ["syncs: \(ScalarText.list(syncs.sorted()))"])
        }
    }

    private func webhookChannel(_ node: YAMLNode, _ findings: inout Findings) -> AlertChannel? {
        guard let place = node["url"] else { return nil }
        let secret = node["secret"].map { value($0, isSecret: true, &findings) }
        guard let url = value(place, isSecret: false, &findings), secret != .some(nil) else { return nil }
        guard Self.isAddress(url) || Reference.isPresent(in: url) else {
            findings.error(
                .alertChannel, at: place.span, "this is not the address of a webhook",
                suggestion: "write it as https://host/path")
            return nil
        }
        return .webhook(url: url, secret: secret ?? nil, caFile: path(node["ca_file"]))
    }

    private func mailChannel(_ node: YAMLNode, _ findings: inout Findings) -> AlertChannel? {
        let errors = findings.errorCount
        let password = node["password"].map { value($0, isSecret: true, &findings) }
        let user = node["user"].map { value($0, isSecret: false, &findings) }
        guard let host = node["host"]?.text, let from = node["from"]?.text, password != .some(nil), user != .some(nil)
        else { return nil }
        let security = node["tls"]?.text.flatMap(MailServer.Security.init)
        let port = node["port"]?.text.flatMap(ScalarText.integer) ?? (security == .implicit ? 465 : 587)
        let server = MailServer(
            host: host, port: port, security: security ?? (port == 465 ? .implicit : .starttls), user: user ?? nil,
            password: password ?? nil, from: from, to: node["to"]?.items.compactMap(\.text) ?? [],
            caFile: path(node["ca_file"]))
        let addresses = [(from, node["from"])] + zip(server.to, node["to"]?.items ?? []).map { ($0, $1) }
        for (address, place) in addresses where !Self.isMailAddress(address) && !Reference.isPresent(in: address) {
            findings.error(
                .alertChannel, at: place?.span ?? node.span, "\"\(address)\" is not a mail address",
                suggestion: "write it as name@example.com")
        }
        if server.security == .none, server.password != nil, !["127.0.0.1", "::1", "localhost"].contains(host) {
            findings.error(
                .alertChannel, at: node["tls"]?.span ?? node.span, "the password would be sent in the clear",
                suggestion: "write tls: starttls or tls: implicit")
        }
        return findings.errorCount == errors ? .smtp(server) : nil
    }

    /// The value with its references replaced; nil where one has none, or where a secret is written out.
    private func value(_ node: YAMLNode, isSecret: Bool, _ findings: inout Findings) -> String? {
        guard let text = node.text else { return nil }
        if isSecret, !Reference.isPresent(in: text) {
            findings.add(
                Diagnostic(
                    .error, DiagnosticCode.secretLiteral.rawValue, at: node.span, "a secret is written into the file",
                    suggestion: "store it and write ${cred:NAME}", masks: [node.span]))
            return nil
        }
        guard let resolver else { return text }
        var found = Findings()
        let expansion = resolver.expand(
            node, source: sources[node.span.file], isSecret: isSecret, allowsCredentials: true, findings: &found)
        for var diagnostic in found.diagnostics {
            if Self.absences.contains(diagnostic.code) {
                diagnostic.severity = .warning
                diagnostic.notes.append("alerts are not sent there until it is")
            }
            findings.add(diagnostic)
        }
        return expansion?.text
    }

    /// What is wrong with a machine and not with the file.
    private static let absences: Set<String> = Set(
        [DiagnosticCode.envUnset, .credMissing, .credPermissions, .credSealed, .execFailed, .fileMissing]
            .map(\.rawValue))

    private static func isAddress(_ text: String) -> Bool {
        guard let range = text.firstRange(of: "://") else { return false }
        let isPlain = !text.contains { $0.isWhitespace || $0.isNewline }
        return isPlain && ["http", "https"].contains(text[..<range.lowerBound].lowercased())
            && !text[range.upperBound...].isEmpty && text[range.upperBound] != "/"
    }

    private static func isMailAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
            && !text.contains { $0.isWhitespace || $0.isNewline || "<>,;\"".contains($0) }
    }

    private func path(_ node: YAMLNode?) -> String? {
        guard let node, let text = node.text else { return nil }
        return resolver?.absolute(text, file: node.span.file) ?? text
    }

    private func milliseconds(_ node: YAMLNode?) -> Int64? {
        node?.text.flatMap(DurationText.microseconds).map { $0 / 1_000 }
    }

    /// What is kept of runs.
    func history(_ node: YAMLNode?) -> HistoryPolicy {
        var policy = HistoryPolicy()
        policy.keepMilliseconds = milliseconds(node?["keep"]) ?? policy.keepMilliseconds
        policy.runs = node?["runs"]?.text.flatMap(ScalarText.integer) ?? policy.runs
        policy.logsRequests = node?["requests"]?.text.flatMap(ScalarText.boolean) ?? policy.logsRequests
        return policy
    }

    /// Where events of OpenLineage go, or nil.
    func lineage(_ node: YAMLNode?, project: String, _ findings: inout Findings) -> LineageDefinition? {
        guard let node, !node.isInvalid else { return nil }
        let url = node["url"].flatMap { place -> String? in
            guard let url = value(place, isSecret: false, &findings) else { return nil }
            if Self.isAddress(url) || Reference.isPresent(in: url) { return url }
            findings.error(
                .lineage, at: place.span, "this is not an address", suggestion: "write it as https://host")
            return nil
        }
        if node["file"] == nil, node["url"] == nil {
            findings.error(.lineage, at: node.span, "lineage is sent nowhere", suggestion: "add file: or url:")
        }
        return LineageDefinition(
            file: path(node["file"]), url: url,
            apiKey: node["api_key"].flatMap { value($0, isSecret: true, &findings) },
            namespace: node["namespace"]?.text ?? project)
    }
}
