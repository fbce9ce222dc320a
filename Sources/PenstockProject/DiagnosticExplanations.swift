// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension DiagnosticCode {
    /// The long help for a code: what it means, an example, and the fix.
    package struct Explanation: Sendable, Hashable {
        /// What the code means.
        package var meaning: String
        /// A piece of a project that leads to it.
        package var example: String
        /// What to do.
        package var fix: String

        init(_ meaning: String, example: String, fix: String) {
            self.meaning = meaning
            self.example = example
            self.fix = fix
        }
    }

    /// The help for the code spelled `code`, or nil where there is no such code.
    package static func explain(_ code: String) -> String? { DiagnosticCode(rawValue: code)?.explanationText }

    /// The nearest code to one that does not exist, or nil.
    package static func nearest(_ code: String) -> String? {
        NearestName.of(code, in: allCases.map(\.rawValue))
    }

    /// What `penstock explain` prints.
    package var explanationText: String {
        guard let help = explanation else { return rawValue }
        let example = help.example.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        return "\(rawValue)\n\n\(help.meaning)\n\nExample:\n\(example)\n\nFix: \(help.fix)"
    }

    /// The help for this code; every code has one.
    package var explanation: Explanation? {
        Self.fileHelp[self] ?? Self.nameHelp[self] ?? Self.modeHelp[self]
    }

    private static let fileHelp: [DiagnosticCode: Explanation] = [
        .syntax: Explanation(
            "The file is not YAML. Only the first such place of a file can be shown, because what follows "
                + "cannot be understood.",
            example: "name: {first} {last}",
            fix: "Quote a value that starts with { [ & * ! % @ or a backtick, or that holds \": \" or \" #\": "
                + "\"{first} {last}\"."),
        .tab: Explanation(
            "A line is indented with a tab. YAML is indented with spaces.",
            example: "→   mode: FULL",
            fix: "Replace the tab by two spaces; set your editor to insert spaces in .yml files."),
        .documents: Explanation(
            "The file holds more than one YAML document. Only one is read.",
            example: "version: 1\n---\nversion: 1",
            fix: "Move what follows the line --- to a file of its own."),
        .emptyFile: Explanation(
            "The file holds nothing, or nothing but comments.",
            example: "# to be written",
            fix: "Write the file, or remove it."),
        .encoding: Explanation(
            "The file is not UTF-8, so that names and constants in it could be misread.",
            example: "a file saved as Windows-1252 or UTF-16",
            fix: "Save it as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 old.yml > new.yml"),
        .unreadable: Explanation(
            "The file or folder could not be read.",
            example: "a file that another user owns",
            fix: "Make it readable for the user who runs penstock."),
        .duplicateKey: Explanation(
            "A key occurs twice in one map. YAML forbids it, and one of the two values would be lost.",
            example: "map: {name: a, name: b}",
            fix: "Remove one of the two."),
        .unknownKey: Explanation(
            "The key is not one that this place of the file has. It would be ignored, so it is refused.",
            example: "desination: {…}",
            fix: "Use the spelling that is suggested, or remove the key."),
        .missingKey: Explanation(
            "A key that must be there is not.",
            example: "destination: {connection: crm}",
            fix: "Add the key."),
        .type: Explanation(
            "The value has the wrong kind: a list where a text belongs, a text where a number belongs.",
            example: "rows: many",
            fix: "Write the kind of value that the message names. yes, no, on and off are texts here; booleans are"
                + " true and false."),
        .enum: Explanation(
            "The value is not one of the allowed words. Case does not count.",
            example: "mode: INCREMENTL",
            fix: "Use one of the allowed words."),
        .range: Explanation(
            "The number is too small or too large.",
            example: "port: 99999",
            fix: "Use a number within the range that the message names."),
        .version: Explanation(
            "The file is written in a version of the project language that this Penstock does not know.",
            example: "version: 2",
            fix: "Update Penstock, or write version: 1."),
        .requires: Explanation(
            "The project asks for another version of Penstock than the one that runs.",
            example: "requires: \">=2.0\"",
            fix: "Run a Penstock that fits, or widen the range."),
        .reference: Explanation(
            "A reference is not written as Penstock reads it, or stands where references are not read.",
            example: "token: ${vault:crm}",
            fix:
                "Write ${env:NAME}, ${NAME}, ${NAME:-default}, ${NAME:?message}, ${file:path}, ${cred:NAME} or "
                + "${exec:program words}; a "
                + "dollar sign before a brace is $$."),
        .envUnset: Explanation(
            "An environment variable that the file refers to is not set.",
            example: "api_token: ${env:CRM_TOKEN}",
            fix: "Set it in the environment of penstock, give a default as ${CRM_TOKEN:-…}, or use ${cred:…}."),
        .credMissing: Explanation(
            "A credential that the file refers to was not found. Looked in: $CREDENTIALS_DIRECTORY, "
                + "/run/secrets, then penstock/credentials in the user configuration folder.",
            example: "api_token: ${cred:crm-token}",
            fix: "penstock secret set crm-token stores it, sealed, in the last of these folders. A plain file of that "
                + "name, mode 0600, works too."),
        .credPermissions: Explanation(
            "A stored credential can be read by other users.",
            example: "a credential file with mode 0644",
            fix: "chmod 600 FILE"),
        .credSealed: Explanation(
            "A stored credential is sealed with a key that is not there, or is damaged. The key is "
                + "$CREDENTIALS_DIRECTORY/penstock.key, else penstock/key in the user configuration folder.",
            example: "a key file that was made anew after the credential was stored",
            fix: "Bring the key back, or store the credential again: penstock secret set NAME"),
        .execForbidden: Explanation(
            "A program would have to run for a secret. A project may come from somebody else, so its programs run only "
                + "where you have said so.",
            example: "api_token: ${exec:pass show crm/token}",
            fix:
                "Read the command. Then: --allow-exec, PENSTOCK_ALLOW_EXEC=1, or allow_exec: true in "
                + "penstock/config.yml in the user configuration folder."),
        .execFailed: Explanation(
            "A program that was to print a secret could not be started, failed, took more than 10 seconds, or printed "
                + "nothing or too much. It gets no shell: its words are separated by blanks, quotes keep blanks.",
            example: "api_token: ${exec:pass show crm/tokn}",
            fix: "Run the command by hand; it must print the secret alone, on standard output."),
        .fileMissing: Explanation(
            "A file that the project refers to could not be read.",
            example: "password: ${file:secrets/db}",
            fix: "Create it; a relative path starts at the folder of the file that names it."),
        .filePermissions: Explanation(
            "A file that holds a secret can be read by other users.",
            example: "password: ${file:secrets/db} with mode 0644",
            fix: "chmod 600 FILE"),
        .secretLiteral: Explanation(
            "A secret is written into a project file, where version control, backups and logs would keep it.",
            example: "api_token: 3f9c…",
            fix: "Take it out, change it at its owner, store the new one outside the project and refer to it: "
                + "api_token: ${cred:crm-token}"),
        .notYet: Explanation(
            "The setting is part of the project language, and this version of Penstock does not carry it out.",
            example: "insert: {match: [name, website]}",
            fix: "Use what the message names."),
    ]

    private static let nameHelp: [DiagnosticCode: Explanation] = [
        .unknownConnection: Explanation(
            "There is no connection of this name.",
            example: "destination: {connection: crm-us, object: deal}",
            fix: "Use a name from connections.yml, or add the connection there."),
        .unknownModel: Explanation(
            "There is no model of this name.",
            example: "source: {model: crm_org}",
            fix: "Use the name of a file in models, or write the model."),
        .unknownConnector: Explanation(
            "No connector of this id is installed, or its file was found and is refused; the message then says why.",
            example: "connector: my-crm",
            fix: "Use an id that penstock connector list shows, or put the library in the plugin folder."),
        .unknownObject: Explanation(
            "The destination does not write an object of this name.",
            example: "object: organisation",
            fix: "Use one of the names that penstock connector show prints."),
        .unknownSync: Explanation(
            "There is no sync of this name.",
            example: "after: [orgs]",
            fix: "Use the name of a file in syncs."),
        .unknownProfile: Explanation(
            "penstock.yml has no profile of this name.",
            example: "default_profile: stage",
            fix: "Use a name from profiles, or add the profile."),
        .connectorRole: Explanation(
            "The connection is used for something that its connector does not do.",
            example: "source: {connection: crm-eu, table: deals}",
            fix: "Use a connection whose connector can do it; penstock connector list shows what each one does."),
        .connectorVersion: Explanation(
            "The connector that is installed is not one that the project allows.",
            example: "connectors: {acme: \"^2.0\"}",
            fix: "Install a version that fits, or widen the range in penstock.yml."),
        .sourceBoth: Explanation(
            "A sync reads a model or a table, never both.",
            example: "source: {model: crm_orgs, table: mart.orgs}",
            fix: "Remove one of the two."),
        .sourceMissing: Explanation(
            "A sync must say what it reads: a model, or a connection and a table.",
            example: "source: {connection: warehouse}",
            fix: "Add table, or name a model instead."),
        .sourceConnection: Explanation(
            "A table needs the connection it is read from. A model names its connection itself.",
            example: "source: {table: mart.orgs}",
            fix: "Add connection next to table; remove it next to model."),
        .fetchKey: Explanation(
            "INCREMENTAL reads the rows whose Incremental Key is past the watermark, so it needs the key.",
            example: "fetch: {mode: INCREMENTAL}",
            fix: "Add key: with a column that grows with every change, or use FULL."),
        .fetchFull: Explanation(
            "FULL reads every row in every run. Settings that only INCREMENTAL has would be ignored, so they "
                + "are refused.",
            example: "fetch: {mode: FULL, key: updated_at}",
            fix: "Remove the setting, or use mode: INCREMENTAL."),
        .fetchRemoved: Explanation(
            "A row that has left the source is noticed by reading all the others. INCREMENTAL reads only those that "
                + "have changed, so it cannot tell.",
            example: "fetch: {mode: INCREMENTAL, key: updated_at, on_removed: report}",
            fix: "Remove on_removed, or use mode: FULL."),
        .appendField: Explanation(
            "A record cannot be created without this field.",
            example: "insert: {mode: Append} without name in the map of an organization",
            fix: "Map the field."),
        .appendId: Explanation(
            "Append creates records, and the destination gives them their ids.",
            example: "map: {id: crm_id, name: company} with Append",
            fix: "Remove id from the map, or use insert: {mode: Update}."),
        .appendOption: Explanation(
            "The setting says how existing records are found or compared. Append only creates records.",
            example: "insert: {mode: Append, on_missing: create}",
            fix: "Remove the setting, or use mode: Update."),
        .updateId: Explanation(
            "Update changes existing records, so something must say which one: the id, or the field named by "
                + "match.",
            example: "insert: {mode: Update} without id in the map",
            fix: "Map id, or write match: with a mapped field."),
        .matchUnmapped: Explanation(
            "The field that finds the record is not in the map, so that no row has a value for it.",
            example: "insert: {mode: Update, match: external_id}",
            fix:
                "Map the field, match by one that is mapped, or name the column that is looked for: match: {field: emails, from: email}."
        ),
        .matchRule: Explanation(
            "The way in which match values are compared leaves the setting without a meaning.",
            example: "match: {field: website, as: domain, ignore_case: false}",
            fix: "Remove the setting."),
        .duplicateTarget: Explanation(
            "Two entries of the map write the same field.",
            example: "map: {name: a, \" name\": b}",
            fix: "Remove one of the two."),
        .mapEmpty: Explanation(
            "The sync maps no field, so it would write nothing.",
            example: "map: {}",
            fix: "Map at least the field that the object needs."),
    ]

    private static let modeHelp: [DiagnosticCode: Explanation] = [
        .mapSource: Explanation(
            "A map entry takes its value from exactly one place: from (a column), value (a constant) or parts.",
            example: "Segment: {from: segment, value: SMB}",
            fix: "Keep one of the three."),
        .mapSplit: Explanation(
            "split takes a text from a column apart. A constant and parts have nothing to split.",
            example: "label_ids: {value: \"a,b\", split: \",\"}",
            fix: "Use from, or remove split."),
        .modelConnection: Explanation(
            "A model does not say which connection it is read from.",
            example: "models/crm_orgs.sql without a first line",
            fix: "Write -- connection: NAME in the first line of the .sql file, or connection: in the .yml file "
                + "next to it."),
        .modelSql: Explanation(
            "A model has no query, or two.",
            example: "an empty models/crm_orgs.sql",
            fix: "Write one SELECT."),
        .modelParam: Explanation(
            "A parameter of a model, or a value for one, is not what it must be.",
            example: "params: {since: 31.12.2025} for a parameter of the type date",
            fix: "Declare it in models/NAME.yml as params: {since: {type: date}}, use it as :since outside of quotes, "
                + "and give it a value in the sync's source.params or with --param."),
        .dbtManifest: Explanation(
            "The manifest that dbt writes cannot be read.",
            example: "dbt: {manifest: target/manifest.json, connection: warehouse} before dbt ever ran",
            fix: "Run dbt parse, or correct the path in penstock.yml."),
        .dbtModel: Explanation(
            "dbt's manifest has no such model, or several, or one that cannot be read.",
            example: "model: dbt:orgs, where two packages have a model orgs",
            fix: "Use a name that the message shows: dbt:NAME, dbt:PACKAGE.NAME or dbt:NAME.vVERSION."),
        .nameMismatch: Explanation(
            "The name in a file is not the name of the file.",
            example: "name: orgs in syncs/people.yml",
            fix: "Rename one of the two; the state of a sync is kept under its name."),
        .duplicateName: Explanation(
            "Two syncs, models or connections have the same name.",
            example: "syncs/orgs.yml and syncs: {orgs: …} in penstock.yml",
            fix: "Rename one of the two."),
        .badName: Explanation(
            "The name holds characters that a file name, a log line or a command line could misread.",
            example: "syncs/my orgs.yml",
            fix: "Use letters, digits, - and _ ; begin with a letter or a digit."),
        .schedule: Explanation(
            "A schedule says when a sync runs by cron or by every, never by both.",
            example: "schedule: {cron: \"0 6 * * *\", every: 1h}",
            fix: "Keep one of the two."),
        .cron: Explanation(
            "The cron expression is not one: five fields (minute, hour, day of month, month, day of week).",
            example: "cron: \"0 25 * * *\"",
            fix: "Correct the field that the message names."),
        .timezone: Explanation(
            "The time zone is not in the system list.",
            example: "timezone: Europe/Berln",
            fix: "Use a name as in /usr/share/zoneinfo, for example Europe/Berlin or UTC."),
        .scheduleStart: Explanation(
            "The first start of a schedule is not a local date and time.",
            example: "start: 2026-11-01T06:15:00+01:00",
            fix: "Write the time that a clock in the schedule's zone shows: start: 2026-11-01 06:15."),
        .appendFullRepeat: Explanation(
            "FULL + Append inserts every row again in every run. With a schedule that is rarely meant.",
            example: "schedule: {every: 1h} with FULL and Append",
            fix: "Use INCREMENTAL, or Update, or write insert: {repeat: allow} where it is meant."),
        .unknownSetting: Explanation(
            "The connector has no setting of this name.",
            example: "api_tokn: ${cred:crm-token}",
            fix: "Use the spelling that is suggested; penstock connector show lists the settings."),
        .missingSetting: Explanation(
            "A setting without which the connector cannot work is not given.",
            example: "connector: acme without api_token",
            fix: "Add the setting to the connection."),
        .maskTarget: Explanation(
            "mask names a field that the sync does not map, so that nothing would be hidden.",
            example: "mask: [ARR]",
            fix: "Use the name as it stands in the map."),
        .afterCycle: Explanation(
            "Syncs wait for each other, so that none could start.",
            example: "a after b, b after a",
            fix: "Remove one of the two."),
        .linkTarget: Explanation(
            "The sync named by link does not write what the field refers to, or not to the same destination.",
            example: "org_id: {from: company_key, link: people_to_crm}",
            fix: "Link to a sync that writes the object the field refers to, keyed by one column."),
        .unknownColumn: Explanation(
            "The model or table has no column of this name.",
            example: "name: compny_name",
            fix: "Use the spelling that is suggested, or add the column to the model."),
        .unknownField: Explanation(
            "The object has no field of this name.",
            example: "ARR (EURO): arr_eur",
            fix: "Use the API name, the label or the code of a field; penstock connection discover lists them."),
        .readOnlyField: Explanation(
            "The destination does not let this field be written.",
            example: "add_time: created_at",
            fix: "Remove the field from the map."),
        .fieldType: Explanation(
            "A column or constant can never become a value of the field.",
            example: "value: many, for a number",
            fix: "Use a column or a constant of the kind of the field."),
        .unknownOption: Explanation(
            "The field has no option of this label or id.",
            example: "Segment: {value: Galactic}",
            fix: "Use one of the options that the message names."),
        .alertChannel: Explanation(
            "An alert is sent nowhere, to a place that is none, or with a password in the clear.",
            example: "alerts: {ops: {on: [failure]}}",
            fix: "Give it a channel: command: [PROGRAM, …], webhook: {url: …} or smtp: {host: …, from: …, to: […]}."),
        .lineage: Explanation(
            "Lineage is sent nowhere, or to a place that is none.",
            example: "lineage: {namespace: crm}",
            fix: "Name a file or an address: lineage: {file: lineage.jsonl}, lineage: {url: \"https://…\"}."),
        .keyType: Explanation(
            "The column cannot be an Incremental Key: its values have no order that can be kept.",
            example: "key: is_active",
            fix: "Use a number, decimal, date or timestamp, or a text that sorts by its bytes."),
        .templateParam: Explanation(
            "A template and its parameters do not fit together: an open place names no parameter, a parameter has no "
                + "place, or its default does not fit its type.",
            example: "connection: \"{{conection}}\"",
            fix: "Name every open place under params, with the type of what may stand there."),
    ]
}
