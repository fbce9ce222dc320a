// SPDX-License-Identifier: Apache-2.0

/// What a test server's certificate says; each is signed by the server's own authority, `ca.pem` in its folder.
package enum ServerCertificate: String, Sendable {
    /// It is good for 127.0.0.1 and localhost.
    case good
    /// It is good for another host.
    case otherHost
    /// It ended in 2020.
    case expired

    /// Shell lines that make `ca.pem`, `other-ca.pem` (an authority that signed nothing here), `server.pem` and
    /// `server.key` in the working folder.
    var script: String {
        let names = self == .otherHost ? "DNS:other.example" : "IP:127.0.0.1,DNS:localhost"
        let years = self == .expired ? ("2019", "2020") : ("2019", "2099")
        return """
            printf '%s\\n' '[ca]' 'database = index.txt' 'rand_serial = yes' 'default_md = sha256' \
            'new_certs_dir = .' 'policy = policy' '[policy]' 'commonName = supplied' '[server]' \
            'subjectAltName = \(names)' '[authority]' 'basicConstraints = critical,CA:TRUE' >ca.cnf
            touch index.txt
            authority() {
                openssl req -new -newkey rsa:2048 -nodes -keyout $1.key -out $1.req -subj "/CN=$1" 2>/dev/null
                openssl ca -batch -selfsign -config ca.cnf -name ca -extensions authority -keyfile $1.key -in $1.req \
                    -out $1.pem -notext -startdate 20190101000000Z -enddate 20990101000000Z 2>/dev/null
            }
            authority ca
            authority other-ca
            openssl req -new -newkey rsa:2048 -nodes -keyout server.key -out server.req -subj /CN=server 2>/dev/null
            openssl ca -batch -config ca.cnf -name ca -extensions server -keyfile ca.key -cert ca.pem -in server.req \
                -out server.pem -notext -startdate \(years.0)0101000000Z -enddate \(years.1)0101000000Z 2>/dev/null
            chmod 600 server.key
            chmod 644 ca.pem other-ca.pem
            """
    }
}
