/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A blocking transfer with libcurl that can be cancelled, and what the transfers of this directory have in
 * common. */

#include "http/tls-trust.h"

/* Options that are the same for all: HTTPS only, trust, no proxy, no redirects, no signals, HTTP/1.1.
 * @agent is the User-Agent, and @error a buffer of CURL_ERROR_SIZE. 0, -ENOMEM or -EIO. */
int perform_prepare(CURL *easy, TlsTrust *trust, const char *agent, char *error);

/* Performs a transfer. 0 with its result in @ret, -ECANCELED as soon as @cancel_fd is readable (-1:
 * never), or -ENOMEM. @multi keeps the connection. */
int perform(CURLM *multi, CURL *easy, int cancel_fd, CURLcode *ret);

/* The error number of a result that is not CURLE_OK: -EKEYREJECTED, -ETIMEDOUT, -EHOSTUNREACH (the name
 * cannot be resolved), -ECONNREFUSED or -ECONNRESET */
int perform_errno(CURLcode code, const TlsTrust *trust);
/* The reason for people, without control characters. NULL when out of memory. */
char *perform_describe(CURLcode code, const TlsTrust *trust, const char *error);
