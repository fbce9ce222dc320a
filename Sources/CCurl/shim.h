// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <fcntl.h>
#include <pthread.h>

/* Swift does not see pthread_setname_np, which glibc declares only for GNU sources. */
int pthread_setname_np(pthread_t thread, const char *name);
static inline int penstock_name_this_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

/* Swift cannot call variadic functions, and curl_easy_setopt is one; here for options that take a number. */
static inline CURLcode penstock_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

/* The same for options that take a curl_off_t, which may be wider than long. */
static inline CURLcode penstock_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

/* The same for options that take a text; libcurl copies it. */
static inline CURLcode penstock_curl_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

/* The same for options that take a pointer, which libcurl keeps. */
static inline CURLcode penstock_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

/* The body, which libcurl copies; its size must be set before. */
static inline CURLcode penstock_curl_copy_body(CURL *easy, const void *bytes) {
    return curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, bytes);
}

/* The version of the library that is loaded, for example 0x075801 for 7.88.1. */
static inline unsigned penstock_curl_version(void) { return curl_version_info(CURLVERSION_NOW)->version_num; }

/* The same for options that take a callback for incoming bytes. */
static inline CURLcode penstock_curl_set_write(CURL *easy, CURLoption option, curl_write_callback value) {
    return curl_easy_setopt(easy, option, value);
}

/* The same for the callback that is asked before a request goes out, each time that it does. */
static inline CURLcode penstock_curl_set_before(CURL *easy, curl_prereq_callback value) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}

/* Keeps the socket of a connection from programs that are started meanwhile. */
static inline int penstock_curl_keep_socket(void *context, curl_socket_t socket, curlsocktype purpose) {
    (void)context;
    (void)purpose;
    fcntl(socket, F_SETFD, FD_CLOEXEC);
    return CURL_SOCKOPT_OK;
}

/* Makes every socket of the handle one that is closed when a program is started. */
static inline CURLcode penstock_curl_keep_sockets(CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, penstock_curl_keep_socket);
}

/* curl_easy_getinfo is variadic too; here for a long. 0 where there is no such number. */
static inline long penstock_curl_get_long(CURL *easy, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

/* The same for a curl_off_t. */
static inline curl_off_t penstock_curl_get_offset(CURL *easy, CURLINFO info) {
    curl_off_t value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

/* The same for the pointer that was set as CURLOPT_PRIVATE. */
static inline void *penstock_curl_get_private(CURL *easy) {
    char *value = 0;
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value) == CURLE_OK ? value : 0;
}

/* curl_multi_setopt is variadic as well. */
static inline CURLMcode penstock_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/* CURLMsg keeps the result in a union. */
static inline CURLcode penstock_curl_result(const CURLMsg *message) { return message->data.result; }

/* What a mail or a post needs while it is sent. */
struct penstock_curl_upload {
    const char *bytes;
    size_t left;
};

static inline size_t penstock_curl_supply(char *out, size_t size, size_t count, void *context) {
    struct penstock_curl_upload *upload = context;
    size_t room = size * count;
    size_t part = upload->left < room ? upload->left : room;
    for (size_t place = 0; place < part; place++) out[place] = upload->bytes[place];
    upload->bytes += part;
    upload->left -= part;
    return part;
}

/* An answer's body is of no interest. */
static inline size_t penstock_curl_drop(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes;
    (void)context;
    return size * count;
}

/* The lines of a text as a list; the last one needs no line feed. */
static inline struct curl_slist *penstock_curl_lines(const char *text, size_t length) {
    struct curl_slist *list = 0;
    char line[4096];
    size_t used = 0;
    for (size_t place = 0; place <= length; place++) {
        if (place < length && text[place] != '\n') {
            if (used < sizeof line - 1) line[used++] = text[place];
        } else if (used > 0) {
            line[used] = 0;
            list = curl_slist_append(list, line);
            used = 0;
        }
    }
    return list;
}

/* What a post and a mail have in common. No proxy from the environment, no signals, certificates are checked. */
static inline void penstock_curl_common(CURL *easy, const char *url, const char *ca_file, long timeout, char *error) {
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, penstock_curl_drop);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, penstock_curl_drop);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file[0]) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    penstock_curl_keep_sockets(easy);
}

/* Posts `body`; the headers are lines. Follows nothing. The result is libcurl's code, with its words in `error`, which
   has room for CURL_ERROR_SIZE; `out_status` is 0 without an answer. An empty `ca_file` is the system's. */
static inline int penstock_curl_post(const char *url, const char *headers, size_t headers_length, const char *body,
                                     size_t length, const char *ca_file, long timeout, char *error, long *out_status) {
    CURL *easy = curl_easy_init();
    *out_status = 0;
    if (!easy) return CURLE_OUT_OF_MEMORY;
    struct curl_slist *list = penstock_curl_lines(headers, headers_length);
    penstock_curl_common(easy, url, ca_file, timeout, error);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    CURLcode code = curl_easy_perform(easy);
    if (code == CURLE_OK) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, out_status);
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
    return (int)code;
}

/* Sends a mail; the recipients are lines. `must_encrypt` asks for STARTTLS where the address is not smtps. An empty
   user logs in nowhere. The result is libcurl's code, with its words in `error`; `out_status` is the server's last. */
static inline int penstock_curl_mail(const char *url, int must_encrypt, const char *user, const char *password,
                                     const char *from, const char *recipients, size_t recipients_length,
                                     const char *mail, size_t length, const char *ca_file, long timeout, char *error,
                                     long *out_status) {
    CURL *easy = curl_easy_init();
    *out_status = 0;
    if (!easy) return CURLE_OUT_OF_MEMORY;
    struct curl_slist *list = penstock_curl_lines(recipients, recipients_length);
    struct penstock_curl_upload upload = {mail, length};
    penstock_curl_common(easy, url, ca_file, timeout, error);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    if (must_encrypt) curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    if (user[0]) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
    }
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, list);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READDATA, &upload);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, penstock_curl_supply);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, out_status);
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
    return (int)code;
}
