// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// How a connector takes right and wrong settings.
enum SettingsChecks {
    /// How long opening a connection may take, in milliseconds: it asks nobody.
    private static let openMax = 1_000
    private static let basis = ["descriptor.settings", "descriptor.capabilities"]

    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "settings.required", "a required setting that is missing is refused by name", "Errors", needs: basis,
            by: required),
        ConformanceCheck(
            "settings.types",
            "a setting of the wrong type never ends the process, and is refused by name or passed over",
            "Errors", needs: basis, by: types),
        ConformanceCheck(
            "settings.unknown", "a setting it does not know never ends the process", "Errors", needs: basis, by: unknown
        ),
        ConformanceCheck(
            "settings.open", "right settings open a connection, at once and without asking anybody", "Capabilities", [],
            .settings, needs: basis, by: open),
        ConformanceCheck(
            "settings.check", "the check of a connection returns a report, twice the same", "Check report", [],
            .settings,
            needs: ["settings.open"], by: check),
        ConformanceCheck(
            "errors.texts", "errors have one sentence in UTF-8, the code that was returned, and leave nothing behind",
            "Errors",
            needs: basis, by: texts),
    ]

    /// The settings to start from: those given, else made up.
    private static func base(_ context: CheckContext) throws -> JSONObject {
        if let given = context.order.settings?.objectValue { return given }
        let made = SettingsMaker.settings(try context.fields(), secret: context.order.canary)
        for (_, refusal) in try context.openings(.object(made)) {
            guard let refusal else { continue }
            throw CheckSkip(
                "settings made up from their description are refused (\(refusal.error.message)); give --config")
        }
        return made
    }

    private static func required(_ context: CheckContext) throws {
        let required = try context.fields().filter(\.isRequired)
        guard !required.isEmpty else { throw CheckSkip("no setting is required") }
        var settings = try base(context)
        for field in required {
            let kept = settings[field.name]
            settings[field.name] = nil
            for (role, refusal) in try context.openings(.object(settings)) {
                context.expect("opening a \(role) without \(field.name)", [.badConfig], field: field.name) {
                    () throws(Refusal) in
                    if let refusal { throw refusal }
                }
            }
            settings[field.name] = kept
        }
    }

    private static func types(_ context: CheckContext) throws {
        let fields = try context.fields()
        guard !fields.isEmpty else { throw CheckSkip("there is no setting") }
        let base = try base(context)
        for field in fields {
            for wrong in [SettingsMaker.wrongValue(field), .null, .object(["a": .array([.null])] as JSONObject)] {
                var settings = base
                settings[field.name] = wrong
                try judge(context, settings, "\(wrong.text) for \(field.name)", fields)
            }
        }
        for _ in 0..<8 {
            var settings = base
            for field in fields.shuffled(using: &context.numbers).prefix(3) {
                settings[field.name] = Bool.random(using: &context.numbers) ? nil : SettingsMaker.wrongValue(field)
            }
            try judge(context, settings, "several wrong settings", fields)
        }
    }

    private static func unknown(_ context: CheckContext) throws {
        var settings = try base(context)
        settings["penstock_check_unknown"] = .object(
            ["deep": .array([.integer(1), .string("\u{1F600}")])] as JSONObject)
        try judge(context, settings, "a setting it does not know", try context.fields())
    }

    /// A refusal must name a setting; being accepted is right as well, since the host has checked before.
    private static func judge(
        _ context: CheckContext, _ settings: JSONObject, _ what: String, _ fields: [ConfigField]
    ) throws {
        let names = Set(fields.map(\.name) + ["penstock_check_unknown"])
        for (role, refusal) in try context.openings(.object(settings)) {
            guard let refusal else { continue }
            if refusal.error.code != .badConfig {
                context.find(
                    "opening a \(role) with \(what) was answered \(refusal.error.code), where bad-config is due")
            } else if !names.contains(refusal.error.field) {
                context.find("opening a \(role) with \(what) was refused with the field \"\(refusal.error.field)\"")
            }
        }
    }

    private static func open(_ context: CheckContext) throws {
        let settings = try context.settings()
        let before = ProcessState.descriptors
        for _ in 0..<2 {
            let (openings, milliseconds) = try Stopwatch.milliseconds { try context.openings(settings) }
            for (role, refusal) in openings {
                if let refusal { context.find("opening a \(role): \(refusal.text)") }
            }
            if milliseconds > openMax {
                context.find("opening and closing took \(milliseconds) ms, where \(openMax) are allowed")
            }
        }
        for (number, target) in ProcessState.descriptors where before[number] == nil && target.hasPrefix("socket:") {
            context.find("a socket is still open after the connection was closed")
        }
    }

    private static func check(_ context: CheckContext) throws {
        let connector = try context.connector()
        let settings = try context.settings().text
        var reports: [[CheckReport]] = [[], []]
        for round in 0..<2 {
            if connector.capabilities.contains(.source) {
                let source = try connector.openSource(settings, context.host())
                defer { source.close() }
                if let report = judged(context, try source.check()) { reports[round].append(report) }
            }
            if connector.capabilities.contains(.destination) {
                let destination = try connector.openDestination(settings, context.host())
                defer { destination.close() }
                if let report = judged(context, try destination.check()) { reports[round].append(report) }
            }
        }
        let steps = reports.map { $0.map { $0.steps.map { $0.id + ($0.failure == nil ? "" : " fails") } } }
        if steps[0] != steps[1] {
            context.find("two checks in a row tried different steps: \(steps[0]) and \(steps[1])")
        }
    }

    private static func judged(_ context: CheckContext, _ answer: DocumentAnswer<CheckReport>) -> CheckReport? {
        switch answer.value {
        case .failure(let error):
            context.find("the report is not as described: \(error.reason)")
            return nil
        case .success(let report):
            if report.steps.isEmpty { context.find("the report has no step") }
            if let failed = report.steps.firstIndex(where: { $0.failure != nil }), failed < report.steps.count - 1 {
                context.find("the report goes on after the step \(report.steps[failed].id), which failed")
            }
            for step in report.steps {
                if step.id.isEmpty { context.find("a step has no id") }
                if let failure = step.failure {
                    if failure.message.isEmpty { context.find("the failed step \(step.id) has no message") }
                    context.note("the step \(step.id) fails: \(failure.message)")
                }
            }
            return report
        }
    }

    /// Provokes every refusal that is easy to have, and looks only at how it is said.
    private static func texts(_ context: CheckContext) throws {
        var refusals = try context.openings(.object([:] as JSONObject)).compactMap(\.refusal)
        func provoke(_ body: () throws(Refusal) -> Void) {
            do throws(Refusal) { try body() } catch { refusals.append(error) }
        }
        let connector = try context.connector()
        if let settings = context.order.settings?.text {
            let missing = ReadRequest(.object("penstock_check_no_such_object"))
            if connector.capabilities.contains(.source) {
                let source = try connector.openSource(settings, context.host())
                defer { source.close() }
                provoke { () throws(Refusal) in _ = try source.describe(missing) }
                provoke { () throws(Refusal) in try source.read(missing).close() }
            }
            if connector.capabilities.contains(.destination) {
                let destination = try connector.openDestination(settings, context.host())
                defer { destination.close() }
                provoke { () throws(Refusal) in _ = try destination.fields("penstock_check_no_such_object") }
            }
        }
        guard !refusals.isEmpty else { throw CheckSkip("nothing was refused") }
        for refusal in refusals { for flaw in refusal.flaws { context.find(flaw) } }
    }
}
