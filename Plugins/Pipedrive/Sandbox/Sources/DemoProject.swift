// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// The demo project: a folder that rehearses a whole sync against the sandbox.
package enum DemoProject {
    /// Writes the project into `folder`, which is made where there is none.
    ///
    /// The state of an earlier demo in the same folder knows records that a new sandbox does not have; it is moved
    /// aside as `.penstock.1`, `.penstock.2` and so on, and nothing is deleted.
    ///
    /// - Throws: ``SandboxStartError`` where the folder holds anything that is not an earlier demo, or cannot be
    ///   written; files that were written before stay.
    package static func write(to folder: String, baseURL: String, options: SandboxOptions) throws(SandboxStartError) {
        try makeRoom(in: folder)
        for name in ["data", "syncs"] { try makeFolder("\(folder)/\(name)") }
        try write(project, to: "\(folder)/penstock.yml")
        try write(connections(baseURL, options), to: "\(folder)/connections.yml")
        try write("\(options.tokens.first ?? "")\n", to: "\(folder)/sandbox-token", mode: 0o600)
        try write(companies, to: "\(folder)/data/companies.csv")
        try write(sync, to: "\(folder)/syncs/companies.yml")
        try write(ignored, to: "\(folder)/.gitignore")
    }

    /// Makes the folder where there is none, and moves the state of an earlier demo in it aside.
    ///
    /// - Throws: ``SandboxStartError`` where the folder holds anything that is not an earlier demo; it is as
    ///   it was.
    package static func makeRoom(in folder: String) throws(SandboxStartError) {
        try makeFolder(folder)
        guard let listing = opendir(folder) else {
            throw SandboxStartError(description: "The folder \(folder) cannot be read; name another one with --dir.")
        }
        defer { closedir(listing) }
        var entries = 0
        while readdir(listing) != nil { entries += 1 }
        // An empty folder still lists itself and its parent.
        guard entries > 2 else { return }
        guard text(of: "\(folder)/penstock.yml").map(DemoMarker.isFound) ?? false else {
            throw SandboxStartError(
                description: "The folder \(folder) is not empty and holds no earlier demo; name another one with --dir."
            )
        }
        var number = 1
        while access("\(folder)/.penstock.\(number)", F_OK) == 0 { number += 1 }
        guard access("\(folder)/.penstock", F_OK) == 0 else { return }
        guard rename("\(folder)/.penstock", "\(folder)/.penstock.\(number)") == 0 else {
            throw SandboxStartError(
                description: "The state of the earlier demo in \(folder) cannot be moved aside; use another --dir.")
        }
    }

    private static func makeFolder(_ path: String) throws(SandboxStartError) {
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw SandboxStartError(description: "The folder \(path) cannot be made; name another one with --dir.")
        }
    }

    private static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws(SandboxStartError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        let bytes = Array(text.utf8)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, fchmod(descriptor, mode) == 0,
            Glibc.write(descriptor, bytes, bytes.count) == bytes.count
        else {
            throw SandboxStartError(description: "The file \(path) cannot be written; make room or use another --dir.")
        }
    }

    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}

extension DemoProject {
    private static var companies: String {
        let lines = ["customer_key,company,segment,arr_eur,owner_email,address"] + DemoCompany.all.map(\.line)
        return lines.joined(separator: "\n") + "\n"
    }

    private static let project = """
        \(DemoMarker.remark)
        # companies of data/companies.csv into a Pipedrive sandbox on this machine. Nothing leaves the machine.
        version: 1
        \(DemoMarker.projectLine)

        """

    private static func connections(_ baseURL: String, _ options: SandboxOptions) -> String {
        """
        # Connections: where data comes from and where it goes. Secrets are named here, never written here.
        version: 1
        connections:
          # The source: every CSV file in data/ is a table, named by the file without its extension.
          exports:
            connector: csv
            path: ./data/*.csv

          # The destination: the sandbox, which answers as Pipedrive does and forgets everything when it stops.
          # For a real account write company_domain instead of base_url, and name the file with your own token.
          sandbox:
            connector: pipedrive
            base_url: \(baseURL)
            api_token: ${file:./sandbox-token}
            # What this host may use of the account's limits; a real account shares them with every integration.
            budget: {burst: \(options.burst), window: 2s, daily_tokens: \(options.dailyTokens)}

        """
    }

    private static let sync = """
        # A sync brings the rows of one source into one object of one destination. Look before you send:
        #   penstock plan companies     what would be created, updated, left alone and rejected, and what it costs
        #   penstock run companies      does exactly that
        version: 1
        name: companies                      # the same as the file's name
        title: Companies → Pipedrive
        description: Keeps owner, segment, revenue and address of our companies current in the CRM.

        source:
          connection: exports
          table: companies                   # data/companies.csv
          key: [customer_key]                # what tells one row from another, in every run

        destination:
          connection: sandbox
          object: organization

        # Map fields: target field on the left, column of the source on the right. Custom fields go by their label.
        map:
          name: company
          Customer key: customer_key
          Segment: {from: segment, option: label}    # the option whose label equals the value, or a reject
          ARR (EUR): arr_eur
          owner_id: owner_email                      # found among the account's active users by e-mail
          address: address

        fetch:
          mode: FULL                         # every row, every run; INCREMENTAL reads only what is new

        insert:
          mode: Update                       # change only the mapped fields of records that exist ...
          match: Customer key                # ... which are found by this field ...
          on_missing: create                 # ... and create the record where there is none

        # One row of the file cannot be written: Globex has the segment "Galactic", which the CRM does not know.
        # The other rows go all the same; `penstock reject list` shows the row and the reason.
        rejects: {max: 1}

        """

    private static let ignored = """
        /.penstock*
        /sandbox-token

        """
}
