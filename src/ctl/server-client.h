/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The v1 API of another machine, over HTTPS (--server=). Its certificate is verified with the CAs of the
 * system, with --ca=, or with --thumbprint=. The API key or the token comes from --key-file=, from the
 * credential hyper.api-key, or from the terminal. */

#include <jansson.h>

#include "ctl/ctl.h"

#define SERVER_CREDENTIAL "hyper.api-key"

typedef struct ServerClient ServerClient;

/* Whether options that only --server= uses are given without it. EXIT_OK or, after an error message,
 * EXIT_USAGE. */
int server_check_options(const Ctl *ctl);

/* Says what is wrong: EXIT_OK with *ret, or another ExitStatus. */
int server_open(Ctl *ctl, ServerClient **ret);
/* The HTTP API of this machine, at its socket, as the user who calls it. */
int server_open_local(Ctl *ctl, ServerClient **ret);
ServerClient *server_free(ServerClient *c);
DEFINE_CLEANUP_FUNC(ServerClient *, server_free);

/* "https://HOST:PORT" */
const char *server_url(const ServerClient *c) _pure_;

/* What --server= names as "https://HOST:PORT"; the caller frees it. 0, -EINVAL or -ENOMEM. */
int server_parse(const char *server, char **ret);

typedef struct ServerRequest {
        const char *method;
        const char *path; /* behind /api/v1 if it is another machine, with its query */
        const void *body; /* NULL: none */
        size_t size;
        const char *header; /* "Name: value", or NULL */
        void (*progress)(uint64_t sent, void *userdata); /* while the body is sent; NULL: not needed */
        void *userdata;
} ServerRequest;

typedef struct ServerReply {
        unsigned status; /* 0: there was no reply */
        bool refused; /* its certificate is not accepted: it is useless to try again */
        unsigned retry_after; /* seconds; 0: not given */
        json_t *body; /* an object, or NULL */
        char *error; /* why it is no success, for people; else NULL */
} ServerReply;

void server_reply_done(ServerReply *r);
#define _cleanup_server_reply_ _cleanup_(server_reply_done)

/* *ret is set in any case. 0: the status is 2xx, and there is an object; -EIO: else, with ret->error;
 * -ENOMEM. */
int server_call(ServerClient *c, const ServerRequest *request, ServerReply *ret);

/* Says that @what failed with @reply. Returns the ExitStatus. */
int server_failure(const Ctl *ctl, const ServerReply *reply, const char *what);
