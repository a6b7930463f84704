/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How often a login may fail: for each address, and for each user name, wherever it comes from. PAM is not
 * asked beyond that.
 *
 * Failures in the name of a user must not lock the user out: where there is a session, or on this machine,
 * the limit of the name does not apply, and what fails there does not count for others. Elsewhere, some of
 * the failures of a name are reserved for the first tries of an address: whoever guesses from a number of
 * addresses cannot use those up. */

#include "api/http/rate-limit.h"

/* After these, so many a minute. */
#define LOGIN_FAILURES_OF_ADDRESS 5u
#define LOGIN_FAILURES_OF_ADDRESS_PER_MINUTE 1u
#define LOGIN_FAILURES_OF_NAME 20u
#define LOGIN_FAILURES_OF_NAME_PER_MINUTE 4u
/* In addition, for the first tries of an IPv4 address, or a network of 2^80 IPv6 addresses: so many a day. */
#define LOGIN_FAILURES_OF_NAME_RESERVED 5u
#define LOGIN_TRIES_OF_NEWCOMER 3u
#define LOGIN_NEWCOMER_TIME (USEC_PER_DAY / LOGIN_TRIES_OF_NEWCOMER)

typedef struct LoginLimit LoginLimit;

int login_limit_new(LoginLimit **ret);
LoginLimit *login_limit_free(LoginLimit *l);
DEFINE_CLEANUP_FUNC(LoginLimit *, login_limit_free);

typedef struct LoginTry {
        uint8_t address[16]; /* IPv4 as mapped to IPv6; of IPv6 the first 64 bits */
        const char *username;
        bool is_known; /* the limit of the name does not apply here */
} LoginTry;

/* Counts it as a failure, unless it is refused; @now is monotonic. */
RateVerdict login_limit_take(LoginLimit *l, const LoginTry *t, usec_t now);
/* It was none: the password was right, or (@decided false) it is not known. */
void login_limit_give(LoginLimit *l, const LoginTry *t, bool decided);

/* When all is as if nobody had failed; monotonic. Until then, the daemon keeps running. */
usec_t login_limit_full_at(const LoginLimit *l) _pure_;
