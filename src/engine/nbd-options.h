/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How to connect to NBD servers. */

#include "basic/time-util.h"

typedef enum NbdFlags {
        NBD_SOURCE = 0, /* read only */
        NBD_DESTINATION = 1 << 0, /* will be written; refused with -EROFS if the server does not allow it */
        NBD_KNOWN_ZERO = 1 << 1, /* a destination fresh from its maker: reads as zeroes all over, so that
                                    zeroes need not be written */
} NbdFlags;

typedef struct NbdOptions {
        char *const *uris; /* NBD URIs, or paths of unix sockets (beginning with "/"). Several are
                              servers for the very same disk; several are allowed for sources only. */
        unsigned connections; /* to each server; 0: a good number. A destination gets one unless the
                                 server says that several are safe (NBD_FLAG_CAN_MULTI_CONN); so does a
                                 network source. */
        unsigned flags; /* NbdFlags */
        const char *tls_certificates; /* a directory as nbd_set_tls_certificates(3) wants it, or NULL */
        const char *tls_psk_file; /* as nbd_set_tls_psk_file(3) wants it, or NULL */
        usec_t timeout; /* for connecting and negotiating; 0: 30 s */
        int cancel_fd; /* readable: give up with -ECANCELED; negative: none */
        const char *label; /* for messages: "source" */
} NbdOptions;
