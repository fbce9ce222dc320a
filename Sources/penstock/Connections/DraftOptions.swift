// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockModel
import PenstockProject

/// The options with which a connection's settings are given.
struct DraftOptions: ParsableArguments {
    @Option(name: .long, help: "A setting, key=value; a secret only as a reference. May be repeated.")
    var set: [String] = []

    @Flag(name: .long, help: "Read the secret from standard input.")
    var tokenStdin = false

    @Option(name: .long, help: "Read the secret from a file.")
    var tokenFile: String?

    @Option(name: .long, help: "The setting that the secret is for, where several could be meant.")
    var tokenFor: String?

    func validate() throws {
        guard !tokenStdin || tokenFile == nil else {
            throw ValidationError("--token-stdin and --token-file exclude each other.")
        }
    }

    /// Whether a secret is given.
    var hasToken: Bool { tokenStdin || tokenFile != nil }

    /// Writes the settings of `--set` into a draft.
    func apply(to draft: inout ConnectionDraft) throws {
        var seen = Set<String>()
        for pair in set {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw CommandFailure(.usage, code: "usage", "--set takes key=value, not \"\(pair.prefix(40))\"")
            }
            guard seen.insert(parts[0]).inserted else {
                throw CommandFailure(
                    .usage, code: "usage", "--set \(parts[0]) is given twice",
                    notes: ["a list is one text: --set \(parts[0])=a,b"])
            }
            try Self.set(parts[0], parts[1], &draft)
        }
    }

    /// Writes one setting into a draft.
    static func set(_ key: String, _ value: String, _ draft: inout ConnectionDraft) throws {
        do throws(ConnectionDraftProblem) {
            try draft.set(key, to: value)
        } catch {
            throw CommandFailure(.usage, code: error.code, error.message, notes: error.notes)
        }
    }

    /// Reads the secret that is given, and writes its reference into a draft.
    ///
    /// - Parameter replaces: Whether it may take the place of the one secret that the connection has.
    func applyToken(
        to draft: inout ConnectionDraft, _ secrets: inout [String: Secret], keeper: SecretKeeper, isLogin: Bool,
        replaces: Bool = false
    ) throws {
        guard hasToken else { return }
        let setting = try tokenSetting(draft, isLogin: isLogin, replaces: replaces)
        let secret = try tokenFile.map(SecretText.file) ?? SecretText.standardInput()
        let name = try keeper.freeName(draft.name, setting)
        try Self.set(setting, "${cred:\(name)}", &draft)
        secrets[name] = secret
    }

    /// The setting that the secret is for.
    private func tokenSetting(_ draft: ConnectionDraft, isLogin: Bool, replaces: Bool) throws -> String {
        let all = draft.descriptor.settings.filter(\.isSecret).map(\.name)
        if let tokenFor {
            guard all.contains(tokenFor) else { throw Suggestion.failure(tokenFor, "secret setting", all) }
            return tokenFor
        }
        let free = all.filter { !draft.keys.contains($0) }
        let written = all.filter(draft.keys.contains)
        if replaces, written.count == 1 { return written[0] }
        let candidates: [String]
        if replaces, written.count > 1 {
            candidates = written
        } else if let login = draft.descriptor.login {
            let isApp = isLogin || draft.keys.contains(where: login.needs.contains)
            candidates =
                isApp
                ? free.filter { login.needs.contains($0) || (!isLogin && login.gives == $0) }
                : Array(free.filter(login.insteadOf.contains).prefix(1))
        } else {
            candidates = free.isEmpty ? all : free
        }
        guard candidates.count == 1, let found = candidates.first else {
            throw CommandFailure(
                .usage, code: "missing-answer",
                all.isEmpty
                    ? "\(draft.descriptor.id) has no secret setting"
                    : "it is not clear which setting the secret is for",
                notes: all.isEmpty ? [] : ["name it: --token-for \(all.joined(separator: ", or "))"])
        }
        return found
    }
}

extension ConnectionDraft {
    /// The settings as the connector takes them, or the end of the command with what is wrong.
    func settings(_ resolver: ReferenceResolver, without left: Set<String> = []) throws -> ResolvedSettings {
        let (settings, diagnostics) = resolved(resolver, without: left)
        if let settings { return settings }
        let first = diagnostics.first { $0.severity == .error }
        throw CommandFailure(
            .config, code: first?.code ?? "config", first?.message ?? "the settings cannot be used",
            notes: ([first?.suggestion].compactMap { $0 }) + (first?.notes ?? []))
    }
}
