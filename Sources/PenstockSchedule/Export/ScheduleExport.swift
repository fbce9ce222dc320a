// SPDX-License-Identifier: Apache-2.0

/// Writes schedules as files of other schedulers.
package struct ScheduleExport: Sendable {
    /// Who is to run the syncs.
    package enum Target: String, Sendable, Hashable, CaseIterable {
        /// A service and a timer for each sync.
        case systemd
        /// A file for `/etc/cron.d`.
        case cron
        /// A CronJob for each sync.
        case kubernetes
        /// A workflow.
        case github
    }

    /// A sync and its schedule.
    package struct Job: Sendable {
        /// The sync's name.
        package var name: String
        /// What it does, on one line.
        package var description: String
        /// The schedule as it was written.
        package var definition: ScheduleDefinition
        /// When it is due.
        package var recurrence: Recurrence
        /// Names of `${cred:…}` that its connections use.
        package var credentials: [String]
        /// Names of environment variables that its connections use.
        package var variables: [String]
        /// Syncs that go first where both are due.
        package var predecessors: [String]

        /// A job.
        package init(
            name: String, description: String, definition: ScheduleDefinition, recurrence: Recurrence,
            credentials: [String] = [], variables: [String] = [], predecessors: [String] = []
        ) {
            self.name = name
            self.description = description.split(whereSeparator: \.isNewline).joined(separator: " ")
            self.definition = definition
            self.recurrence = recurrence
            self.credentials = credentials
            self.variables = variables
            self.predecessors = predecessors
        }
    }

    /// A file that was written.
    package struct File: Sendable, Hashable {
        /// Its name; may hold folders.
        package var name: String
        /// What is in it.
        package var text: String
    }

    /// Why a job cannot be exported.
    package struct Problem: Error, Sendable {
        /// The job.
        package var job: String
        /// Why.
        package var refusal: CalendarForm.Refusal
    }

    /// The project's name.
    package var project: String
    /// The project's folder on the machine that runs the syncs.
    package var root: String
    /// The program there.
    package var program: String
    /// Who runs it; nil for a user of the system's own making where there is such a thing, else root.
    package var user: String?
    /// The container's image.
    package var image: String
    /// Whether the project has a lock file, so that other connectors are refused.
    package var isLocked: Bool

    /// An export of a project.
    package init(
        project: String, root: String, program: String, user: String?, image: String, isLocked: Bool
    ) {
        self.project = project
        self.root = root
        self.program = program
        self.user = user
        self.image = image
        self.isLocked = isLocked
    }

    /// The files for a target, and what has to be known of them.
    ///
    /// - Returns: No file where there is a problem: one of them would be missing.
    package func files(_ jobs: [Job], for target: Target) -> (files: [File], notes: [String], problems: [Problem]) {
        var problems: [Problem] = []
        var forms: [(job: Job, form: CalendarForm)] = []
        for job in jobs {
            do {
                let form = try CalendarForm(job.recurrence)
                try check(job, form, target)
                forms.append((job, form))
            } catch {
                problems.append(Problem(job: job.name, refusal: error))
            }
        }
        let notes = problems.isEmpty ? self.notes(jobs, target) : []
        guard problems.isEmpty else { return ([], [], problems) }
        switch target {
        case .systemd:
            return (forms.flatMap { [service($0.job, all: jobs), timer($0.job, $0.form)] }, notes, [])
        case .cron: return ([crontab(forms)], notes, [])
        case .kubernetes: return (forms.map { cronJob($0.job, $0.form) }, notes, [])
        case .github: return ([workflow(forms)], notes, [])
        }
    }

    private func check(_ job: Job, _ form: CalendarForm, _ target: Target) throws(CalendarForm.Refusal) {
        switch target {
        case .systemd: for line in form.lines { _ = try line.onCalendar() }
        case .cron, .kubernetes, .github:
            if let line = form.lines.first(where: \.needsBothDays) {
                throw CalendarForm.Refusal(
                    reason: "\"\(line.text)\" is due where both days fit, which not every cron reads so",
                    suggestion: "write the days of the month out, without a weekday")
            }
        }
        if target == .kubernetes, form.lines.count > 1 {
            throw CalendarForm.Refusal(
                reason: "a CronJob has one expression, and this takes \(form.lines.count)",
                suggestion: "write an interval that divides an hour, or whole hours")
        }
        guard target == .github else { return }
        if form.zone.offset(at: 0) != 0 || form.zone.change(after: 0) != nil {
            throw CalendarForm.Refusal(
                reason: "GitHub runs workflows by UTC, and the schedule is meant in \(form.zone.name)",
                suggestion: "write timezone: UTC")
        }
        if let line = form.lines.first(where: { $0.minutes.hasNeighbours(closerThan: 5) }) {
            throw CalendarForm.Refusal(
                reason: "GitHub starts a workflow every 5 minutes at most, and \"\(line.text)\" is due more often",
                suggestion: "write every: 5m or longer")
        }
    }

    private func notes(_ jobs: [Job], _ target: Target) -> [String] {
        var notes: [String] = []
        for job in jobs where job.recurrence.isEverSkipped {
            notes.append(
                "\(job.name): on the day on which clocks are set forward it may not run: \(target.rawValue) has "
                    + "rules of its own for a time that no clock shows")
        }
        for job in jobs where target == .systemd && job.recurrence.runsInRepeatedHours {
            notes.append(
                "\(job.name): on the day on which clocks are set back systemd leaves out the second of the hours that "
                    + "they show twice; write timezone: UTC where that matters")
        }
        let isZoned = jobs.contains { $0.recurrence.zone != .utc }
        if target == .cron, isZoned {
            notes.append(
                "CRON_TZ is read by cronie; Debian's cron goes by the machine's zone (timedatectl set-timezone ZONE)")
        }
        for job in jobs {
            if job.definition.start != nil { notes.append("\(job.name): start is not exported; install it then") }
            if job.definition.jitter > 0, target != .systemd { notes.append("\(job.name): jitter is not exported") }
            if job.definition.overlap == .queue {
                notes.append("\(job.name): a start while the run before goes on is left out, not queued")
            }
            if target == .github, !job.credentials.isEmpty {
                notes.append(
                    "\(job.name): lay \(job.credentials.joined(separator: ", ")) onto the runner, in "
                        + "~/.config/penstock/credentials")
            }
            if target == .systemd || target == .cron, !job.variables.isEmpty {
                notes.append(
                    "\(job.name): put \(job.variables.joined(separator: ", ")) into \(environmentFile), mode 0600; "
                        + "${cred:…} is safer")
            }
        }
        return notes
    }

    /// Where variables are read from.
    var environmentFile: String { "/etc/penstock/\(Self.asciiName(project)).env" }

    /// The command that runs a job.
    func arguments(_ job: Job, root: String) -> [String] {
        ["-C", root, "run", job.name] + (isLocked ? ["--locked"] : []) + ["--no-input"]
    }

    /// A name of letters, digits, `-` and `_`.
    static func asciiName(_ name: String) -> String {
        String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { scalar in
                    scalar.isASCII
                        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "-"
                            || scalar == "_")
                        ? scalar : "-"
                }))
    }

    /// `every 15m` or the cron expression, as it was written.
    static func written(_ job: Job) -> String {
        switch job.definition.timing {
        case .cron(let text): "\(text) (\(job.recurrence.words), \(job.definition.timezone))"
        case .every: "\(job.recurrence.words), \(job.definition.timezone)"
        }
    }
}

extension CronSet {
    /// Whether two of the minutes are closer than so many, around the hour too.
    func hasNeighbours(closerThan distance: Int) -> Bool {
        let numbers = numbers
        guard numbers.count > 1, let first = numbers.first else { return false }
        return zip(numbers, numbers.dropFirst() + [first + 60]).contains { $1 - $0 < distance }
    }
}
