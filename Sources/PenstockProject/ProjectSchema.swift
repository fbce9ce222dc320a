// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockSchedule

/// The project language, version 1: every file's keys and what they may hold.
enum ProjectSchema {
    private static let positive = 1...Int.max

    /// `penstock.yml`; connections, models and syncs are there in a project of one file.
    static let project = SchemaNode.map([
        .init("version", .integer(positive), isRequired: true),
        .init("project", .word),
        .init("requires", .text),
        .init("connectors", .dictionary(noun: "connector", .text)),
        .init("defaults", defaults),
        .init("profiles", .dictionary(noun: "profile", profile)),
        .init("default_profile", .word),
        .init("alerts", .dictionary(noun: "alert", .any)),
        .init("history", history),
        .init("lineage", .any),
        .init("connections", .dictionary(noun: "connection", .any)),
        .init("models", .dictionary(noun: "model", .any)),
        .init("syncs", .dictionary(noun: "sync", .any)),
        .init(
            "dbt",
            .map([.init("manifest", .word, isRequired: true), .init("connection", .word, isRequired: true)])),
    ])

    /// One rule of `alerts:`; its secrets are looked at when it is decoded.
    static let alert = SchemaNode.map([
        .init("on", .list(.choice(noun: "something to be told of", words(AlertDefinition.Kind.self)))),
        .init("syncs", .texts),
        .init("rejects", .countOrPercent),
        .init("reject_queue", .integer(positive)),
        .init("budget", .percent),
        .init("overdue", .duration),
        .init("repeat", .duration),
        .init("resolved", .boolean),
        .init("max_per_hour", .integer(positive)),
        .init("timeout", .duration),
        .init("command", .list(.word)),
        .init(
            "webhook", .map([.init("url", .any, isRequired: true), .init("secret", .any), .init("ca_file", .word)])),
        .init("smtp", mailServer),
    ])

    private static let mailServer = SchemaNode.map([
        .init("host", .word, isRequired: true),
        .init("port", .integer(1...65_535)),
        .init("tls", .choice(noun: "a way to protect the connection", words(MailServer.Security.self))),
        .init("user", .any),
        .init("password", .any),
        .init("from", .word, isRequired: true),
        .init("to", .texts, isRequired: true),
        .init("ca_file", .word),
    ])

    private static let history = SchemaNode.map([
        .init("keep", .duration),
        .init("runs", .integer(positive)),
        .init("requests", .boolean),
    ])

    /// `lineage:`; its secret is looked at when it is decoded.
    static let lineage = SchemaNode.map([
        .init("file", .word),
        .init("url", .any),
        .init("api_key", .any),
        .init("namespace", .word),
    ])

    /// `connections.yml`.
    static let connections = SchemaNode.map([
        .init("version", .integer(positive)),
        .init("connections", .dictionary(noun: "connection", .any), isRequired: true),
    ])

    /// One connection; the other keys are settings of its connector.
    static let connection = SchemaNode.map(
        [
            .init("connector", .word, isRequired: true),
            .init("description", .text),
            .init("budget", budget),
        ], isOpen: true)

    private static let budget = SchemaNode.map([
        .init("burst", .integer(1...burstMax)),
        .init("window", .durationFrom("1ms")),
        .init("daily_tokens", .integer(0...1_000_000_000_000)),
        .init("reserve", .percent),
        .init("requests_per_second", .integer(1...burstMax)),
    ])

    /// As much as no limit at all; what is computed with it must not overflow.
    private static let burstMax = 1_000_000_000

    private static let profile = SchemaNode.map([
        .init("connections", .dictionary(noun: "connection", .any)),
        .init("defaults", defaults),
    ])

    /// What may stand under every sync.
    private static let defaults = SchemaNode.map([
        .init("owner", .text),
        .init("tags", .texts),
        .init("enabled", .boolean),
        .init("fetch", fetch),
        .init("insert", insert),
        .init("schedule", schedule),
        .init("limits", limits),
        .init("rejects", rejects),
        .init("undo", undo),
    ])

    private static let undo = SchemaNode.choice(noun: "a choice for undo", words(UndoPolicy.self))

    /// `models/NAME.yml`, and one model in `penstock.yml`.
    static let model = SchemaNode.map([
        .init("version", .integer(positive)),
        .init("model", .word),
        .init("title", .text),
        .init("description", .text),
        .init("owner", .text),
        .init("tags", .texts),
        .init("connection", .word),
        .init("sql", .text),
        .init("key", .texts),
        .init("params", .dictionary(noun: "parameter", .textOr(parameter))),
        .init(
            "columns",
            .dictionary(noun: "column", .map([.init("description", .text), .init("type", .text)]))),
    ])

    /// What a model's query leaves open.
    private static let parameter = SchemaNode.map([
        .init("type", .word, isRequired: true),
        .init("default", .text),
        .init("description", .text),
    ])

    /// `syncs/NAME.yml`, and one sync in `penstock.yml`.
    static let sync = SchemaNode.map([
        .init("version", .integer(positive)),
        .init("name", .text),
        .init("title", .text),
        .init("description", .text),
        .init("owner", .text),
        .init("tags", .texts),
        .init("template", .text),
        .init("renamed_from", .word),
        .init("enabled", .boolean),
        .init(
            "destination",
            .map([.init("connection", .word, isRequired: true), .init("object", .word, isRequired: true)]),
            isRequired: true),
        .init(
            "source",
            .map([
                .init("model", .word), .init("connection", .word), .init("table", .word), .init("key", .texts),
                .init("params", .dictionary(noun: "parameter", .text)),
            ]), isRequired: true),
        .init("map", .dictionary(noun: "target field", mapEntry), isRequired: true),
        .init("fetch", fetch),
        .init("insert", insert),
        .init("schedule", schedule),
        .init("limits", limits),
        .init("rejects", rejects),
        .init("mask", .texts),
        .init("after", .texts),
        .init("undo", undo),
    ])

    private static let valueKeys: [SchemaNode.Key] = [
        .init("from", .word),
        .init("value", .text),
        .init("default", .text),
        .init("option", .choice(noun: "a way to name options", words(MapEntry.OptionStyle.self))),
        .init("split", .text),
        .init("when_missing", .choice(noun: "a choice for when_missing", words(MapEntry.WhenMissing.self))),
    ]

    private static let mapEntry = SchemaNode.textOr(
        .map(
            valueKeys + [
                .init("link", .word), .init("guard", editGuard),
                .init("parts", .dictionary(noun: "part", .textOr(.map(valueKeys)))),
            ]))

    private static let editGuard = SchemaNode.choice(noun: "a guard", words(EditGuard.self))

    private static let fetch = SchemaNode.map([
        .init("mode", .choice(noun: "a fetch mode", words(FetchDefinition.Mode.self))),
        .init("key", .word),
        .init("start", .word),
        .init("lookback", .durationOrNumber),
        .init("null_key", .choice(noun: "a choice for null_key", words(FetchDefinition.NullKey.self))),
        .init("on_removed", .choice(noun: "a choice for on_removed", words(FetchDefinition.OnRemoved.self))),
    ])

    private static let insert = SchemaNode.map([
        .init("mode", .choice(noun: "an insert mode", words(InsertDefinition.Mode.self))),
        .init("match", match),
        .init("on_missing", .choice(noun: "a choice for on_missing", words(InsertDefinition.OnMissing.self))),
        .init("on_null", .choice(noun: "a choice for on_null", words(InsertDefinition.OnNull.self))),
        .init("compare", .choice(noun: "a way to compare", words(InsertDefinition.Compare.self))),
        .init("repeat", .choice(noun: "a choice for repeat", words(InsertDefinition.Repeat.self))),
        .init("delivery", .choice(noun: "a delivery", words(InsertDefinition.Delivery.self))),
        .init("settle", .duration),
        .init("guard", editGuard),
    ])

    private static let match = SchemaNode.textsOr(
        .map([
            .init("field", .word, isRequired: true),
            .init("as", .choice(noun: "a way to compare match values", words(MatchRule.Form.self))),
            .init("ignore_case", .boolean),
            .init("from", .word),
        ]))

    private static let schedule = SchemaNode.map([
        .init("cron", .text),
        .init("every", .duration),
        .init("timezone", .text),
        .init("start", .word),
        .init("priority", .integer(-1_000...1_000)),
        .init("jitter", .duration),
        .init("catch_up", .choice(noun: "a choice for catch_up", words(ScheduleDefinition.CatchUp.self))),
        .init("overlap", .choice(noun: "a choice for overlap", words(ScheduleDefinition.Overlap.self))),
        .init("enabled", .boolean),
    ])

    private static let limits = SchemaNode.map([
        .init("tokens_per_run", .integer(positive)),
        .init("rows", .integer(positive)),
        .init("reserve", .percent),
        .init("creates", .limit(.countOrPercent)),
        .init("updates", .limit(.countOrPercent)),
        .init("changed", .limit(.percent)),
        .init("emptied", .limit(.percent)),
        .init("rejected", .limit(.countOrPercent)),
        .init("tokens", .limit(.count)),
        .init("shrink", .limit(.percent)),
    ])

    private static let rejects = SchemaNode.map([
        .init("max", .countOrPercent),
        .init("keep", .duration),
        .init("record", .choice(noun: "a way to record rejects", words(RejectPolicy.Record.self))),
    ])

    private static func words<Word>(_ type: Word.Type) -> [String]
    where Word: CaseIterable & RawRepresentable, Word.RawValue == String { type.allCases.map(\.rawValue) }
}
