// SPDX-License-Identifier: Apache-2.0
#include <errmsg.h>
#include <mysql.h>

/* One name for the type of a flag, which MariaDB calls my_bool and MySQL 8 bool. */
#ifdef MARIADB_PACKAGE_VERSION
typedef my_bool penstock_mysql_bool;
#else
#include <stdbool.h>
typedef bool penstock_mysql_bool;
#endif

/* What mysql_stmt_fetch says about one value: the full length, and whether it is NULL. */
typedef struct penstock_mysql_slot {
    unsigned long length;
    penstock_mysql_bool is_null;
    penstock_mysql_bool error;
} penstock_mysql_slot;

/* Swift sees the flags as different types in the two libraries; here they are numbers. */
static inline int penstock_mysql_is_null(const penstock_mysql_slot *slot) { return slot->is_null != 0; }

/* Points one bind at a buffer and a slot; the structs have other members in the two libraries. */
static inline void penstock_mysql_bind(MYSQL_BIND *bind, enum enum_field_types type, int is_unsigned, void *buffer,
                                       unsigned long capacity, penstock_mysql_slot *slot) {
    bind->buffer_type = type;
    bind->is_unsigned = is_unsigned != 0;
    bind->buffer = buffer;
    bind->buffer_length = capacity;
    bind->length = &slot->length;
    bind->is_null = &slot->is_null;
    bind->error = &slot->error;
}

/* Whether a call of the statement interface that returns a flag went wrong. */
static inline int penstock_mysql_bind_result(MYSQL_STMT *statement, MYSQL_BIND *binds) {
    return mysql_stmt_bind_result(statement, binds) != 0;
}

/* Frees a statement; the flag that comes back says only that the connection is gone. */
static inline void penstock_mysql_close_statement(MYSQL_STMT *statement) { mysql_stmt_close(statement); }

/* Prepares this thread for calls on connections that another thread made; MariaDB needs nothing. */
static inline void penstock_mysql_enter(void) { mysql_thread_init(); }

/* The modes of TLS, in order of strength. */
enum penstock_mysql_tls {
    PENSTOCK_MYSQL_TLS_DISABLE,
    PENSTOCK_MYSQL_TLS_PREFER,
    PENSTOCK_MYSQL_TLS_REQUIRE,
    PENSTOCK_MYSQL_TLS_VERIFY_CA,
    PENSTOCK_MYSQL_TLS_VERIFY_FULL
};

/* Asks for a mode of TLS; the libraries have other options for it.
   MariaDB verifies the chain wherever a CA is named, and falls back to plain text in every mode but the last: the
   caller looks at the cipher afterwards. */
static inline void penstock_mysql_set_tls(MYSQL *connection, enum penstock_mysql_tls mode) {
#ifdef MARIADB_PACKAGE_VERSION
    my_bool is_used = mode != PENSTOCK_MYSQL_TLS_DISABLE, is_verified = mode == PENSTOCK_MYSQL_TLS_VERIFY_FULL;
    mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &is_used);
    mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &is_verified);
#else
    unsigned int modes[] = {SSL_MODE_DISABLED, SSL_MODE_PREFERRED, SSL_MODE_REQUIRED, SSL_MODE_VERIFY_CA,
                            SSL_MODE_VERIFY_IDENTITY};
    mysql_options(connection, MYSQL_OPT_SSL_MODE, &modes[mode]);
#endif
}

/* Whether the name in the certificate was checked, after everything that an option file may have changed. */
static inline int penstock_mysql_checks_name(MYSQL *connection) {
#ifdef MARIADB_PACKAGE_VERSION
    my_bool is_verified = 0;
    return mysql_get_option(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &is_verified) == 0 && is_verified != 0;
#else
    unsigned int mode = SSL_MODE_DISABLED;
    return mysql_get_option(connection, MYSQL_OPT_SSL_MODE, &mode) == 0 && mode == SSL_MODE_VERIFY_IDENTITY;
#endif
}

/* The file of CAs that is used, after everything that an option file may have changed; NULL without one. */
static inline const char *penstock_mysql_ca(MYSQL *connection) {
    const char *file = 0;
    return mysql_get_option(connection, MYSQL_OPT_SSL_CA, &file) == 0 ? file : 0;
}

/* Never sends a file of this machine, whatever the server asks for, and never connects again by itself. */
static inline void penstock_mysql_secure(MYSQL *connection) {
    unsigned int is_allowed = 0;
    penstock_mysql_bool reconnects = 0;
    mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &is_allowed);
    mysql_options(connection, MYSQL_OPT_RECONNECT, &reconnects);
}

/* The socket, for its options and to shut it down; MySQL has no function for it. */
static inline int penstock_mysql_socket(MYSQL *connection) {
#ifdef MARIADB_PACKAGE_VERSION
    return (int)mysql_get_socket(connection);
#else
    return connection->net.fd;
#endif
}

/* The name of a type that MariaDB has and the wire has not, for example uuid, or of a format, for example json. */
static inline const char *penstock_mysql_attribute(const MYSQL_FIELD *field, int is_format, unsigned long *length) {
#ifdef MARIADB_PACKAGE_VERSION
    MARIADB_CONST_STRING text = {0, 0};
    if (mariadb_field_attr(&text, field, is_format ? MARIADB_FIELD_ATTR_FORMAT_NAME : MARIADB_FIELD_ATTR_DATA_TYPE_NAME))
        text.length = 0;
    *length = text.length;
    return text.str;
#else
    (void)field, (void)is_format;
    *length = 0;
    return 0;
#endif
}
