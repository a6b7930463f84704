/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SOAP calls of the vSphere Web Services API over HTTPS. A call blocks until the answer is there, for at most
 * @timeout, and ends at once when the descriptor for cancelling is readable. Everything that the server sends
 * is untrusted. */

#include "basic/time-util.h"
#include "vsphere/soap-request.h"
#include "vsphere/xml.h"

typedef struct Soap Soap;

/* Strings are copied. */
typedef struct SoapOptions {
        const char *url; /* "https://HOST[:PORT][/sdk]" or "HOST[:PORT]"; others are refused with -EINVAL */
        const char *ca; /* PEM, or NULL; see http/tls-trust.h */
        const char *thumbprint; /* or NULL */
        const char *agent; /* the ID in "hyper/VERSION (ID)" of the User-Agent, or NULL */
        int cancel_fd; /* a descriptor that is readable when all has to end (an eventfd), or -1 */
        usec_t timeout; /* of one call; 0: 2 minutes */
} SoapOptions;

/* What the last call that failed has failed with. */
typedef struct SoapError {
        char *fault; /* the type of the server's fault ("InvalidLogin"), or NULL if it sent none */
        char *text; /* one line for people, without control characters */
        unsigned status; /* of HTTP; 0: no answer */
} SoapError;

typedef struct SoapAnswer {
        xmlDoc *document;
        const xmlNode *value; /* <returnval>, or NULL; others are its siblings */
} SoapAnswer;

void soap_answer_done(SoapAnswer *a);
#define _cleanup_answer_ _cleanup_(soap_answer_done)

/* Decodes an answer to @method. *ret_fault is borrowed from *ret, and NULL if it is no fault. 0, or an
 * error of xml_document_parse(). */
int soap_answer_parse(const char *data, size_t size, const char *method, SoapAnswer *ret,
                const xmlNode **ret_fault);

/* 0, -EINVAL with the reason in @ret_error, or -ENOMEM. */
int soap_new(const SoapOptions *options, Soap **ret, char **ret_error);
Soap *soap_free(Soap *s);
DEFINE_CLEANUP_FUNC(Soap *, soap_free);

/* Sends a request and waits for the answer.
 *
 *   0             *ret is the answer
 *   -ENOMEM
 *   -EINVAL       a text in the request contains characters that XML cannot represent
 *   -ECANCELED    the descriptor for cancelling is readable
 *   -EKEYREJECTED the certificate is not accepted; the text has its thumbprint
 *   -EHOSTUNREACH the name of the server cannot be resolved
 *   -ECONNREFUSED no connection
 *   -ECONNRESET   the connection broke; whether the server has done it is unknown
 *   -ETIMEDOUT    no complete answer in time; the same
 *   -EBUSY        status 503 or 429: the server has not done it
 *   -EPROTO       other statuses: probably no vSphere server
 *   -EBADMSG      the answer is malformed
 *   -EFBIG        the answer is over a limit
 *
 * and what fault_errno() makes of a fault. Of these, callers usually tell apart:
 *
 *   -EACCES       InvalidLogin
 *   -EPERM        NoPermission
 *   -EKEYEXPIRED  NotAuthenticated
 *   -ENOENT       ManagedObjectNotFound
 *   -EBADFD       InvalidPowerState, InvalidState
 *   -EBUSY        TaskInProgress, ResourceInUse, FileLocked
 *   -EOPNOTSUPP   NotSupported, ToolsUnavailable
 *   -EREMOTEIO    any other
 */
int soap_call(Soap *s, SoapRequest *request, SoapAnswer *ret);
/* The error of the last call that has failed; valid until the next call */
const SoapError *soap_error(const Soap *s) _pure_;
/* Replaces that error: "text: reason". Returns @r, or -ENOMEM. */
int soap_fail(Soap *s, int r, const char *fault, const char *format, ...) _printf_(4, 5);

/* Saves the error while other calls are made, and restores it. */
SoapError soap_take_error(Soap *s);
void soap_put_error(Soap *s, SoapError e);

/* The version of the API in requests from now on: ServiceContent.about.apiVersion. 0 or -ENOMEM. */
int soap_set_version(Soap *s, const char *version);
void soap_set_cancel_fd(Soap *s, int fd); /* -1: cannot be cancelled */
void soap_set_timeout(Soap *s, usec_t timeout);

/* Waits for @delay. 0 or -ECANCELED. */
int soap_sleep(Soap *s, usec_t delay);

/* The parts of the URL: "https://HOST[:PORT]" and the host alone (without brackets) */
const char *soap_origin(const Soap *s) _pure_;
const char *soap_host(const Soap *s) _pure_;
/* "443" if the URL has none */
const char *soap_port(const Soap *s) _pure_;
/* SHA-1 of the certificate that the server was last verified by, "AA:BB:…"; "" before the first call */
const char *soap_sha1_thumbprint(const Soap *s) _pure_;
/* "vmware_soap_session=…" for the header Cookie, or NULL without a session. It is a secret. */
const char *soap_cookie(const Soap *s) _pure_;
void soap_forget_cookie(Soap *s);
/* Requests have this cookie from now on, as soap_cookie() gives it. 0, -EINVAL if it is none, or -ENOMEM. */
int soap_set_cookie(Soap *s, const char *cookie);
