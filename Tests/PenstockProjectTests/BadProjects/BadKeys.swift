// SPDX-License-Identifier: Apache-2.0

extension BadProject {
    private static let orgs = "syncs/orgs.yml"

    /// Keys and values that the project language does not have.
    static let keys: [BadProject] = [
        edit(
            "an unknown key", orgs, "destination:", "desination:",
            "syncs/orgs.yml:2:1: error[unknown-key]: unknown key \"desination\" | did you mean \"destination\"?"),
        edit(
            "an unknown key like no other", orgs, "version: 1", "version: 1\nfrobnicate: 1",
            "syncs/orgs.yml:2:1: error[unknown-key]: unknown key \"frobnicate\""),
        edit(
            "an unknown key in fetch", orgs, "  key: upd", "  kee: upd",
            "syncs/orgs.yml:13:3: error[unknown-key]: unknown key \"kee\" in fetch | did you mean \"key\"?"),
        edit(
            "a key of an earlier draft", orgs, "mode: Update", "mode: Update\n  skip_unchanged: true",
            "syncs/orgs.yml:16:3: error[unknown-key]: unknown key \"skip_unchanged\" in insert "
                + "| did you mean \"compare\"?"),
        edit(
            "an unknown key in a map entry", orgs, "option: label}", "options: label}",
            "syncs/orgs.yml:10:28: error[unknown-key]: unknown key \"options\" in Segment | did you mean \"option\"?"),
        edit(
            "a map entry with parts as keys", orgs, "company_name", "{currency: EUR}",
            "syncs/orgs.yml:9:10: error[unknown-key]: unknown key \"currency\" in name "
                + "| parts of a field stand under parts:"),
        edit(
            "a wrong fetch mode", orgs, "INCREMENTAL", "INCREMENTL",
            "syncs/orgs.yml:12:9: error[enum]: \"INCREMENTL\" is not a fetch mode | did you mean INCREMENTAL?"),
        edit(
            "a wrong insert mode", orgs, "mode: Update", "mode: Upsert",
            "syncs/orgs.yml:15:9: error[enum]: \"Upsert\" is not an insert mode"),
        edit(
            "a wrong choice in insert", orgs, "mode: Update", "mode: Update\n  on_missing: created",
            "syncs/orgs.yml:16:15: error[enum]: \"created\" is not a choice for on_missing "
                + "| did you mean create?"),
        edit(
            "a boolean of YAML 1.1", orgs, "version: 1", "version: 1\nenabled: yes",
            "syncs/orgs.yml:2:10: error[type]: \"yes\" is not true or false | did you mean true?"),
        edit(
            "a number with a comma", orgs, "version: 1", "version: 1\nlimits: {rows: \"50,000\"}",
            "syncs/orgs.yml:2:16: error[type]: \"50,000\" is not a whole number | did you mean 50000?"),
        edit(
            "a number out of range", orgs, "version: 1", "version: 1\nlimits: {rows: 0}",
            "syncs/orgs.yml:2:16: error[range]: rows must be at least 1"),
        edit(
            "a duration without a unit", orgs, "version: 1", "version: 1\nrejects: {keep: 30}",
            "syncs/orgs.yml:2:17: error[type]: \"30\" is not a duration as 10m or PT10M "
                + "| a duration needs a unit: 30s, 30m, 30h, 30d"),
        edit(
            "a percentage that is none", orgs, "version: 1", "version: 1\nrejects: {max: 150%}",
            "syncs/orgs.yml:2:16: error[type]: \"150%\" is not a number of rows, or a percentage as 1% "
                + "| from 0% to 100%, with two decimal places at most"),
        edit(
            "a limit of more than all rows", orgs, "version: 1", "version: 1\nlimits: {creates: 101%}",
            "syncs/orgs.yml:2:19: error[type]: \"101%\" is not a number, a percentage as 25%, or off "
                + "| from 0% to 100%, with two decimal places at most"),
        edit(
            "a list for a text", orgs, "crm_orgs", "[crm_orgs]",
            "syncs/orgs.yml:6:10: error[type]: model must be a text, not a list"),
        edit(
            "a text for a map", orgs, "fetch:\n  mode: INCREMENTAL\n  key: updated_at", "fetch: FULL",
            "syncs/orgs.yml:11:8: error[type]: fetch must be a map, not a text"),
        edit(
            "a key without a value", orgs, "  key: updated_at", "  key:",
            "syncs/orgs.yml:13:3: error[type]: key has no value | write a text, or remove the key"),
        edit(
            "a missing key", orgs, "  object: organization\n", "",
            "syncs/orgs.yml:2:1: error[missing-key]: destination has no \"object\" | add object:"),
        edit(
            "no map", orgs,
            "map:\n  id: crm_id\n  name: company_name\n  Segment: {from: segment, option: label}\n", "",
            "syncs/orgs.yml:1:1: error[missing-key]: the file has no \"map\" | add map:"),
        edit(
            "an empty object", orgs, "object: organization", "object: \"\"",
            "syncs/orgs.yml:4:11: error[type]: object is empty | write a text"),
        edit(
            "an empty column", orgs, "company_name", "''",
            "syncs/orgs.yml:9:9: error[type]: name is empty | write a text"),
        edit(
            "a version of the future", orgs, "version: 1", "version: 2",
            "syncs/orgs.yml:1:10: error[version]: version 2 of the project language is not known to this Penstock "
                + "| write 1, or update Penstock"),
        edit(
            "a null constant", orgs, "company_name", "{value: null}",
            "syncs/orgs.yml:9:17: error[type]: value has no value | write a text, or remove the key"),
        with(
            "no version", ["penstock.yml": "project: acme\n"],
            "penstock.yml:1:1: error[missing-key]: the file has no \"version\" | add version:"),
        with(
            "another Penstock", ["penstock.yml": "version: 1\nrequires: \">=2.0\"\n"],
            "penstock.yml:2:11: error[requires]: the project asks for Penstock >=2.0, and this is 0.3.0"),
        with(
            "a range that is none", ["penstock.yml": "version: 1\nrequires: newest\n"],
            "penstock.yml:2:11: error[type]: \"newest\" is not a range of versions | write it as \">=0.3 <1.0\""),
        with(
            "an unknown profile",
            ["penstock.yml": "version: 1\nprofiles: {dev: {}, prod: {}}\ndefault_profile: pord\n"],
            "penstock.yml:3:18: error[unknown-profile]: there is no profile \"pord\" | did you mean \"prod\"?"),
        with(
            "a profile of an unknown connection",
            [
                "penstock.yml": """
                version: 1
                default_profile: dev
                profiles:
                  dev:
                    connections: {crn: {base_url: "http://127.0.0.1"}}

                """
            ],
            "penstock.yml:5:19: error[unknown-connection]: there is no connection \"crn\" to change "
                + "| did you mean \"crm\"?"),
        with(
            "no penstock.yml", ["penstock.yml": "-"],
            "penstock.yml: error[unreadable]: there is no penstock.yml in ROOT"),
    ]
}
