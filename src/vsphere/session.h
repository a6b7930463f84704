/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A session with a vCenter Server or an ESXi host. Everything else in this directory needs one.
 *
 * One session belongs to one thread at a time. Functions that talk to the server block: for up to 2 minutes a
 * call, and up to a minute longer if the server is busy. All of them end with -ECANCELED soon after the
 * descriptor for cancelling has become readable. Errors are negative errno as in soap.h and in the comment of
 * each function; session_error() has the text.
 *
 * Sessions are scarce, so that each must be ended by session_logout(). */

#include "vsphere/soap.h"

typedef struct Session Session;

/* Strings are copied. */
typedef struct SessionOptions {
        SoapOptions server;
        const char *username, *password;
        clock_func clock; /* NULL: now_monotonic() */
        usec_t retry_delay; /* before a busy server is asked again, doubled each time; 0: 1 s */
        unsigned retries; /* how often it is asked again; 0: 5 times */
        void (*logged_in)(void *userdata); /* after each login: soap_cookie() is another one; may be NULL */
        void *userdata;
} SessionOptions;

/* Does not talk to the server. 0, -EINVAL with the reason in @ret_error, or -ENOMEM. */
int session_new(const SessionOptions *options, Session **ret, char **ret_error);
/* Does not talk to the server either. */
Session *session_free(Session *s);
DEFINE_CLEANUP_FUNC(Session *, session_free);

/* Logs in. Blocks. -EACCES: user or password are wrong (InvalidLogin), or the password has expired: never
 * tried again, since servers lock accounts. -EBUSY: the server opens no more sessions now, also after it was
 * asked again. */
int session_login(Session *s);
/* Takes over a session of another process in place of a login, so that it can be ended. It is not renewed.
 * Blocks. -EINVAL: @cookie is none. */
int session_adopt(Session *s, const char *cookie);
/* Ends the session if there is one, and waits for at most 5 seconds, even after a cancel. Blocks. */
void session_logout(Session *s);
/* True if session_login() has succeeded, and the session was not found dead since. */
bool session_is_open(const Session *s) _pure_;

/* A call with the session. A busy server (503) is asked again. If the session has ended
 * (NotAuthenticated), it logs in again and repeats the call, but logs in at most once a minute; then
 * -EKEYEXPIRED. Objects that belong to a session (views, pages) are gone then: session_generation() has
 * changed. */
int session_call(Session *s, SoapRequest *request, SoapAnswer *ret);
unsigned session_generation(const Session *s) _pure_;

/* Logs in again because the server has ended the session, as session_call() does by itself. */
int session_renew(Session *s);
/* A call whose result does not matter. The error of the last call is kept. */
void session_call_quietly(Session *s, SoapRequest *request);

/* Why the last function has failed, for people. Valid until the next call. */
const char *session_error(const Session *s) _pure_;
/* Sets both for an error of a caller; see soap_fail(). */
#define session_fail(s, r, fault, ...) soap_fail(session_soap(s), r, fault, __VA_ARGS__)

/* Replaces the descriptor for cancelling; with -1, a session whose work was cancelled can still clean up. */
void session_set_cancel_fd(Session *s, int fd);
Soap *session_soap(const Session *s) _pure_;

/* What the server is. Known after session_login(). */
typedef struct ServerInfo {
        char *full_name; /* "VMware vCenter Server 7.0.3 build-…" */
        char *version; /* "7.0.3" */
        char *api_version; /* "7.0.3.0" */
        bool vcenter; /* else an ESXi host */
        /* IDs of the objects that others start from */
        char *property_collector, *session_manager, *view_manager, *root_directory;
} ServerInfo;
void server_info_done(ServerInfo *i);
/* Decodes ServiceContent. 0, -EBADMSG if something is missing, or -ENOMEM. */
int server_info_read(const xmlNode *content, ServerInfo *ret);
const ServerInfo *session_server(const Session *s) _pure_;
