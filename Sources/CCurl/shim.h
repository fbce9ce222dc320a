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

/* The same for options that take a callback for incoming bytes. */
static inline CURLcode penstock_curl_set_write(CURL *easy, CURLoption option, curl_write_callback value) {
    return curl_easy_setopt(easy, option, value);
}

/* The same for the callback that supplies the body. */
static inline CURLcode penstock_curl_set_read(CURL *easy, curl_read_callback value) {
    return curl_easy_setopt(easy, CURLOPT_READFUNCTION, value);
}

/* The same for the callback that rewinds the body. */
static inline CURLcode penstock_curl_set_seek(CURL *easy, curl_seek_callback value) {
    return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, value);
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
