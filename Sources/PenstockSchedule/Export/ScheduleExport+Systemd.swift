// SPDX-License-Identifier: Apache-2.0

extension ScheduleExport {
    /// The service that runs a job once.
    func service(_ job: Job, all jobs: [Job]) -> File {
        var lines = [
            "# Written by penstock schedule export systemd.", "[Unit]",
            "Description=\(Self.percentless("Penstock \(project): \(job.name)"))", "Wants=network-online.target",
            (["After=network-online.target"]
                + job.predecessors.filter { name in jobs.contains { $0.name == name } }.map {
                    Self.unit($0) + ".service"
                })
                .joined(separator: " "),
            "", "[Service]", "Type=oneshot",
            "ExecStart=" + ([program] + arguments(job, root: root)).map(Self.systemdQuoted).joined(separator: " "),
        ]
        lines += identity
        if !job.variables.isEmpty { lines.append("EnvironmentFile=\(environmentFile)") }
        for name in job.credentials {
            lines.append("LoadCredentialEncrypted=\(name):/etc/credstore.encrypted/penstock.\(name)")
        }
        lines += [
            "# Only what passes by itself is tried again: 69 unreachable, 75 later.", "Restart=on-failure",
            "RestartPreventExitStatus=1 64 65 70 73 77 78", "RestartSec=30min", "UMask=0077",
        ]
        lines += Self.hardening
        return File(name: Self.unit(job.name) + ".service", text: lines.joined(separator: "\n") + "\n")
    }

    /// Who runs it, and what it may write: the project's state, marks outside of it, what processes share of limits.
    private var identity: [String] {
        let state = Self.unitQuoted(root + "/.penstock", dollar: "$")
        guard let user else {
            // One user for all services of a project, made when one starts; the state lies where such users may write.
            let name = "penstock-" + Self.label(project)
            let folder = "penstock/" + Self.asciiName(project)
            return [
                "DynamicUser=yes", "User=\(name.prefix(31))", "StateDirectory=\(folder) \(folder)-marks",
                "StateDirectoryMode=0700",
                "BindPaths=/var/lib/\(folder):" + state, "ReadWritePaths=-" + state,
                "RuntimeDirectory=\(name)", "RuntimeDirectoryPreserve=yes",
                "Environment=XDG_STATE_HOME=/var/lib/\(folder)-marks XDG_RUNTIME_DIR=/run/\(name)",
            ]
        }
        let name = "penstock-" + user
        return [
            "User=\(user)", "ReadWritePaths=-" + state, "StateDirectory=\(name)", "StateDirectoryMode=0700",
            "RuntimeDirectory=\(name)", "RuntimeDirectoryPreserve=yes",
            "Environment=XDG_STATE_HOME=/var/lib/\(name) XDG_RUNTIME_DIR=/run/\(name)",
        ]
    }

    /// The timer that starts it.
    func timer(_ job: Job, _ form: CalendarForm) -> File {
        var lines = [
            "# Written by penstock schedule export systemd.", "# \(Self.written(job))", "[Unit]",
            "Description=\(Self.percentless("Starts Penstock \(project): \(job.name)"))", "", "[Timer]",
        ]
        // What cannot be said was refused before.
        lines += form.lines.compactMap { line in (try? line.onCalendar()).map { "OnCalendar=\($0) \(form.zone.name)" } }
        lines.append("AccuracySec=1s")
        if job.definition.jitter > 0 {
            lines.append("RandomizedDelaySec=\((job.definition.jitter + 999_999) / 1_000_000)s")
        }
        lines.append("Persistent=\(job.definition.catchUp == .none ? "false" : "true")")
        lines += ["", "[Install]", "WantedBy=timers.target"]
        return File(name: Self.unit(job.name) + ".timer", text: lines.joined(separator: "\n") + "\n")
    }

    private static let hardening = [
        "CapabilityBoundingSet=", "LockPersonality=yes", "MemoryDenyWriteExecute=yes", "NoNewPrivileges=yes",
        "PrivateDevices=yes", "PrivateTmp=yes", "ProtectClock=yes", "ProtectControlGroups=yes", "ProtectHome=read-only",
        "ProtectHostname=yes", "ProtectKernelLogs=yes", "ProtectKernelModules=yes", "ProtectKernelTunables=yes",
        "ProtectSystem=strict", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK", "RestrictNamespaces=yes",
        "RestrictRealtime=yes", "RestrictSUIDSGID=yes", "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
    ]

    /// The name of a job's units, without a suffix: what is no letter or digit of ASCII is escaped as systemd does.
    static func unit(_ name: String) -> String {
        "penstock-"
            + name.utf8.map { byte in
                let isPlain = (48...57).contains(byte) || (65...90).contains(byte & 0xDF) && byte < 128
                return isPlain || byte == 95 || byte == 46 || byte == 45
                    ? String(Unicode.Scalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined()
    }

    /// A text without what systemd replaces.
    private static func percentless(_ text: String) -> String {
        text.unicodeScalars.map { $0 == "%" ? "%%" : String($0) }.joined()
    }

    /// A word of a command line in a unit.
    static func systemdQuoted(_ word: String) -> String { unitQuoted(word, dollar: "$$") }

    /// A word in a unit.
    ///
    /// - Parameter dollar: What stands for a dollar sign: two of them where variables are replaced.
    private static func unitQuoted(_ word: String, dollar: String) -> String {
        var text = ""
        for scalar in word.unicodeScalars {
            switch scalar {
            case "%": text += "%%"
            case "$": text += dollar
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            default: text.unicodeScalars.append(scalar)
            }
        }
        let isPlain = word.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte & 0xDF) && byte < 128
                || [43, 45, 46, 47, 58, 64, 95].contains(byte)
        }
        return isPlain ? text : "\"\(text)\""
    }
}
