// SPDX-License-Identifier: Apache-2.0

extension BadProject {
    private static let orgs = "syncs/orgs.yml"
    private static let fields = "  name: company_name\n  Segment: {from: segment, option: label}\n"
    private static let modes = "fetch:\n  mode: INCREMENTAL\n  key: updated_at\ninsert:\n  mode: Update\n"

    /// Syncs and models that cannot mean what they say.
    static let syncs: [BadProject] = [
        edit(
            "an unknown connection", orgs, "connection: crm", "connection: cmr",
            "syncs/orgs.yml:3:15: error[unknown-connection]: there is no connection \"cmr\" | did you mean \"crm\"?"),
        edit(
            "an unknown model", orgs, "model: crm_orgs", "model: crm_org",
            "syncs/orgs.yml:6:10: error[unknown-model]: there is no model \"crm_org\" | did you mean \"crm_orgs\"?"),
        edit(
            "an unknown object", orgs, "object: organization", "object: organisation",
            "syncs/orgs.yml:4:11: error[unknown-object]: pipedrive has no object \"organisation\" "
                + "| did you mean \"organization\"?"),
        edit(
            "a source as destination", orgs, "connection: crm", "connection: warehouse",
            "syncs/orgs.yml:3:15: error[connector-role]: warehouse is a source (postgres) and cannot be written"),
        edit(
            "a destination as source", orgs, "model: crm_orgs", "connection: crm\n  table: deals",
            "syncs/orgs.yml:6:15: error[connector-role]: crm is a destination (pipedrive) and cannot be read"),
        edit(
            "both model and table", orgs, "model: crm_orgs", "model: crm_orgs\n  table: mart.orgs",
            "syncs/orgs.yml:7:3: error[source-both]: a sync reads a model or a table, never both "
                + "| remove this, or model"),
        edit(
            "neither model nor table", orgs, "model: crm_orgs", "key: account_id",
            "syncs/orgs.yml:5:1: error[source-missing]: the sync does not say what it reads "
                + "| add model: NAME, or connection: and table:"),
        edit(
            "a table without a connection", orgs, "model: crm_orgs", "table: mart.orgs",
            "syncs/orgs.yml:6:3: error[source-connection]: a table needs the connection it is read from "
                + "| add connection: NAME"),
        edit(
            "a model with a connection", orgs, "model: crm_orgs", "model: crm_orgs\n  connection: warehouse",
            "syncs/orgs.yml:7:3: error[source-connection]: a model names its connection itself | remove this"),
        edit(
            "INCREMENTAL without a key", orgs, "  key: updated_at\n", "",
            "syncs/orgs.yml:12:9: error[fetch-key]: INCREMENTAL needs the Incremental Key "
                + "| add key: COLUMN, or write FULL"),
        edit(
            "INCREMENTAL with on_removed", orgs, "  key: updated_at\n", "  key: updated_at\n  on_removed: report\n",
            "syncs/orgs.yml:14:3: error[fetch-removed]: INCREMENTAL does not read every row, so it cannot tell which "
                + "have left the source | remove it, or write mode: FULL"),
        edit(
            "FULL with a key", orgs, "mode: INCREMENTAL", "mode: FULL",
            "syncs/orgs.yml:13:3: error[fetch-full]: FULL reads every row and has no key "
                + "| remove it, or write mode: INCREMENTAL"),
        edit(
            "FULL with everything", orgs, "mode: INCREMENTAL\n  key: updated_at",
            "start: 5\n  lookback: 10m\n  null_key: include",
            "syncs/orgs.yml:12:3: error[fetch-full]: FULL reads every row and has no start "
                + "| remove it, or write mode: INCREMENTAL",
            "syncs/orgs.yml:13:3: error[fetch-full]: FULL reads every row and has no lookback "
                + "| remove it, or write mode: INCREMENTAL",
            "syncs/orgs.yml:14:3: error[fetch-full]: FULL reads every row and has no null_key "
                + "| remove it, or write mode: INCREMENTAL"),
        edit(
            "Append with an id", orgs, "mode: Update", "mode: Append",
            "syncs/orgs.yml:8:3: error[append-id]: Append cannot set the id of a new record "
                + "| remove it, or write insert: {mode: Update}"),
        edit(
            "Append without the name", orgs, "  id: crm_id\n" + fields + modes, "  nane: company_name\n",
            "syncs/orgs.yml:8:3: error[append-field]: Append needs name for a new organization, and name is "
                + "not mapped "
                + "| did you mean \"name\"?"),
        with(
            "Append that matches",
            [
                orgs: """
                destination: {connection: crm, object: person}
                source: {connection: exports, table: people}
                map: {name: name}
                insert: {match: email, on_missing: create, compare: none}

                """
            ],
            "syncs/orgs.yml:4:10: error[append-option]: Append only creates records and has no match "
                + "| remove it, or write mode: Update",
            "syncs/orgs.yml:4:24: error[append-option]: Append only creates records and has no on_missing "
                + "| remove it, or write mode: Update",
            "syncs/orgs.yml:4:44: error[append-option]: Append only creates records and has no compare "
                + "| remove it, or write mode: Update"),
        edit(
            "Update without an id", orgs, "  id: crm_id\n", "",
            "syncs/orgs.yml:14:9: error[update-id]: Update needs the id of the record, and id is not mapped "
                + "| map id: COLUMN, or add match: FIELD"),
        edit(
            "a match that is not mapped", orgs, "mode: Update", "mode: Update\n  match: Segmnt",
            "syncs/orgs.yml:16:10: error[match-unmapped]: match names \"Segmnt\", which is not mapped "
                + "| did you mean \"Segment\"?"),
        edit(
            "a rule of a match in the wrong words", orgs, "mode: Update",
            "mode: Update\n  match: {field: name, as: mail}",
            "syncs/orgs.yml:16:28: error[enum]: \"mail\" is not a way to compare match values "
                + "| did you mean email?"),
        edit(
            "a rule of a match that means nothing", orgs, "mode: Update",
            "mode: Update\n  match: {field: name, as: domain, ignore_case: true}",
            "syncs/orgs.yml:16:36: error[match-rule]: a domain is always compared without regard to case "
                + "| remove ignore_case"),
        edit(
            "a match without its field", orgs, "mode: Update", "mode: Update\n  match: {as: domain}",
            "syncs/orgs.yml:16:3: error[missing-key]: match has no \"field\" | add field:"),
        edit(
            "two matches", orgs, "mode: Update", "mode: Update\n  match: [id, name]",
            "syncs/orgs.yml:16:15: error[not-yet]: matching by more than one field is not carried out by "
                + "this version "
                + "| keep one field"),
        edit(
            "create without the name", orgs, fields + modes, "insert:\n  mode: Update\n  on_missing: create\n",
            "syncs/orgs.yml:7:1: error[append-field]: on_missing: create needs name for a new organization, "
                + "and name is not mapped "
                + "| add name: COLUMN"),
        edit(
            "an empty map", orgs, "map:\n  id: crm_id\n" + fields, "map: {}\n",
            "syncs/orgs.yml:7:1: error[map-empty]: the sync maps no field | add target: column"),
        edit(
            "two origins", orgs, "option: label}", "value: SMB}",
            "syncs/orgs.yml:10:28: error[map-source]: \"Segment\" has from and value | keep one of them"),
        edit(
            "no origin", orgs, "{from: segment, option: label}", "{default: SMB}",
            "syncs/orgs.yml:10:3: error[map-source]: \"Segment\" does not say where its value comes from "
                + "| add from: COLUMN or value: CONSTANT"),
        edit(
            "a constant that is split", orgs, "{from: segment, option: label}", "{value: \"a,b\", split: \",\"}",
            "syncs/orgs.yml:10:27: error[map-split]: split takes a column apart, and \"Segment\" has none "
                + "| remove split, or use from"),
        edit(
            "no parts", orgs, "{from: segment, option: label}", "{parts: {}}",
            "syncs/orgs.yml:10:13: error[map-source]: \"Segment\" has no part | add one, for example value: COLUMN"),
        edit(
            "a part without an origin", orgs, "{from: segment, option: label}", "{parts: {value: arr, currency: {}}}",
            "syncs/orgs.yml:10:33: error[map-source]: \"currency\" does not say where its value comes from "
                + "| add from: COLUMN or value: CONSTANT"),
        edit(
            "one target twice", orgs, "  name: company_name", "  name: company_name\n  \" name\": other",
            "syncs/orgs.yml:10:3: error[duplicate-target]: \"name\" is mapped twice | remove one of the two"),
        edit(
            "a mask of nothing", orgs, "version: 1", "version: 1\nmask: [Segmnet]",
            "syncs/orgs.yml:2:8: error[mask-target]: mask names \"Segmnet\", which is not mapped "
                + "| did you mean \"Segment\"?"),
        edit(
            "another name", orgs, "version: 1", "version: 1\nname: organizations",
            "syncs/orgs.yml:2:7: error[name-mismatch]: the sync is called \"organizations\" here and \"orgs\" "
                + "by its file "
                + "| did you mean \"orgs\"?"),
        edit(
            "a settle that is too long", orgs, "mode: Update", "mode: Update\n  settle: 11m",
            "syncs/orgs.yml:16:11: error[range]: settle is 11m, and must be between 1s and 600s | write settle: 60s"),
        edit(
            "after nobody", orgs, "version: 1", "version: 1\nafter: [people, orgs]",
            "syncs/orgs.yml:2:9: error[unknown-sync]: there is no sync \"people\"",
            "syncs/orgs.yml:2:17: error[after-cycle]: orgs waits for itself"),
        edit(
            "cron and every", orgs, "version: 1", "version: 1\nschedule: {cron: \"0 6 * * *\", every: 1h}",
            "syncs/orgs.yml:2:31: error[schedule]: a schedule has cron or every, not both "
                + "| cron is in line 2; keep one of the two"),
        edit(
            "a schedule without a time", orgs, "version: 1", "version: 1\nschedule: {timezone: UTC}",
            "syncs/orgs.yml:2:1: error[schedule]: the schedule does not say when | add cron: or every:"),
        edit(
            "four fields of cron", orgs, "version: 1", "version: 1\nschedule: {cron: \"0 6 * *\"}",
            "syncs/orgs.yml:2:18: error[cron]: a cron expression has 5 fields (minute hour day month "
                + "weekday), not 4 fields"),
        edit(
            "an hour that is none", orgs, "version: 1", "version: 1\nschedule: {cron: \"0 25 * * *\"}",
            "syncs/orgs.yml:2:21: error[cron]: hour \"25\" is not within 0 to 23"),
        edit(
            "a range that runs backwards", orgs, "version: 1",
            "version: 1\nschedule:\n  cron: 0 6 * * FRI-MON\n  timezone: Europe/Berlin",
            "syncs/orgs.yml:3:17: error[cron]: the range \"FRI-MON\" of day of week runs backwards "
                + "| write FRI-SAT,SUN-MON"),
        edit(
            "a day that never comes", orgs, "version: 1", "version: 1\nschedule: {cron: \"0 0 30 2 *\"}",
            "syncs/orgs.yml:2:23: error[cron]: this never runs: the months have no such day"),
        edit(
            "an interval of half a second", orgs, "version: 1", "version: 1\nschedule: {every: 500ms}",
            "syncs/orgs.yml:2:19: error[range]: every must be a second or longer"),
        edit(
            "a start with an offset", orgs, "version: 1",
            "version: 1\nschedule: {every: 1h, start: \"2026-11-01T06:15:00Z\"}",
            "syncs/orgs.yml:2:30: error[schedule-start]: start is a local time of the schedule's zone, without an offset "
                + "| leave the offset away, and write timezone: beside it"),
        edit(
            "a start that is no time", orgs, "version: 1", "version: 1\nschedule: {every: 1h, start: tomorrow}",
            "syncs/orgs.yml:2:30: error[schedule-start]: \"tomorrow\" is not a date and time "
                + "| write start: 2026-11-01 06:15"),
        edit(
            "an unknown zone", orgs, "version: 1", "version: 1\nschedule: {every: 1h, timezone: Europe/Berln}",
            "syncs/orgs.yml:2:33: error[timezone]: \"Europe/Berln\" is not a time zone "
                + "| did you mean \"Europe/Berlin\"?"),
        with(
            "FULL and Append again and again",
            [
                orgs: """
                destination: {connection: crm, object: deal}
                source: {connection: exports, table: deals}
                map: {title: title}
                schedule:
                  cron: "0 * * * *"

                """
            ],
            "syncs/orgs.yml:5:9: warning[append-full-repeat]: FULL + Append inserts all rows on every run "
                + "| every row again, each time"),
        with(
            "a model of a CSV connection", ["models/crm_orgs.sql": "-- connection: exports\nSELECT 1\n"],
            "syncs/orgs.yml:6:10: error[connector-role]: exports (csv) reads tables and no models "
                + "| write connection: exports and table: NAME"),
        with(
            "a model without a connection", ["models/crm_orgs.sql": "SELECT 1\n"],
            "models/crm_orgs.sql:1:1: error[model-connection]: model crm_orgs does not say which connection "
                + "it is read from "
                + "| write -- connection: NAME in the first line"),
        with(
            "a model with a misspelled connection key", ["models/crm_orgs.sql": "-- conection: warehouse\nSELECT 1\n"],
            "models/crm_orgs.sql:1:4: error[model-connection]: model crm_orgs does not say which connection "
                + "it is read from "
                + "| did you mean \"connection\"?"),
        with(
            "a model with an unknown connection", ["models/crm_orgs.sql": "-- connection:  warehose\nSELECT 1\n"],
            "models/crm_orgs.sql:1:17: error[unknown-connection]: there is no connection \"warehose\" "
                + "| did you mean \"warehouse\"?"),
        with(
            "an empty model", ["models/crm_orgs.sql": "-- connection: warehouse\n/* later */ ;\n"],
            "models/crm_orgs.sql:2:1: error[model-sql]: model crm_orgs has no query | write one SELECT"),
        with(
            "two queries", ["models/crm_orgs.yml": "sql: SELECT 1\n"],
            "models/crm_orgs.yml:1:6: error[model-sql]: model crm_orgs has a query here and in models/crm_orgs.sql "
                + "| keep one of the two"),
        with(
            "two syncs of one name",
            [
                "syncs/orgs.yaml":
                    "destination: {connection: crm, object: deal}\nsource: {model: crm_orgs}\nmap: {title: t}\n"
            ],
            "syncs/orgs.yml:1:1: error[duplicate-name]: there are two syncs \"orgs\" "
                + "| the other is in syncs/orgs.yaml:1"),
        with(
            "a name with a blank", ["models/my orgs.sql": "-- connection: warehouse\nSELECT 1\n"],
            "models/my orgs.sql:1:1: error[bad-name]: \"my orgs\" cannot be the name of a model "
                + "| use letters, digits, - and _"),
    ]
}
