/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks a source for its data: one request, or two, or a file is read. */

#include "carbon/carbon-source.h"
#include "http/http-client.h"

typedef struct CarbonFetch CarbonFetch;

/* Called from the event loop, once: with @data, which is the callee's, or with why there are none. */
typedef void (*carbon_fetch_done)(CarbonData *data, const char *why, void *userdata);

typedef struct CarbonFetchOptions {
        sd_event *event;
        const Settings *settings; /* whose carbon_source_check() was successful; must live as long as this */
        CarbonSourceKind kind;
        const char *token; /* of the credential, or NULL; copied */
        clock_func clock;
        const char *ca_file; /* tests: the CAs that servers are verified with; NULL: those of the system */
        carbon_fetch_done done;
        void *userdata;
} CarbonFetchOptions;

/* 0 or negative errno. */
int carbon_fetch_start(const CarbonFetchOptions *options, CarbonFetch **ret);
CarbonFetch *carbon_fetch_free(CarbonFetch *f);
DEFINE_CLEANUP_FUNC(CarbonFetch *, carbon_fetch_free);

/* Which addresses are not connected to: link-local ones, and without TLS all but loopback ones. @userdata is
 * a bool: whether it is TLS. For HttpClientOptions. */
const char *carbon_fetch_refuse(const struct sockaddr *address, socklen_t size, void *userdata,
                char buffer[static HTTP_REFUSE_SIZE]);
