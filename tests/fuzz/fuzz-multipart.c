/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A body of multipart/form-data, as libmicrohttpd takes it apart for a chunk of an upload: the first byte of
 * the input is the size of the pieces in which it comes. */

#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http/multipart.h"
#include "api/http/request-state.h"
#include "basic/string-util.h"
#include "fuzz.h"

#define BODY_MAX 65536u
#define HEAD                                           \
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: " \
        "multipart/form-data; boundary=0123456789abcdef\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

static const char *input;
static size_t input_size, fields_size;
static bool is_done;
static volatile uint8_t sum; /* so that each byte is read */

static bool on_field(void *userdata, const char *name, const char *data, uint64_t offset, size_t size) {
        fields_size += size;
        if (fields_size > input_size || (name && strlen(name) > input_size))
                abort();
        for (size_t i = 0; i < size; i++)
                sum = (uint8_t) (sum + (uint8_t) data[i]);
        return true;
}

static void parse(Request *r) {
        size_t step = (uint8_t) input[0] + 1u;
        Multipart *m;

        if (multipart_new(r, on_field, NULL, &m) < 0)
                abort();
        for (size_t i = 1; i < input_size; i += step)
                if (multipart_feed(m, input + i, MIN(step, input_size - i)) < 0)
                        break;
        (void) multipart_end(&m);
}

static enum MHD_Result on_request(void *userdata, struct MHD_Connection *connection, const char *url,
                const char *method, const char *version, const char *data, size_t *size, void **seen) {
        Request r = { .connection = connection };
        struct MHD_Response *response;
        enum MHD_Result result;

        if (!*seen) {
                *seen = &is_done;
                return MHD_YES;
        }
        parse(&r);
        is_done = true;
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        result = MHD_queue_response(connection, MHD_HTTP_OK, response);
        MHD_destroy_response(response);
        return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const struct sockaddr address = { .sa_family = AF_UNIX };
        struct MHD_Daemon *daemon;
        int fds[2];

        if (size == 0 || size > BODY_MAX)
                return 0;
        input = (const char *) data;
        input_size = size;
        fields_size = 0;
        is_done = false;
        daemon = MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, NULL, MHD_OPTION_END);
        if (!daemon || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ||
                        write(fds[0], HEAD, strlen(HEAD)) != (ssize_t) strlen(HEAD) ||
                        MHD_add_connection(daemon, fds[1], &address, sizeof(address)) != MHD_YES)
                abort();
        for (unsigned i = 0; i < 100 && !is_done; i++)
                (void) MHD_run(daemon);
        if (!is_done)
                abort();
        MHD_stop_daemon(daemon);
        close(fds[0]);
        return 0;
}
