// SPDX-License-Identifier: Apache-2.0

import PenstockEngine

/// What the codes of rejects, of findings about columns and fields, and of run-time errors mean.
enum Explanations {
    /// The codes that have a text here.
    static var codes: [String] {
        texts.keys + RowReject.Code.allCases.map(\.rawValue) + MappingProblem.Code.allCases.map(\.rawValue)
    }

    /// What a code means for a row or a run; nil where it names findings in files only.
    static func rejectText(_ code: String) -> String? {
        texts[code] ?? RowReject.Code(rawValue: code)?.explanation
    }

    /// The text of a code, or nil.
    static func text(_ code: String) -> String? {
        let parts = [
            MappingProblem.Code(rawValue: code)?.explanation, RowReject.Code(rawValue: code)?.explanation, texts[code],
        ].compactMap { $0 }
        if parts.isEmpty, code.hasPrefix("unknown-") {
            let kind = code.dropFirst("unknown-".count)
            return "\(code)\n\nThere is no \(kind) of this name; the message says which there are.\n"
        }
        return parts.isEmpty ? nil : "\(code)\n\n\(parts.joined(separator: "\n\n"))\n"
    }

    private static let texts: [String: String] = [
        "stale-plan":
            "The plan that was to be applied is no longer true: the files, a connector, the map, a field at the destination, the state, or rows of the source have changed since, or the run was undone since that an undo was planned for; or the plan was applied already; the message says which. Nothing was sent. Plan again and look at it: penstock plan SYNC -O FILE, or penstock undo RUN -O FILE.",
        "not-applied":
            "Several plans were to be applied by one command, and this one was left because of another: that one is no longer true or would exceed a limit, and then none of them is begun; or the run of a sync that this one links to did not come to its end. The message says which. Nothing was sent for this sync. What stopped the other one is told beside it; once that is mended, the same command goes on, and leaves plans alone that are applied already.",
        "plan-damaged":
            "The file is no plan, or was changed or cut since it was written: its digest does not fit. Nothing was sent. Plan again.",
        "plan-version": "The plan was written by a Penstock whose form of plans this one does not read. Plan again.",
        "other-plan":
            "A file holds the plan of a run (plan -O, for run --plan) or that of an undo (undo -O, for undo --plan), and the other command was given.",
        "ambiguous-plan": "Undos of several syncs are kept under the word latest. Name the sync: --sync NAME.",
        "no-plan": "There is no such plan. Make one: penstock plan SYNC -O FILE, or -O latest.",
        "offline":
            "A plan that asks nobody needs the destination's fields as they were told before. Plan or run once without --offline; again after the map names other fields.",
        "changed-since-plan":
            "The record no longer looks as it did when the run was planned, and the plan was made with --guard; or, with such a plan, the update was not planned, because the row or its record has changed since; or the record is gone since, and only the ledger knew it. Of an undo: of the record now more, less or something else could be put back than its plan says. It was left alone. Look at the record, and plan again: the next run of the sync decides about the row anew.",
        "record-gone":
            "The record that an earlier run had written for this row was deleted at the destination, and only the ledger knew it. The next run looks for another record by insert.match, and goes by insert.on_missing where there is none: what it creates is in its plan and counted by its limits. compare: remote finds such records within one run.",
        "not-overwritten":
            "plan -O and undo -O write a plan into a new file, or over a plan that was kept before. What is there is something else, and was left as it is; nothing was asked or spent. Give another file, or remove this one.",
        "limit-creates":
            "The run would create more records than limits.creates allows; nothing was sent. Look at it with plan; run --yes-really creates passes the limit once.",
        "limit-updates":
            "The run would change more records than limits.updates allows; nothing was sent. Look at it with plan; run --yes-really updates passes the limit once.",
        "limit-changed":
            "A larger share of the fetched rows would be sent than limits.changed allows; nothing was sent. Look at it with plan; run --yes-really changed passes the limit once.",
        "limit-emptied":
            "More values of one field would become empty than limits.emptied allows, of the rows that have a record; nothing was sent. An empty column in the source is the usual cause. run --yes-really emptied passes the limit once.",
        "limit-rejected":
            "More rows would be rejected than limits.rejected allows; nothing was sent. Look at them with plan; run --yes-really rejected passes the limit once.",
        "limit-tokens":
            "The run would cost more tokens than limits.tokens allows; nothing was sent. run --yes-really tokens passes the limit once.",
        "plan-file":
            "The file with the plan cannot be read: look at its path, its owner and its rights. Nothing was sent.",
        "limit-shrink":
            "The source has far fewer rows than in the last finished run, by limits.shrink (half, where the file says nothing); nothing was sent. A query or an export that broke is the usual cause. Where the rows are really gone: run --yes-really shrink.",
        "key-null":
            "A row's source key is NULL, so it cannot be told from other rows. Choose another source.key, or give the row one.",
        "duplicate-key":
            "Two rows of one run have the same source key. The first one goes, the others are rejects. Make the key unique, for example in the model.",
        "fetch-key-null":
            "A row's Incremental Key is NULL: it can never be past a watermark. Fill the column, or say fetch.null_key: include.",
        "column-ambiguous":
            "The query has several columns of this name, and nothing says which one is meant. Give each a name of its own.",
        "source-cut":
            "The source was cut off while it was read. The read went on behind its last row; the rest is of a later snapshot.",
        "fetch-key-type":
            "The Incremental Key must have an order: a number, decimal, date, timestamp or text. In a file without types, declare the column's type in the connection.",
        "fetch-start": "fetch.start is not a value of the Incremental Key's column as the source has it.",
        "fetch-lookback":
            "fetch.lookback does not fit the Incremental Key: dates and timestamps take a duration such as 10m, numbers take a number.",
        "source-value":
            "The source holds something that cannot be read as its column's type, or a line that is broken. The message names the place.",
        "delivery-marker":
            "insert.delivery: exactly_once writes a marker into a text field of its own, which the object lacks or the map fills. Create it: penstock connection prepare CONNECTION OBJECT",
        "delivery-read-back":
            "The connector cannot list changed records, so a create whose answer is lost cannot be looked for. Write delivery: at_most_once.",
        "login-refused":
            "The person, or the authorization server, did not allow the access. Nothing was changed. Log in again: penstock connection login NAME",
        "login-state":
            "An answer came that belongs to another login: its state is not the one that was asked with. Somebody may have sent a link of theirs. Start again from the terminal.",
        "login-timeout":
            "Nobody answered the login in time. Nothing was changed. --timeout SECONDS waits longer; where the browser is on another machine, paste the address that it ends at.",
        "login-port":
            "The browser comes back to a port of this machine, and another program listens there. --port takes another one, which must be in the app's callback URL too; 0 takes a free one.",
        "login-address":
            "The address of the login page is written in the connection, and is not an https:// address. Plain http:// is for this machine alone.",
        "login":
            "The connection cannot be logged in in a browser: its connector has no such way, or another way in is written in it. The message says what to leave out.",
        "connection-used":
            "Syncs, models or profiles use the connection. Remove or change them first; the message names them.",
        "connection-exists":
            "There is a connection of this name. Change it with penstock connection edit, or take another name for a second account.",
        "not-edited":
            "The file is not readable YAML, or is written in a way that only a person can change safely. It is as it was.",
        "bad-secret":
            "The secret that was given is empty, larger than 64 KiB, or not UTF-8.",
        "unknown-table":
            "The source has no such table, or the model's query cannot be read. List what there is: penstock connection discover NAME",
        "alert":
            "An alert could not be sent, or not be written down. The run is not concerned; what waits is sent later. See penstock alert list and penstock alert test NAME",
        "lineage": "Of a run: an event of OpenLineage could not be sent, and is lost. The run is not concerned.",
        "no-log":
            "The run has left no events: it could not begin, it ran before events were kept, or the files are gone.",
        "other-sync":
            "The plan is one of another sync; or the runs that are compared are of two syncs, so that their numbers say little about each other.",
        "not-found":
            "Of a row: its id names no record at the destination; an update never creates one. Of a connection: what a setting or the sync names (a file, table or object) is not there.",
        "id-missing":
            "The row has no id, and an update needs one. Say insert.on_missing: skip or create if that is meant.",
        "match-missing":
            "No record carries the row's match value. Say insert.on_missing: skip or create if that is meant.",
        "match-ambiguous":
            "Several records carry the row's match value. Penstock never takes the first one: make them differ, or match by id.",
        "duplicate-target":
            "An earlier row of this run goes to the same record: it has the same id, or the same match value. One record cannot stand for two rows; the first one goes.",
        "record-locked":
            "The destination keeps the record from being changed, as an archived one. Map the field that the message names to false, or leave the row out.",
        "undo-nothing":
            "Of this run nothing is kept that could be put back: it changed nothing, its updates were sent without looking at the records (undo: on looks at them), it is forgotten, or the sync writes records of another object now. Or the kept plan of an undo has nothing in it.",
        "undo-unknown":
            "Creates of the run may have been carried out without anybody knowing. Let the next run look for them, or say what became of them: penstock reject resolve NAME",
        "undo-not-allowed":
            "undo: on reads every record before it is changed, and the records of this object cannot be read by id. Use auto.",
        "key-needed":
            "insert.on_missing: create must remember which row a record was created for. Name the row's key: source.key.",
        "refused-before":
            "The destination refused this row before, and neither the row, nor the map, nor the fields have changed since.",
        "bad-config": "A setting of the connection is wrong; the message names it.",
        "bad-data": "The data are at fault; the message names the place.",
        "bad-request": "The query or the request is not one that the other side takes.",
        "unsupported": "The connector cannot do that at all; see penstock connector show NAME",
        "cannot-write": "A file or folder cannot be written: look at its owner, its rights and the space on the disk.",
        "confirmation":
            "The command forgets or overwrites something and wants to be told so: answer yes, or give --yes.",
        "missing-answer": "Without a terminal nothing can be asked; the message names the flag that gives the answer.",
        "aborted": "There was no answer, so nothing was written.",
        "ambiguous-key":
            "Several rows have this key, so they can only be sent again or dropped together: --resend, --drop.",
        "cannot-read": "A file of the project cannot be read, or is not UTF-8. It is as it was.",
        "changed": "Somebody else changed the file meanwhile. What you wrote is kept beside it; put the two together.",
        "check": "The program cannot start itself again, as each check in a process of its own needs; mount /proc.",
        "declared": "A deviation from the contract is declared with a reason; write one.",
        "model": "The files of the model have errors: penstock validate shows them.",
        "no-home": "Secrets of a user need a folder: set XDG_CONFIG_HOME or HOME.",
        "no-table": "The connection has no table or view to read: look at its folder, or at the user's rights.",
        "prepare": "The connector creates no fields at its destination, so there is nothing to prepare.",
        "project": "The project's files have errors: penstock validate shows them.",
        "record-owned": "The record stands for another row already. One record cannot stand for two rows.",
        "run-unfinished": "A run of the sync is not finished. Finish it first: penstock run NAME",
        "no-schedule": "The sync has no schedule that could be paused or resumed: write schedule: into its file.",
        "nothing-selected":
            "The selectors fit no sync. Where that is right, as in a script, say --allow-empty.",
        "selector":
            "Syncs are selected by name or pattern, or by tag:, connection:, object: and result:; see penstock run --help",
        "schedule-export":
            "The target cannot say when the sync is due; the message says why. penstock server runs every schedule.",
        "name-taken": "There is a file of this name already, and none is ever overwritten. Take another name.",
        "in-use": "Other syncs name this one in after or link, or an alert in syncs. Take it out there first.",
        "no-file": "The sync stands in penstock.yml together with others, and the command works on syncs/NAME.yml.",
        "rename-unfinished":
            "A rename was cut short. Give the same command again, penstock sync rename OLD NEW; until then neither name runs.",
        "edit": "The file cannot be changed by a program as it is written. Change it by hand; nothing was changed.",
        "editor": "The editor could not be started, or did not end well. Name another one in EDITOR.",
        "no-sync": "The project has no enabled sync: write one into syncs/NAME.yml, or name a disabled one.",
        "project-exists": "There is a project in this folder already.",
        "model-exists": "There is a model of this name already. Choose another name, or edit its file.",
        "model-column":
            "columns: of a model describes a column that its query does not have, or one of another type. Correct either.",
        "file-exists": "There is a file of this name already, and it is not overwritten. Choose another name.",
        "object-missing": "The destination has several objects: name one.",
        "ambiguous-run": "Several runs begin with these characters; give more of them.",
        "sandbox":
            "The sandbox is a program beside its connector, penstock-sandbox-NAME; it was not found or did not start.",
        "connector": "The connector's file cannot be read any more.",
        "not-a-key-type": "Columns of this type have no order to fetch by.",
        "not-a-timestamp": "The value is not a date with a time, as in 2026-01-01T10:00:00Z.",
        "zone-not-allowed": "The column has no time zone: write the time as the column has it.",
        "conflict": "Somebody else changed it first. Run again.",
        "cancelled": "The work was stopped.",
        "broken": "A connection broke and is of no more use. Run again; nothing is lost.",
        "busy": "Flow control between host and connector; it does not reach you.",
        "no-memory": "There is not enough memory.",
        "internal": "A fault of Penstock or of a connector. Please report it with what was printed.",
        "unauthorized": "The credential was refused. Make a new one, store it, and try: penstock connection test NAME",
        "forbidden": "The credential is good but lacks the right, or the account is not open.",
        "quota-spent":
            "The daily budget is used up, but for the reserve. Run again after the reset; the run goes on where it stopped.",
        "rate-limited":
            "The destination refused for too many requests at the moment. Penstock waits and tries again by itself.",
        "unavailable":
            "The other side cannot be reached, or answers with a fault of its own. Run again later; nothing is lost.",
        "timed-out": "No answer came within the time allowed.",
        "schema-changed": "Columns or fields are not what they were. Look at the difference, and adapt the sync.",
        "contract-breach": "A connector did not keep to the contract (docs/reference/abi.md). Report it to its author.",
        "connector-changed":
            "A connector's file is not the one in penstock.lock. That is right after an update; with --locked it is refused.",
        "field-renamed":
            "A custom field has another label now. It is still written, by the code in penstock.lock. Write the new label into the sync when it suits you.",
        "lock-damaged":
            "penstock.lock is not what Penstock wrote. Delete it, or take it from version control; the next run writes it anew.",
        "run-abandoned":
            "run --new, or a plan that was made with --new, gave the rest of an unfinished run up. A row whose create may have been applied can then exist twice.",
        "locked": "Another run of this sync is at work; only one may write its state.",
        "state":
            "The state of the sync cannot be used as it is; the message says why. One of a Penstock before 0.1.0 tells rows, and the records that it has marked, by digests that are made no more. Start anew with penstock state reset SYNC --all: an Update with match finds its records by their field; for an Append, delete the records that it created first, or they exist twice.",
        "state-damaged":
            "What is stored is not what was written. Rebuild the state, import an export, or reset the sync; see docs/how-to/when-the-state-is-refused.md",
        "state-outdated":
            "The state file is gone, is an old copy, or another one than was last written: with it, rows would be created again. Put the newest file back, rebuild it, import an export, or reset the sync.",
        "export-damaged": "The file is not what penstock state export wrote, or no longer.",
        "export-sync": "The export is of another sync.",
        "server-running":
            "A project has one server, and another one is at work; the message names its process. Look at it with penstock server status, or end it with penstock server stop.",
        "no-server":
            "No server of this project listens on .penstock/server.sock, or it does not answer. Start one: penstock server",
        "server-conflict":
            "What was asked of the server does not go together with what is at work: the sync runs already, does not run, or is disabled.",
        "listen":
            "The server cannot listen there. An address that other machines reach needs --tls-cert and --tls-key; a port or a socket may be in use.",
        "token-file":
            "The file with the server's token must be readable by its user alone and hold one word of 16 characters or more.",
        "tick-journal":
            "The journal of ticks, .penstock/schedule.db, cannot be used, so nothing can be started that is sure to start once. Make room on the disk, or, where it is damaged, move it away: schedules then count from the next start on.",
        "test-clock": "PENSTOCK_TEST_CLOCK is a moment and a speed, for rehearsals: 2026-10-20T00:00:00Z@20000",
        "no-state": "The sync has never run, so there is nothing to export.",
        "no-project":
            "There is no penstock.yml here or in a folder above. Start a project with penstock init, or name its folder with -C.",
        "usage": "The command line is not one that Penstock knows; see --help.",
    ]
}

extension RowReject.Code {
    /// What it means and what to do.
    var explanation: String {
        switch self {
        case .notANumber:
            "The value is not a plain decimal number: digits, a point, a sign. Commas and units are not guessed at."
        case .notAnInteger: "The value is a number with a fraction, and the field holds integers."
        case .outOfRange: "The number, date or time is outside what the field holds."
        case .notADate: "The value is not a date YYYY-MM-DD."
        case .hasTime: "The value has a time of day, and the field holds dates. Cut it in the model if that is meant."
        case .notATime: "The value is not a time of day HH:MM or HH:MM:SS, or it has a fraction of a second."
        case .notAnInstant: "The value is not a date with a time, as in 2026-01-01T10:00:00Z."
        case .zoneMissing:
            "The value has no time zone, and the field holds instants. Convert it in the model; no zone is guessed."
        case .notABoolean: "The value is neither true nor false, yes nor no, 1 nor 0."
        case .optionUnknown:
            "The value is not one of the field's options. Add the option at the destination, fix the value, or say when_missing: skip."
        case .optionAmbiguous: "Several options are called so. Name it by id: option: id."
        case .ownerInvalid: "The owner is not an active user of the account, neither by id nor by e-mail address."
        case .ownerAmbiguous: "Several active users have this e-mail address. Name the owner by id."
        case .tooLong: "The text has more characters than the field holds. It is not cut."
        case .nulCharacter: "The text holds the character U+0000, which the destination cannot store."
        case .notAnID: "The value is not the id of a record: a positive integer."
        case .listInvalid:
            "The value is not a list of what the field holds. Split a text with split:, or give a JSON array."
        case .addressInvalid: "The value is not an address: a text, parts, or a JSON object with value."
        case .rangeInvalid: "The value is not two dates or two times: give parts value and until."
        case .moneyInvalid: "The value is not an amount: a number, or parts value and currency."
        case .currencyInvalid: "The currency is not a code of three letters."
        case .jsonInvalid: "The text is not JSON."
        case .emptyValue:
            "The text is empty, and the field holds no text. An empty text is not NULL; make it NULL in the source or the connection."
        case .requiredEmpty: "A field that a record must have is NULL, empty or only white space."
        case .linkBlocked:
            "The row that the field links to was rejected, or its fate is not known yet. This row goes by itself once that one does."
        case .linkMissing:
            "The linked sync has no row with this source key. This row goes by itself once it has; check the key where it never comes."
        case .cannotClear: "The value is NULL, on_null: clear is set, and the field cannot be cleared."
        case .conditionUnmet:
            "The field may have a value only with some values of another field: a reason for losing, only where the deal is lost."
        }
    }
}

extension MappingProblem.Code {
    /// What it means and what to do.
    var explanation: String {
        switch self {
        case .unknownField: "The object has no such field. List its fields: penstock connection discover NAME OBJECT"
        case .unknownColumn: "The source has no such column. Column names are compared letter for letter."
        case .readOnlyField: "The destination does not let this field be written in this insert mode."
        case .ambiguousLabel: "Several fields bear this label. Name the one you mean by its code."
        case .duplicateTarget: "Two entries of the map fill one field. Keep one."
        case .sourceMissing: "The entry says neither from nor value nor parts."
        case .sourceAmbiguous: "The entry says more than one of from, value and the part that they would fill."
        case .typeMismatch: "No value of the column's type can become a value of the field. Convert it in the model."
        case .zoneMissing:
            "The column has no time zone, and the field holds instants. Convert it in the model; no zone is guessed."
        case .optionNotAllowed: "option: is for fields with options; users are named by id or e-mail address."
        case .splitNotAllowed: "split: is for lists that come from a text column, and needs a separator."
        case .whenMissingNotAllowed: "when_missing: is for fields with options."
        case .linkNotAllowed: "link: is for fields that refer to a record, and to a sync that writes such records."
        case .guardNotAllowed:
            "guard: says when an update may change a field. The id is never changed, and a guard that looks at the record needs an object whose records can be read by id."
        case .defaultNotAllowed: "default: has no meaning beside value."
        case .constantInvalid: "The constant, or the default, is not a value of the field."
        case .partUnknown: "The field has no part of this name."
        case .partMissing: "A part that the field needs is not filled."
        case .requiredNotMapped: "A new record needs this field, and the map does not fill it."
        case .matchNotMapped: "insert.match names a field that the map does not fill."
        case .matchNotAllowed: "Records cannot be found by a field of this kind."
        case .matchRuleNotAllowed:
            "as: and ignore_case: say how texts are compared; the match field holds no texts, or compares them so already."
        case .conditionNotMapped:
            "A new record can have this field only with some values of another field. Map that one too."
        case .idNotUsed: "id is mapped although another field finds the record. Leave one of them out."
        }
    }
}
