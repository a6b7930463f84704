/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The least that libmicrohttpd can do: one thread, epoll, the same answer to everything, about as long as
 * the answer of the route it is compared with. What hyper-apid does beyond this is what hyper-apid costs. */

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "basic/parse-util.h"

static struct MHD_Response *response;

/* It is called first when the headers are there, and an answer then would end the connection. */
static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                const char *method, const char *version, const char *upload_data, size_t *upload_data_size,
                void **req_cls) {
        static char seen;

        if (!*req_cls) {
                *req_cls = &seen;
                return MHD_YES;
        }
        if (*upload_data_size > 0) { /* of a POST; not looked at */
                *upload_data_size = 0;
                return MHD_YES;
        }
        return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

int main(int argc, char *argv[]) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        unsigned port, length;
        static char body[65536];

        if (argc != 3 || parse_unsigned(argv[1], &port) < 0 || parse_unsigned(argv[2], &length) < 0 ||
                        port > 65535 || length > sizeof(body)) {
                fprintf(stderr, "usage: bare-http PORT LENGTH\n");
                return 2;
        }
        address.sin_port = htons((uint16_t) port);
        memset(body, ' ', length);
        response = MHD_create_response_from_buffer(length, body, MHD_RESPMEM_PERSISTENT);
        (void) MHD_add_response_header(response, "Content-Type", "application/json; charset=utf-8");
        struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD,
                        (uint16_t) port, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR, &address,
                        MHD_OPTION_CONNECTION_LIMIT, 4096u, MHD_OPTION_END);
        if (!d) {
                fprintf(stderr, "Failed to listen on port %u\n", port);
                return 1;
        }
        (void) pause();
        return 0;
}
