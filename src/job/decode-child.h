/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "hyper-job decode CAPACITY": decodes a streamOptimized VMDK from descriptor 3 to runs for
 * endpoint-stream on standard output. A child, since it parses what a server sends: it has these two
 * pipes, and no network. */

#define DECODE_REFUSED 1 /* the exit status of a stream that is damaged; standard error says why */
#define DECODE_CUT_OFF 2 /* of one that ended too early */
#define DECODE_FAILED 3 /* of what is not the stream's fault */

int verb_decode(int argc, char *argv[]);
