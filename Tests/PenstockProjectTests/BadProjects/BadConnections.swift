// SPDX-License-Identifier: Apache-2.0

extension BadProject {
    private static let file = "connections.yml"

    /// Connections with wrong settings, and references without a value.
    static let connections: [BadProject] = [
        edit(
            "an unknown connector", file, "connector: postgres", "connector: postgresql",
            "connections.yml:4:16: error[unknown-connector]: there is no connector \"postgresql\" "
                + "| did you mean \"postgres\"?"),
        edit(
            "no connector", file, "    connector: postgres\n", "",
            "connections.yml:3:3: error[missing-key]: warehouse has no \"connector\" | add connector:"),
        edit(
            "type for connector", file, "connector: postgres", "type: postgres",
            "connections.yml:4:5: error[unknown-key]: unknown key \"type\" in warehouse | did you mean \"connector\"?"),
        edit(
            "an unknown setting", file, "service:", "servce:",
            "connections.yml:5:5: error[unknown-setting]: postgres has no setting \"servce\" "
                + "| did you mean \"service\"?"),
        edit(
            "a missing setting", file, "    path: ./data/*.csv\n", "",
            "connections.yml:7:3: error[missing-setting]: exports has no path | add path:"),
        edit(
            "a literal secret", file, "${env:CRM_TOKEN}", "3f9c1d",
            "connections.yml:12:16: error[secret-literal]: api_token holds a secret that is written out "
                + "| write api_token: ${cred:crm-api-token}"),
        edit(
            "a literal secret as a default", file, "${env:CRM_TOKEN}", "${CRM_TOKEN:-3f9c1d}",
            "connections.yml:12:16: error[secret-literal]: api_token holds a secret that is written out "
                + "| write api_token: ${cred:crm-api-token}"),
        edit(
            "a password in an address", file, "service: analytics", "url: postgresql://ro:hunter2@db/analytics",
            "connections.yml:5:26: error[secret-literal]: url holds a password that is written out "
                + "| write ${cred:warehouse-password} in its place"),
        edit(
            "a port that is no number", file, "service: analytics", "port: many",
            "connections.yml:5:11: error[type]: port must be a whole number, not \"many\""),
        edit(
            "a port out of range", file, "service: analytics", "port: 99999",
            "connections.yml:5:11: error[range]: port must be from 1 to 65535"),
        edit(
            "a wrong choice", file, "service: analytics", "sslmode: verify-ful",
            "connections.yml:5:14: error[enum]: \"verify-ful\" is not a choice for sslmode "
                + "| did you mean verify-full?"),
        edit(
            "a wrong boolean", file, "connector: csv", "connector: csv\n    header: NO",
            "connections.yml:9:13: error[type]: header must be true or false, not \"NO\""),
        edit(
            "a wrong type in a map", file, "connector: csv", "connector: csv\n    types: {a: integr}",
            "connections.yml:9:16: error[enum]: \"integr\" is not a choice for types | did you mean integer?"),
        edit(
            "a list for a setting", file, "service: analytics", "service: [a]",
            "connections.yml:5:14: error[type]: service must be a text, not a list"),
        edit(
            "a budget beyond all measure", file, "connector: pipedrive",
            "connector: pipedrive\n    budget: {daily_tokens: 9223372036854775807}",
            "connections.yml:12:28: error[range]: daily_tokens must be from 0 to 1000000000000"),
        edit(
            "a budget that is none", file, "connector: pipedrive",
            "connector: pipedrive\n    budget: {burst: 99999999999, window: 0s}",
            "connections.yml:12:21: error[range]: burst must be from 1 to 1000000000",
            "connections.yml:12:42: error[range]: window must be at least 1ms"),
        edit(
            "a wrong budget", file, "connector: pipedrive",
            "connector: pipedrive\n    budget: {burst: 0, window: 2, daily: 1}",
            "connections.yml:12:21: error[range]: burst must be from 1 to 1000000000",
            "connections.yml:12:32: error[type]: \"2\" is not a duration as 10m or PT10M "
                + "| a duration needs a unit: 2s, 2m, 2h, 2d",
            "connections.yml:12:35: error[unknown-key]: unknown key \"daily\" in budget"),
        edit(
            "an unset variable", file, "${env:CRM_TOKEN}", "${env:CRM_TOKN}",
            "connections.yml:12:16: error[env-unset]: CRM_TOKN is not set | did you mean CRM_TOKEN?"),
        edit(
            "an unset variable inside a text", file, "service: analytics", "service: \"日本 ${env:SHARD} x\"",
            "connections.yml:5:18: error[env-unset]: SHARD is not set"),
        edit(
            "an unset variable with a message", file, "${env:CRM_TOKEN}", "${TOKEN:?ask RevOps}",
            "connections.yml:12:16: error[env-unset]: TOKEN is not set: ask RevOps"),
        edit(
            "a missing credential", file, "${env:CRM_TOKEN}", "${cred:crm-token}",
            "connections.yml:12:16: error[cred-missing]: there is no credential crm-token"),
        edit(
            "a missing file", file, "${env:CRM_TOKEN}", "${file:secrets/token}",
            "connections.yml:12:16: error[file-missing]: the file secrets/token cannot be read"),
        edit(
            "an unknown kind of reference", file, "${env:CRM_TOKEN}", "${vlt:crm}",
            "connections.yml:12:16: error[reference]: \"vlt\" is not a kind of reference"),
        edit(
            "a kind of reference of later", file, "service: analytics", "service: ${age:secrets.age#x}",
            "connections.yml:5:14: error[not-yet]: ${age:…} is not read by this version"),
        edit(
            "a program that nobody has allowed", file, "service: analytics", "service: ${exec:pass show x}",
            "connections.yml:5:14: error[exec-forbidden]: programs may not run for this project's secrets"),
        edit(
            "a program in a sync", "syncs/orgs.yml", "updated_at", "\"${exec:pass show x}\"",
            "syncs/orgs.yml:13:9: error[reference]: a credential may only be used in a connection"),
        edit(
            "a command without an end", file, "service: analytics", "service: \"${exec:pass 'x}\"",
            "connections.yml:5:15: error[reference]: ${exec:pass 'x} names no program, or has a quote that is not closed"
        ),
        edit(
            "a reference that is not closed", file, "service: analytics", "service: \"${env:X\"",
            "connections.yml:5:15: error[reference]: this reference is not closed by }"),
        edit(
            "a credential outside of connections", "syncs/orgs.yml", "company_name", "{value: \"${cred:x}\"}",
            "syncs/orgs.yml:9:18: error[reference]: a credential may only be used in a connection"),
        edit(
            "an unset variable in a sync", "syncs/orgs.yml", "updated_at", "${KEY_COLUMN}",
            "syncs/orgs.yml:13:8: error[env-unset]: KEY_COLUMN is not set"),
        with(
            "a connector of another version",
            ["penstock.yml": "version: 1\nconnectors:\n  csv: \"^1.0\"\n  pipedrive: ^2.0\n"],
            "penstock.yml:4:14: error[connector-version]: the project asks for pipedrive ^2.0, and 1.2.0 is installed"),
        with(
            "a connection in both files",
            ["penstock.yml": "version: 1\nconnections:\n  crm: {connector: pipedrive, api_token: \"${CRM_TOKEN}\"}\n"],
            "connections.yml:10:3: error[duplicate-name]: there are two connections \"crm\" "
                + "| the other is in penstock.yml:3"),
    ]
}
