// SPDX-License-Identifier: Apache-2.0

/// Every kind of finding that Penstock reports about project files; `penstock explain CODE` prints its help.
package enum DiagnosticCode: String, Sendable, Hashable, CaseIterable {
    /// The file is not YAML.
    case syntax
    /// A line is indented with a tab.
    case tab
    /// The file holds more than one YAML document.
    case documents
    /// The file holds nothing, or nothing but comments.
    case emptyFile = "empty-file"
    /// The file is not UTF-8, so that names and constants in it could be misread.
    case encoding
    /// The file or folder could not be read.
    case unreadable
    /// A key occurs twice in one map.
    case duplicateKey = "duplicate-key"
    /// The key is not one that this place of the file has.
    case unknownKey = "unknown-key"
    /// A key that must be there is not.
    case missingKey = "missing-key"
    /// The value has the wrong kind: a list where a text belongs, a text where a number belongs.
    case type
    /// The value is not one of the allowed words.
    case `enum`
    /// The number is too small or too large.
    case range
    /// The file is written in a version of the project language that this Penstock does not know.
    case version
    /// The project asks for another version of Penstock than the one that runs.
    case requires
    /// A reference is not written as Penstock reads it, or stands where references are not read.
    case reference
    /// An environment variable that the file refers to is not set.
    case envUnset = "env-unset"
    /// A credential that the file refers to was not found.
    case credMissing = "cred-missing"
    /// A stored credential can be read by other users.
    case credPermissions = "cred-permissions"
    /// A stored credential is sealed and cannot be opened.
    case credSealed = "cred-sealed"
    /// A program would have to run for a secret, and nobody has allowed it.
    case execForbidden = "exec-forbidden"
    /// A program that was to print a secret did not.
    case execFailed = "exec-failed"
    /// A file that the project refers to could not be read.
    case fileMissing = "file-missing"
    /// A file that holds a secret can be read by other users.
    case filePermissions = "file-permissions"
    /// A secret is written into a project file, where version control, backups and logs would keep it.
    case secretLiteral = "secret-literal"
    /// The setting is part of the project language, and this version of Penstock does not carry it out.
    case notYet = "not-yet"
    /// There is no connection of this name.
    case unknownConnection = "unknown-connection"
    /// There is no model of this name.
    case unknownModel = "unknown-model"
    /// No connector of this id is installed.
    case unknownConnector = "unknown-connector"
    /// The destination does not write an object of this name.
    case unknownObject = "unknown-object"
    /// There is no sync of this name.
    case unknownSync = "unknown-sync"
    /// penstock.yml has no profile of this name.
    case unknownProfile = "unknown-profile"
    /// The connection is used for something that its connector does not do.
    case connectorRole = "connector-role"
    /// The connector that is installed is not one that the project allows.
    case connectorVersion = "connector-version"
    /// A sync reads a model or a table, never both.
    case sourceBoth = "source-both"
    /// A sync must say what it reads: a model, or a connection and a table.
    case sourceMissing = "source-missing"
    /// A table needs the connection it is read from.
    case sourceConnection = "source-connection"
    /// INCREMENTAL reads the rows whose Incremental Key is past the watermark, so it needs the key.
    case fetchKey = "fetch-key"
    /// FULL reads every row in every run.
    case fetchFull = "fetch-full"
    /// INCREMENTAL does not read every row, so it cannot tell which have left the source.
    case fetchRemoved = "fetch-removed"
    /// A record cannot be created without this field.
    case appendField = "append-field"
    /// Append creates records, and the destination gives them their ids.
    case appendId = "append-id"
    /// The setting says how existing records are found or compared.
    case appendOption = "append-option"
    /// Update changes existing records, so something must say which one: the id, or the field named by match.
    case updateId = "update-id"
    /// The field that finds the record is not in the map, so that no row has a value for it.
    case matchUnmapped = "match-unmapped"
    /// The way in which match values are compared leaves the setting without a meaning.
    case matchRule = "match-rule"
    /// Two entries of the map write the same field.
    case duplicateTarget = "duplicate-target"
    /// The sync maps no field, so it would write nothing.
    case mapEmpty = "map-empty"
    /// A map entry takes its value from exactly one place: from (a column), value (a constant) or parts.
    case mapSource = "map-source"
    /// split takes a text from a column apart.
    case mapSplit = "map-split"
    /// A model does not say which connection it is read from.
    case modelConnection = "model-connection"
    /// A model has no query, or two.
    case modelSql = "model-sql"
    /// A parameter of a model, or a value for one, is not what it must be.
    case modelParam = "model-param"
    /// The manifest that dbt writes cannot be read.
    case dbtManifest = "dbt-manifest"
    /// dbt's manifest has no such model, or several, or one that cannot be read.
    case dbtModel = "dbt-model"
    /// The name in a file is not the name of the file.
    case nameMismatch = "name-mismatch"
    /// Two syncs, models or connections have the same name.
    case duplicateName = "duplicate-name"
    /// The name holds characters that a file name, a log line or a command line could misread.
    case badName = "bad-name"
    /// A schedule says when a sync runs by cron or by every, never by both.
    case schedule
    /// The cron expression is not one: five fields (minute, hour, day of month, month, day of week).
    case cron
    /// The time zone is not in the system list.
    case timezone
    /// The first start of a schedule is not a local date and time.
    case scheduleStart = "schedule-start"
    /// FULL + Append inserts every row again in every run.
    case appendFullRepeat = "append-full-repeat"
    /// The connector has no setting of this name.
    case unknownSetting = "unknown-setting"
    /// A setting without which the connector cannot work is not given.
    case missingSetting = "missing-setting"
    /// mask names a field that the sync does not map, so that nothing would be hidden.
    case maskTarget = "mask-target"
    /// The sync named by link does not write what the field refers to, or not to the same destination.
    case linkTarget = "link-target"
    /// Syncs wait for each other, so that none could start.
    case afterCycle = "after-cycle"
    /// The model or table has no column of this name.
    case unknownColumn = "unknown-column"
    /// The object has no field of this name.
    case unknownField = "unknown-field"
    /// The destination does not let this field be written.
    case readOnlyField = "read-only-field"
    /// A column or constant can never become a value of the field.
    case fieldType = "field-type"
    /// The field has no option of this label or id.
    case unknownOption = "unknown-option"
    /// The column cannot be an Incremental Key: its values have no order that can be kept.
    case keyType = "key-type"
    /// An alert is sent nowhere, or to a place that is none.
    case alertChannel = "alert-channel"
    /// Lineage is sent nowhere, or to a place that is none.
    case lineage
    /// A template and its parameters do not fit together.
    case templateParam = "template-param"
}
