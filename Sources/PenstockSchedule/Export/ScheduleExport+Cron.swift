// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension ScheduleExport {
    /// A file for `/etc/cron.d`, whose lines name the user.
    func crontab(_ forms: [(job: Job, form: CalendarForm)]) -> File {
        var lines = [
            "# Written by penstock schedule export cron. Install: /etc/cron.d/\(cronName)",
            "SHELL=/bin/sh", "PATH=/usr/local/bin:/usr/bin:/bin",
        ]
        var zone = ""
        for (job, form) in forms.sorted(by: { $0.form.zone.name < $1.form.zone.name }) {
            if form.zone.name != zone {
                zone = form.zone.name
                lines += ["", "CRON_TZ=\(zone)"]
            }
            lines.append("# \(Self.written(job))")
            let words = ([program] + arguments(job, root: root) + ["--quiet"]).map(Self.shellQuoted)
            let variables = job.variables.isEmpty ? "" : "set -a; . \(Self.shellQuoted(environmentFile)); "
            // A percent sign is a line feed to cron.
            let command = (variables + words.joined(separator: " ")).unicodeScalars
                .map { $0 == "%" ? "\\%" : String($0) }.joined()
            lines += form.lines.map { "\($0.plain) \(user ?? "root") \(command)" }
        }
        return File(name: cronName, text: lines.joined(separator: "\n") + "\n")
    }

    /// Cron reads no file in `/etc/cron.d` that has a dot in its name.
    private var cronName: String { "penstock-\(Self.asciiName(project))" }

    /// A word of a shell's command line.
    static func shellQuoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte & 0xDF) && byte < 128
                    || [43, 45, 46, 47, 58, 64, 95].contains(byte)
            }
        return isPlain ? word : QuotedText.shell(word)
    }
}
