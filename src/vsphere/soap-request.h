/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The body of a SOAP request, written with xmlwriter. An error is remembered and reported by soap_call(), so
 * that only soap_request_new() has to be checked. */

#include "basic/macro.h"

typedef struct SoapRequest SoapRequest;

/* A call of @method of the object @id of @type. 0 or -ENOMEM. */
int soap_request_new(const char *method, const char *type, const char *id, SoapRequest **ret);
/* The text is overwritten, since it may contain a password. */
SoapRequest *soap_request_free(SoapRequest *q);
DEFINE_CLEANUP_FUNC(SoapRequest *, soap_request_free);
#define _cleanup_request_ _cleanup_(soap_request_freep)

/* <name>text</name>; text that XML cannot contain is -EINVAL. */
void soap_request_text(SoapRequest *q, const char *name, const char *text);
void soap_request_number(SoapRequest *q, const char *name, uint64_t number);
void soap_request_bool(SoapRequest *q, const char *name, bool value);
/* <name type="type">id</name>, a reference to an object */
void soap_request_object(SoapRequest *q, const char *name, const char *type, const char *id);
/* <name xsi:type="type">, or without a type if it is NULL, until soap_request_close() */
void soap_request_open(SoapRequest *q, const char *name, const char *type);
void soap_request_close(SoapRequest *q);

/* The whole envelope, which is borrowed. 0 or the first error. */
int soap_request_end(SoapRequest *q, const char **ret, size_t *ret_size);
const char *soap_request_method(const SoapRequest *q) _pure_;
