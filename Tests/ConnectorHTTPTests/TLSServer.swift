// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A TLS server of the openssl command on 127.0.0.1, with a certificate made for it.
final class TLSServer {
    /// What is said by the certificate.
    enum Certificate: String {
        /// It is good for 127.0.0.1.
        case good
        /// It is good for another host.
        case otherHost
        /// It ended in 2020.
        case expired
    }

    /// The folder of its files.
    let folder: String
    /// `https://127.0.0.1:PORT/`.
    let url: String
    /// The file of its certificate, which signs itself.
    var certificateFile: String { "\(folder)/cert.pem" }

    private let processID: pid_t

    /// Whether there is an openssl command to make it with.
    static var isAvailable: Bool { system("command -v openssl >/dev/null") == 0 }

    private static let settings = """
        [ca]
        database = index.txt
        rand_serial = yes
        default_md = sha256
        new_certs_dir = .
        policy = policy
        x509_extensions = names
        [policy]
        commonName = supplied
        [names]
        subjectAltName = NAME
        """

    /// Starts a server.
    init?(_ certificate: Certificate) {
        let name = certificate == .otherHost ? "DNS:other.example" : "IP:127.0.0.1"
        let years = certificate == .expired ? ("2019", "2020") : ("2019", "2099")
        let settings = Self.settings.split(separator: "\n").joined(separator: "\\n").replacing("NAME", with: name)
        let lines = Self.output(
            """
            cd "$(mktemp -d)" && pwd && printf '\(settings)\\n' > ca.cnf && touch index.txt && \
            openssl req -new -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj /CN=test 2>/dev/null && \
            openssl ca -batch -selfsign -config ca.cnf -name ca -keyfile key.pem -in req.pem -out cert.pem -notext \
            -startdate \(years.0)0101000000Z -enddate \(years.1)0101000000Z 2>/dev/null && \
            (openssl s_server -accept 127.0.0.1:0 -key key.pem -cert cert.pem -www </dev/null >out 2>/dev/null & \
            echo $! ; until grep -q ACCEPT out ; do : ; done ; sed -n 's/^ACCEPT.*://p' out)
            """)
        guard lines.count == 3, let processID = pid_t(lines[1]) else { return nil }
        folder = lines[0]
        self.processID = processID
        url = "https://127.0.0.1:\(lines[2])/"
    }

    deinit {
        kill(processID, SIGKILL)
        system("rm -r '\(folder)'")
    }

    /// The lines that a shell command writes; it ends when the command closes its output.
    private static func output(_ command: String) -> [String] {
        guard let file = popen(command, "r") else { return [] }
        defer { pclose(file) }
        var text: [UInt8] = []
        while case let byte = fgetc(file), byte != EOF { text.append(UInt8(truncatingIfNeeded: byte)) }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
