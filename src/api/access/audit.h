/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who has changed what, in the journal. */

typedef struct Request Request;

/* Logs a request with a key or a session that has changed something, when it is answered. Its connection must
 * still be there. */
void audit_request(Request *r);
