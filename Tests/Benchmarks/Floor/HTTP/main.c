// SPDX-License-Identifier: Apache-2.0
//
// The floor of delivery: libcurl's multi interface over keep-alive connections, a body of about the size of a company.

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load {
    CURLM *multi;
    struct curl_slist *headers;
    const char *method, *url;
    uint64_t next, first, count, failed;
    long status;
};

struct request { CURL *easy; char url[512], body[512]; };

static size_t swallow(char *bytes, size_t size, size_t n, void *context) {
    (void)bytes, (void)context;
    return size * n;
}

static void start(struct load *load, struct request *request) {
    uint64_t number = load->first + load->next++;
    int is_patch = strcmp(load->method, "PATCH") == 0;
    snprintf(request->url, sizeof request->url, is_patch ? "%s/%llu" : "%s", load->url, (unsigned long long)number);
    int n = snprintf(request->body, sizeof request->body,
                     "{\"name\":\"Floor %llu\",\"website\":\"https://www.floor-%llu.example\",\"employee_count\":%llu,"
                     "\"address\":{\"value\":\"17 Harbour Street, 20095 Hamburg\"}}",
                     (unsigned long long)number, (unsigned long long)number, (unsigned long long)number % 9000);
    curl_easy_setopt(request->easy, CURLOPT_URL, request->url);
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDS, request->body);
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE, (long)n);
    curl_multi_add_handle(load->multi, request->easy);
}

static void prepare(struct load *load, struct request *request) {
    request->easy = curl_easy_init();
    curl_easy_setopt(request->easy, CURLOPT_CUSTOMREQUEST, load->method);
    curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, load->headers);
    curl_easy_setopt(request->easy, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(request->easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(request->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(request->easy, CURLOPT_PROXY, "");
    start(load, request);
}

static void take_answers(struct load *load) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(load->multi, &left))) {
        CURL *easy = message->easy_handle;
        struct request *request;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&request);
        if (message->data.result != CURLE_OK || status >= 300) load->failed++, load->status = status;
        curl_multi_remove_handle(load->multi, easy);
        if (load->next < load->count) start(load, request);
    }
}

static int refuse(const char *what, uint64_t count, long status) {
    fprintf(stderr, "floor-http: %s: %" PRIu64 " requests, the last status is %ld\n", what, count, status);
    return 1;
}

int main(int count, char **words) {
    if (count < 6) {
        fputs("usage: floor-http METHOD URL TOKEN COUNT INFLIGHT [FIRST]; FIRST is the first id of PATCH\n", stderr);
        return 64;
    }
    struct load load = {.method = words[1], .url = words[2], .count = strtoull(words[4], NULL, 10)};
    uint64_t in_flight = strtoull(words[5], NULL, 10);
    char token[256];
    int running = 1;
    load.first = count > 6 ? strtoull(words[6], NULL, 10) : 1;
    snprintf(token, sizeof token, "x-api-token: %s", words[3]);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    load.multi = curl_multi_init();
    load.headers = curl_slist_append(curl_slist_append(NULL, token), "Content-Type: application/json");
    struct request *requests = calloc(in_flight, sizeof *requests);
    for (uint64_t i = 0; i < in_flight && i < load.count; i++) prepare(&load, &requests[i]);
    while (running || load.next < load.count) {
        if (curl_multi_perform(load.multi, &running)) return refuse("libcurl failed", load.next, 0);
        take_answers(&load);
        if (running) curl_multi_poll(load.multi, NULL, 0, 1000, NULL);
    }
    take_answers(&load);
    if (load.failed) return refuse("failed", load.failed, load.status);
    printf("%" PRIu64 " requests\n", load.next);
    return 0;
}
