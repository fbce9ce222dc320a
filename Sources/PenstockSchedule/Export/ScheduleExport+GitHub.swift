// SPDX-License-Identifier: Apache-2.0

extension ScheduleExport {
    /// A workflow: checks the project for each change, and runs syncs by their schedules.
    func workflow(_ forms: [(job: Job, form: CalendarForm)]) -> File {
        var jobs: [(cron: String, names: [Job])] = []
        for (job, form) in forms {
            for line in form.lines {
                if let index = jobs.firstIndex(where: { $0.cron == line.plain }) {
                    jobs[index].names.append(job)
                } else {
                    jobs.append((line.plain, [job]))
                }
            }
        }
        var lines = [
            "# Written by penstock schedule export github.",
            "# The state lies in .penstock beside the project, so the runner must be one that keeps it: your own.",
            "name: penstock", "on:", "  pull_request:", "  workflow_dispatch:", "  schedule:   # UTC",
        ]
        for entry in jobs {
            lines.append(
                "    - cron: \(Self.quoted(entry.cron))   # \(entry.names.map(\.name).joined(separator: ", "))")
        }
        lines += [
            "permissions: {contents: read}", "jobs:", "  validate:", "    if: github.event_name == 'pull_request'",
            "    runs-on: self-hosted", "    steps:", "      - uses: actions/checkout@v4",
            "        with: {clean: false}", "      - run: penstock validate --no-env --strict", "  run:",
            "    if: github.event_name != 'pull_request'", "    runs-on: self-hosted",
            "    concurrency: {group: penstock, cancel-in-progress: false}", "    steps:",
            "      - uses: actions/checkout@v4", "        with: {clean: false}   # keeps .penstock",
        ]
        let variables = Set(forms.flatMap(\.job.variables)).sorted()
        for entry in jobs {
            let condition = "github.event.schedule == '\(entry.cron)' || github.event_name == 'workflow_dispatch'"
            let names = entry.names.map { Self.shellQuoted($0.name) }.joined(separator: " ")
            lines.append("      - if: always() && (\(condition))")
            lines.append("        run: penstock run \(names)\(isLocked ? " --locked" : "") --no-input")
            if !variables.isEmpty {
                lines.append("        env:")
                lines += variables.map { "          \($0): ${{ secrets.\($0) }}" }
            }
        }
        return File(name: ".github/workflows/penstock.yml", text: lines.joined(separator: "\n") + "\n")
    }
}
