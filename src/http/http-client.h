/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* HTTP requests to other machines, on libcurl's multi interface (libcurl-multi(3)) in our event loop. The
 * other side is not trusted: every request ends within its timeout, what is read of the answer has a limit
 * (its headers 64 KiB), redirects are not followed, TLS is at least 1.2 and verified, no proxy and no
 * password file of the environment is used. */

#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "basic/time-util.h"

typedef struct HttpClient HttpClient;

typedef struct HttpRequest {
        const char *method; /* "GET", "POST", … */
        const char *url; /* may hold a user and a password */
        const char *body; /* NULL: none */
        char *const *headers; /* name, value, name, value, …: an empty value is sent as such; NULL: none */
        usec_t timeout; /* for all of it */
} HttpRequest;

/* Strings are borrowed. */
typedef struct HttpResult {
        bool success; /* the status is 2xx */
        unsigned status; /* 0: there was no answer */
        usec_t duration;
        usec_t retry_after; /* what the answer's Retry-After says in seconds (RFC 9110, 10.2.3); 0:
                             * nothing */
        const char *error; /* why it is no success, for people, valid UTF-8; else NULL */
        const char *response; /* the answer's body as it came, and a NUL behind it */
        size_t response_size;
} HttpResult;

/* @done is called from the event loop, once for each request; it may send others. */
typedef void (*http_done_func)(const HttpResult *result, void *request_userdata, void *userdata);

/* Looks at an address before it is connected to: NULL if it may be, else why not, for people (in @buffer or
 * static). */
#define HTTP_REFUSE_SIZE 160
typedef const char *(*http_refuse_func)(const struct sockaddr *address, socklen_t size, void *userdata,
                char buffer[static HTTP_REFUSE_SIZE]);

typedef struct HttpClientOptions {
        sd_event *event;
        http_done_func done;
        void *userdata;
        size_t response_max; /* what is read of a body */
        bool response_whole; /* a longer body is a failure, else its rest is not read */
        http_refuse_func refuse; /* or NULL */
        void *refuse_userdata;
        const char *ca_file; /* the CAs that servers are verified with, in PEM; NULL: those of the system */
        const char *unix_socket; /* connect to this path instead of the host of the URL, or NULL */
        const char *certificate_file, *key_file; /* what we are known by, in PEM; NULL: nothing */
} HttpClientOptions;

/* Nothing of @options is needed afterwards. 0 or negative errno. */
int http_client_new(const HttpClientOptions *options, HttpClient **ret);
/* Requests that are not done are given up; @done is not called for them. */
HttpClient *http_client_free(HttpClient *c);
DEFINE_CLEANUP_FUNC(HttpClient *, http_client_free);

/* Begins a request; nothing of @request is needed afterwards. 0 or negative errno. */
int http_client_send(HttpClient *c, const HttpRequest *request, void *request_userdata);
/* Gives up all requests that have this userdata; @done is not called for them. */
void http_client_abort(HttpClient *c, void *request_userdata);
