// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The root command.
struct Penstock: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penstock",
        abstract: "Reverse ETL: rows of your databases and files become records of your CRM.",
        discussion: """
            You see what would change, and what it costs, before anything is sent.

              penstock demo                 try it, without an account
              penstock init                 start a project of your own
              penstock plan                 what a run would do; writes nothing
              penstock run                  do it

            Exit codes: penstock explain exit-codes
            """,
        version: Version.text,
        groupedSubcommands: [
            CommandGroup(
                name: "Everyday",
                subcommands: [
                    InitCommand.self, ValidateCommand.self, PlanCommand.self, RunCommand.self, UndoCommand.self,
                    StatusCommand.self, DemoCommand.self, SandboxCommand.self,
                ]),
            CommandGroup(
                name: "Inspecting",
                subcommands: [
                    ConnectorCommand.self, ConnectionCommand.self, SecretCommand.self, ModelCommand.self,
                    SyncCommand.self, TemplateCommand.self, ScheduleCommand.self, RejectCommand.self, WhyCommand.self,
                    HistoryCommand.self, AlertCommand.self, StateCommand.self,
                ]),
            CommandGroup(name: "Serving", subcommands: [ServerCommand.self]),
            CommandGroup(
                name: "Learning",
                subcommands: [ExplainCommand.self, DoctorCommand.self, CompletionCommand.self, ManualCommand.self]),
        ])

    @OptionGroup var options: GlobalOptions
}
