/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Faults of the server: in place of an answer, as the error of a task, or in place of a property. */

#include "vsphere/xml.h"

/* The error number of a type of fault; -EREMOTEIO for those that are not in the table. */
int fault_errno(const char *type) _pure_;

typedef struct Fault {
        char *type; /* "InvalidLogin", or NULL: not known */
        char *text; /* one line for people, or NULL */
} Fault;

void fault_done(Fault *f);
#define _cleanup_fault_ _cleanup_(fault_done)

/* From <soapenv:Fault>. 0 or -ENOMEM. */
int fault_from_soap(const xmlNode *n, Fault *ret);
/* From a LocalizedMethodFault: the error of a task, of a lease, or of a missing property. 0 or -ENOMEM. */
int fault_from_error(const xmlNode *n, Fault *ret);
