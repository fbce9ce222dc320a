// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockModel
import PenstockProject
import PenstockSchedule

extension ScheduleExport.Target: ExpressibleByArgument {}

extension ScheduleCommand {
    /// `penstock schedule export`.
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Write schedules for systemd, cron, Kubernetes or GitHub.",
            discussion: """
                What a target cannot say is refused.

                Example: penstock schedule export systemd -s orgs_to_crm --out units
                """)

        @OptionGroup var options: GlobalOptions
        @OptionGroup var selection: SelectionOptions

        @Argument(help: "systemd, cron, kubernetes or github.")
        var target: ScheduleExport.Target

        @Option(
            name: .long, help: ArgumentHelp("Write files into this folder; else to standard output.", valueName: "dir"))
        var out: String?

        @Option(name: .long, help: "The program on the machine that runs the syncs.")
        var program: String = "/usr/bin/penstock"

        @Option(
            name: .long,
            help: "Who runs the syncs there; by default who owns the project, and for root a user that systemd makes.")
        var user: String?

        @Option(name: .long, help: "The container's image.")
        var image: String = "penstock:\(Version.text)"

        func validate() throws {
            guard program.hasPrefix("/") else { throw ValidationError("--program is an absolute path.") }
            let isName = user?.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte & 0xDF) && byte < 128
                    || [45, 46, 95].contains(byte)
            }
            guard user?.isEmpty != true, isName != false else { throw ValidationError("--user is the name of a user.") }
        }

        func run() throws {
            let workspace = Workspace(options)
            let (project, diagnostics) = try workspace.loadProject(resolves: false)
            try workspace.report(diagnostics, project)
            let jobs = try jobs(workspace, project)
            let export = ScheduleExport(
                project: project.name, root: project.root, program: program, user: user ?? Self.owner(of: project.root),
                image: image,
                isLocked: FileManager.default.fileExists(atPath: project.root + "/" + LockFile.fileName))
            let result = export.files(jobs, for: target)
            guard result.problems.isEmpty else {
                for problem in result.problems {
                    Terminal.writeError(
                        CommandFailure(
                            .config, code: "schedule-export", "\(problem.job): \(problem.refusal.reason)",
                            notes: [problem.refusal.suggestion]
                        ).message + "\n")
                }
                throw CommandFailure(silently: .config)
            }
            try write(result.files)
            if !options.quiet { for note in result.notes { Terminal.writeError("note: \(note)\n") } }
        }

        private func jobs(_ workspace: Workspace, _ project: Project) throws -> [ScheduleExport.Job] {
            let chosen = try workspace.selected(selection, in: project).inOrder
            let jobs = try chosen.compactMap { file -> ScheduleExport.Job? in
                guard let schedule = file.schedule, schedule.isEnabled, file.isEnabled else { return nil }
                let names = Set([file.definition.source.connection, file.definition.destination.connection])
                let connections = project.connections.filter { names.contains($0.name) }
                return ScheduleExport.Job(
                    name: file.name, description: file.title ?? file.name, definition: schedule,
                    recurrence: try ScheduleText.recurrence(schedule, of: file),
                    credentials: Set(connections.flatMap(\.credentialNames)).sorted(),
                    variables: Set(connections.flatMap(\.variables)).sorted(), predecessors: file.predecessors)
            }
            guard jobs.isEmpty, !selection.allowEmpty else { return jobs }
            throw CommandFailure(
                .usage, code: "nothing-selected", "none of these syncs has a schedule that is on",
                notes: ["penstock schedule list"])
        }

        private func write(_ files: [ScheduleExport.File]) throws {
            if let out {
                let folder = URL(fileURLWithPath: out).standardizedFileURL.path
                for file in files {
                    do {
                        try ProjectFileWriter.write(file.text, to: folder + "/" + file.name)
                    } catch {
                        throw CommandFailure(
                            .cannotWrite, code: "cannot-write", "\(error.path) cannot be written: \(error.reason)")
                    }
                }
            }
            if options.isMachineReadable {
                let data = JSON.array(
                    files.map { .object(["name": .string($0.name), "text": .string($0.text)]) })
                Terminal.write(Document(kind: "schedule.export", data: data).text(options.format))
            } else if let out {
                Terminal.write(files.map { "\(out)/\($0.name)\n" }.joined())
            } else {
                let separator = target == .kubernetes ? "---\n" : "\n"
                let texts = files.map { files.count > 1 && target == .systemd ? "# \($0.name)\n" + $0.text : $0.text }
                Terminal.write(texts.joined(separator: separator))
            }
        }

        /// Who owns a folder, but for root, as whom nothing should run; nil where that cannot be told.
        private static func owner(of folder: String) -> String? {
            let attributes = try? FileManager.default.attributesOfItem(atPath: folder)
            // A folder that cannot be looked at cannot hold a project either.
            let name = attributes?[.ownerAccountName] as? String
            return name == "root" ? nil : name
        }
    }
}
