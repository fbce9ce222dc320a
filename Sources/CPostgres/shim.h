// SPDX-License-Identifier: Apache-2.0
#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/eventfd.h>

// libpq says only that verification failed. These are the times of the certificates that the server showed, looked at
// in a connection that has ended its handshake: 0 none were shown, 1 all hold now, 2 one has expired, 3 one does not
// hold yet. The X.509 accessors are macros and types that Swift cannot see through.
static inline int penstock_pg_certificate_state(PGconn *connection) {
    SSL *ssl = (SSL *)PQsslStruct(connection, "OpenSSL");
    STACK_OF(X509) *chain = ssl ? SSL_get_peer_cert_chain(ssl) : 0;
    if (!chain) return 0;
    for (int index = 0; index < sk_X509_num(chain); index++) {
        X509 *certificate = sk_X509_value(chain, index);
        if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) return 2;
        if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) return 3;
    }
    return 1;
}
