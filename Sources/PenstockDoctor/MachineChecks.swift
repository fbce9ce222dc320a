// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// Looks at the machine: its system, its clock, its time zones, the libraries of this process.
package enum MachineChecks {
    /// The system's name and release.
    ///
    /// - Parameter release: The text of `os-release`.
    package static func system(release: String, version: String) -> DoctorFinding {
        let pretty = release.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        let name = pretty.map { $0.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } } ?? "an unknown Linux"
        return DoctorFinding("machine", .ok, "Penstock \(version) on \(name), \(architecture)")
    }

    private static var architecture: String {
        #if arch(x86_64)
            "x86-64"
        #elseif arch(arm64)
            "arm64"
        #else
            "another architecture"
        #endif
    }

    /// Whether the machine's clock can be right, by itself and by another clock.
    ///
    /// - Parameters:
    ///   - now: The machine's clock, in milliseconds since 1970.
    ///   - other: Another clock at the same moment, and whose it is; nil where none was asked.
    package static func clock(now: Int64, other: (name: String, milliseconds: Int64)? = nil) -> DoctorFinding {
        let fix = "set it, for example: timedatectl set-ntp true"
        guard now >= firstPossible else {
            return DoctorFinding("machine", .error, "the clock stands before this program was made", advice: fix)
        }
        guard let other else { return DoctorFinding("machine", .ok, "the clock stands at \(time(now))") }
        let seconds = (now - other.milliseconds) / 1_000
        guard abs(seconds) > toleranceSeconds else {
            return DoctorFinding("machine", .ok, "the clock agrees with that of \(other.name)")
        }
        let way = seconds > 0 ? "ahead of" : "behind"
        return DoctorFinding(
            "machine", abs(seconds) > 300 ? .error : .warning,
            "the clock is \(abs(seconds)) s \(way) that of \(other.name)", advice: fix)
    }

    /// 2025-01-01.
    private static let firstPossible: Int64 = 1_735_689_600_000
    /// Answers carry whole seconds and are some time on their way.
    private static let toleranceSeconds: Int64 = 5

    private static func time(_ milliseconds: Int64) -> String { TimeText.instant(milliseconds / 1_000 * 1_000_000) }

    /// Whether time zones are known.
    ///
    /// - Parameter zone: A zone that any set of them has.
    package static func timeZones(_ zone: String = "Europe/Berlin") -> DoctorFinding {
        guard TimeZone(identifier: zone) == nil else {
            let local = TimeZone.current.identifier
            return DoctorFinding("machine", .ok, "time zones are known; this machine is in \(local)")
        }
        return DoctorFinding(
            "machine", .error, "time zones are not known", advice: "install them: apt install tzdata")
    }

    /// Whether certificates of authorities are there, without which no HTTPS server is trusted.
    package static func certificates(
        _ paths: [String] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"],
        environment: [String: String] = [:]
    ) -> DoctorFinding {
        let all = [environment["SSL_CERT_FILE"], environment["CURL_CA_BUNDLE"]].compactMap { $0 } + paths
        guard let found = all.first(where: { FileManager.default.isReadableFile(atPath: $0) }) else {
            return DoctorFinding(
                "machine", .warning, "no certificates of authorities were found, so HTTPS servers are not trusted",
                advice: "apt install ca-certificates")
        }
        return DoctorFinding("machine", .ok, "certificates of authorities are in \(found)")
    }

    /// The libraries that this process has loaded, by the names of their files, which hold their versions.
    ///
    /// - Parameter maps: The text of `/proc/self/maps`.
    package static func libraries(maps: String) -> DoctorFinding {
        var names: Set<String> = []
        for line in maps.split(separator: "\n") {
            guard let slash = line.lastIndex(of: "/") else { continue }
            let name = line[line.index(after: slash)...]
            // The runtime beside the program and connectors have no version in their names.
            if name.contains(".so.") { names.insert(String(name)) }
        }
        return DoctorFinding("libraries", .ok, names.sorted().joined(separator: ", "))
    }
}
