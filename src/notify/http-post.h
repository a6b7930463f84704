/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST requests to whoever is out there, on libcurl's multi interface (libcurl-multi(3)) in our event loop. The other
 * side is not trusted: every request ends within its timeout, at most 4 KiB of the answer's body and 64 KiB of its
 * headers are read, redirects are not followed, TLS is verified against the system's CAs, and no connection is made to
 * an address that address_is_refused(). */

#include <systemd/sd-event.h>

#include "basic/time-util.h"

typedef struct HttpClient HttpClient;

typedef struct HttpRequest {
        const char *url; /* may hold a user and a password */
        const char *body;
        char *const *headers; /* name, value, name, value, …: an empty value is sent as such */
        usec_t timeout; /* for all of it */
} HttpRequest;

/* Strings are valid UTF-8 and borrowed. */
typedef struct HttpResult {
        bool success; /* the status is 2xx */
        unsigned status; /* 0: there was no answer */
        usec_t duration;
        const char *error; /* why it is no success, for people; else NULL */
        const char *response; /* the beginning of the answer's body */
} HttpResult;

typedef void (*http_done_func)(const HttpResult *result, void *request_userdata, void *userdata);

/* @done is called from the event loop, once for each request. */
int http_client_new(sd_event *event, http_done_func done, void *userdata, HttpClient **ret);
/* Requests that are not done are given up; @done is not called for them. */
HttpClient *http_client_free(HttpClient *c);
DEFINE_CLEANUP_FUNC(HttpClient *, http_client_free);

/* Begins a request; nothing of @request is needed afterwards. 0 or negative errno. */
int http_client_post(HttpClient *c, const HttpRequest *request, void *request_userdata);
