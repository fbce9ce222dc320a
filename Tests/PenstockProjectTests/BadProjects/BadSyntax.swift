// SPDX-License-Identifier: Apache-2.0

extension BadProject {
    private static let orgs = "syncs/orgs.yml"

    /// Each line holds ten times what the line before holds.
    private static let laughs: String = {
        var lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        for level in 1...9 {
            let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            lines.append("a\(level): &a\(level) [\(items)]")
        }
        return lines.joined(separator: "\n") + "\n"
    }()

    /// Files that are not YAML, or not one document of text.
    static let syntax: [BadProject] = [
        edit(
            "a reference without quotes in a flow map", "connections.yml",
            "crm:\n    connector: pipedrive\n    api_token: ${env:CRM_TOKEN}",
            "crm: {connector: pipedrive, api_token: ${env:CRM_TOKEN}}",
            "connections.yml:10:42: error[syntax]: did not find expected ',' or '}' "
                + "| inside { } and [ ] a reference is quoted: \"${env:CRM_TOKEN}\""),
        with(
            "more values than a file may have", [orgs: laughs],
            "syncs/orgs.yml:1:1: error[syntax]: the file has more than 100000 values"),
        edit(
            "a tab", orgs, "  mode: INCR", "\tmode: INCR",
            "syncs/orgs.yml:12:1: error[tab]: a tab in the indentation | YAML is indented with spaces"),
        edit(
            "braces without quotes", orgs, "company_name", "{first} {last}",
            "syncs/orgs.yml:9:9: error[syntax]: did not find expected key "
                + "| a value that starts with { is a YAML map. Quote it: \"{first} {last}\""),
        edit(
            "brackets without quotes", orgs, "company_name", "[first] last",
            "syncs/orgs.yml:9:9: error[syntax]: did not find expected key "
                + "| a value that starts with [ is a YAML list. Quote it: \"[first] last\""),
        edit(
            "a colon in a value", orgs, "version: 1", "version: 1\ndescription: for: us",
            "syncs/orgs.yml:2:17: error[syntax]: mapping values are not allowed in this context "
                + "| a value that holds \": \" must be quoted: \"for: us\""),
        edit(
            "cron without quotes", orgs, "insert:", "schedule:\n  cron: */5 * * * *\ninsert:",
            "syncs/orgs.yml:15:9: error[syntax]: did not find expected alphabetic or numeric character "
                + "| a value that starts with * must be quoted: \"*/5 * * * *\""),
        edit(
            "a value that starts with @", orgs, "version: 1", "version: 1\nowner: @revops",
            "syncs/orgs.yml:2:8: error[syntax]: found character that cannot start any token "
                + "| a value that starts with @ must be quoted: \"@revops\""),
        edit(
            "an open quote", orgs, "company_name", "\"company_name",
            "syncs/orgs.yml:9:9: error[syntax]: found unexpected end of stream | this quote is not closed"),
        edit(
            "an open list", orgs, "version: 1", "version: 1\ntags: [a, b",
            "syncs/orgs.yml:2:7: error[syntax]: did not find expected ',' or ']' "
                + "| this [ is not closed, or a comma is missing"),
        edit(
            "text after a quote", orgs, "company_name", "\"a\" b",
            "syncs/orgs.yml:9:12: error[syntax]: did not find expected key "
                + "| text after the closing quote; quote the whole value"),
        edit(
            "wrong indentation", orgs, "  key: updated_at", " key: updated_at",
            "syncs/orgs.yml:13:2: error[syntax]: did not find expected key "
                + "| is this line indented like the ones around it?"),
        edit(
            "no space after the colon", orgs, "mode: Update", "mode:Update",
            "syncs/orgs.yml:15:3: error[type]: insert must be a map, not a text | a space is missing behind the colon"),
        edit(
            "two documents", orgs, "fetch:", "---\nfetch:",
            "syncs/orgs.yml:11:1: error[documents]: a second document begins here "
                + "| only one is read; move it to a file of its own"),
        edit(
            "a key twice", orgs, "  name: company_name", "  name: company_name\n  name: other",
            "syncs/orgs.yml:10:3: error[duplicate-key]: \"name\" occurs twice in this map | it already is in line 9"),
        edit(
            "a quoted key three times", orgs, "  name: company_name", "  'name': a\n  name: b\n  \"name\": c",
            "syncs/orgs.yml:10:3: error[duplicate-key]: \"name\" occurs twice in this map | it already is in line 9",
            "syncs/orgs.yml:11:3: error[duplicate-key]: \"name\" occurs twice in this map | it already is in line 9"),
        edit(
            "an undefined alias", orgs, "company_name", "*company",
            "syncs/orgs.yml:9:9: error[syntax]: found undefined alias | a value that starts with * must be quoted"),
        edit(
            "a control character", orgs, "company_name", "company\u{1}name",
            "syncs/orgs.yml:9:16: error[syntax]: control characters are not allowed"),
        with(
            "an empty file", [orgs: ""],
            "syncs/orgs.yml:1:1: error[empty-file]: the file is empty"),
        with(
            "only comments", [orgs: "# nothing\n"],
            "syncs/orgs.yml:1:1: error[empty-file]: the file is empty"),
        with(
            "a list instead of a map", [orgs: "- a\n- b\n"],
            "syncs/orgs.yml:1:1: error[type]: the file must be a map, not a list"),
        with(
            "too deep", [orgs: String(repeating: "[", count: 300) + "\n"],
            "syncs/orgs.yml:1:101: error[syntax]: maps and lists are nested too deep"),
    ]
}
