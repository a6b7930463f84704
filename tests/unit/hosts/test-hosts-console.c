/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The console of a VM: a WebSocket on the one side, a display on the other. hyper-hostd is played by a child
 * that opens a connection to the test as its display.
 *
 * check: all */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "api/hosts/hosts-routes.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "unit/lib/private-bus.h"
#include "unit/lib/test.h"
#include "unit/lib/ws-client.h"

#define VM_PATH HYPER_HOSTS_BUS_PATH "/h/vm/u"
/* More than that never waits between the two: two queues, and what the kernel holds. */
#define HELD_MAX ((size_t) 8 * 1024 * 1024)

typedef struct World {
        char *dir, *address, *display;
        pid_t bus, hostd;
        int listener; /* who connects is a display that was opened */
        TestServer server;
} World;

/* --- hyper-hostd as far as it goes ----------------------------------------------------------------- */

static int display_socket(const char *path) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        strncpy(sa.sun_path, path, sizeof(sa.sun_path) - 1);
        return connect(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0 ? -errno : fd;
}

static int method_get_vm(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *host, *vm;
        int r = sd_bus_message_read(m, "ss", &host, &vm);

        if (r >= 0 && !streq(vm, "vm"))
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_VM, "There is no VM %s", vm);
        return r < 0 ? r : sd_bus_reply_method_return(m, "os", VM_PATH, "u");
}

static int method_open_console(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *type;
        int fd, r = sd_bus_message_read(m, "s", &type);

        if (r >= 0 && streq(type, "spice"))
                return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE, "it has no display of type spice");
        fd = display_socket(userdata);
        if (fd < 0)
                return fd;
        r = sd_bus_reply_method_return(m, "hs", fd, "vnc");
        close(fd);
        return r;
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetVm", "ss", "os", method_get_vm, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable vm_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("OpenConsole", "s", "hs", method_open_console, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static void run_hostd(const World *w) {
        sd_event *event = NULL;
        sd_bus *bus;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (sd_event_new(&event) < 0)
                _exit(1);
        bus = private_bus_connect(w->dir, event);
        if (sd_bus_add_object_vtable(bus, NULL, HYPER_HOSTS_BUS_PATH, HYPER_HOSTS_MANAGER_INTERFACE,
                            manager_vtable, w->display) < 0 ||
                        sd_bus_add_object_vtable(bus, NULL, VM_PATH, HYPER_HOSTS_VM_INTERFACE, vm_vtable,
                                        w->display) < 0 ||
                        sd_bus_request_name(bus, HYPER_HOSTS_BUS_NAME, 0) < 0)
                _exit(1);
        (void) sd_event_loop(event);
        _exit(0);
}

/* --- the world ------------------------------------------------------------------------------------- */

static void start(World *w) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };

        *w = (World){ .dir = test_dir() };
        w->address = strprintf("unix:path=%s/bus", w->dir);
        w->display = strprintf("%s/display", w->dir);
        w->bus = private_bus_start(w->dir);
        strncpy(sa.sun_path, w->display, sizeof(sa.sun_path) - 1);
        w->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(bind(w->listener, (struct sockaddr *) &sa, sizeof(sa)), 0);
        ck_assert_int_eq(listen(w->listener, 8), 0);
        w->hostd = fork();
        ck_assert_int_ge(w->hostd, 0);
        if (w->hostd == 0)
                run_hostd(w);
        const ApiConfig config = { .database = "/nonexistent", .bus_address = w->address };
        test_server_start(&w->server, AF_INET, &hosts_dialect, &config);
}

static void stop(World *w) {
        ck_assert_int_eq(test_server_stop(&w->server), 0);
        kill(w->hostd, SIGKILL); /* libcheck's handler is inherited for others */
        waitpid(w->hostd, NULL, 0);
        close(w->listener);
        private_bus_stop(w->bus);
        free(w->address);
        free(w->display);
        test_dir_freep(&w->dir);
}

#define CONSOLE "/api/v1/hosts/h/vms/vm/console"
#define HEAD "GET " CONSOLE " HTTP/1.1\r\nHost: localhost\r\n"

static unsigned ask(const World *w, const char *request, char **ret_head) {
        _cleanup_reply_ TestReply r = {};

        /* hyper-hostd may still be on its way to its name. */
        for (unsigned i = 0; i < 500; i++) {
                test_reply_done(&r);
                r = (TestReply){};
                test_request(&w->server, &r, "%s", request);
                if (r.status != 503)
                        break;
                usleep(20 * 1000);
        }
        if (ret_head)
                *ret_head = TAKE_PTR(r.head);
        return r.status;
}

/* A client, and the display that was opened for it. */
static void connect_both(World *w, WsClient *c, int *ret_display) {
        struct pollfd p = { .fd = w->listener, .events = POLLIN };

        for (unsigned i = 0;; i++) {
                _cleanup_reply_ TestReply r = {};

                *c = (WsClient){ .fd = test_connect(&w->server) };
                test_send(c->fd, HEAD WS_UPGRADE WS_KEY "Sec-WebSocket-Protocol: binary\r\n\r\n");
                test_read_reply_full(c->fd, true, &r);
                if (r.status == 101) {
                        _cleanup_free_ char *protocol = test_header(&r, "Sec-WebSocket-Protocol");

                        ck_assert_str_eq(strempty(protocol), "binary");
                        break;
                }
                ck_assert_msg(r.status == 503 && i < 500, "%u", r.status);
                close(c->fd);
                usleep(20 * 1000);
        }
        ck_assert_int_eq(poll(&p, 1, 10000), 1);
        *ret_display = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        ck_assert_int_ge(*ret_display, 0);
}

static bool is_readable(int fd, int timeout) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        return poll(&p, 1, timeout) == 1;
}

/* Bytes that say where they belong. */
static uint8_t byte_at(size_t i) {
        return (uint8_t) (i * 31 >> 3);
}

static void fill(uint8_t *buf, size_t size, size_t offset) {
        for (size_t i = 0; i < size; i++)
                buf[i] = byte_at(offset + i);
}

/* --- the tests ------------------------------------------------------------------------------------- */

START_TEST(bytes_go_both_ways) {
        WsClient c;
        WsFrame f;
        char buf[64];
        int display;
        World w;

        start(&w);
        connect_both(&w, &c, &display);
        ck_assert_int_eq(send(display, "RFB 003.008\n", 12, 0), 12);
        ck_assert(ws_client_read_frame(&c, &f));
        ck_assert_uint_eq(f.first, WS_FIN | WS_BINARY);
        ck_assert_uint_eq(f.size, 12);
        ck_assert_str_eq((char *) f.payload, "RFB 003.008\n");
        ws_frame_done(&f);
        /* In two fragments, and an empty one in between. */
        ws_client_send_frame(&c, WS_BINARY, "RFB 003");
        ws_client_send_frame(&c, WS_FIN | WS_CONTINUATION, ".008\n");
        ck_assert(is_readable(display, 10000));
        ck_assert_int_eq(recv(display, buf, sizeof(buf), 0), 12);
        ck_assert_int_eq(memcmp(buf, "RFB 003.008\n", 12), 0);
        /* The display goes. */
        close(display);
        ws_client_expect_close(&c, 1000);
        ws_client_close(&c);
        /* The client goes. */
        connect_both(&w, &c, &display);
        ws_client_send_close(&c, 1000);
        ck_assert(is_readable(display, 10000));
        ck_assert_int_eq(recv(display, buf, sizeof(buf), 0), 0);
        close(display);
        ws_client_close(&c);
        stop(&w);
}
END_TEST

START_TEST(who_may_not_have_it_opens_no_display) {
        _cleanup_free_ char *head = NULL;
        World w;

        start(&w);
        ck_assert_uint_eq(ask(&w, HEAD "Connection: close\r\n\r\n", NULL), 426);
        /* Another page of this machine may listen to /ws, but not type. */
        ck_assert_uint_eq(
                        ask(&w, HEAD WS_UPGRADE WS_KEY "Origin: http://localhost:3000\r\n\r\n", NULL), 403);
        ck_assert_uint_eq(ask(&w,
                                          "GET /api/hosts/h/vms/none/console HTTP/1.1\r\nHost: "
                                          "localhost\r\n" WS_UPGRADE WS_KEY "\r\n",
                                          NULL),
                        404);
        ck_assert_uint_eq(ask(&w,
                                          "GET /api/hosts/h/vms/vm/spice HTTP/1.1\r\nHost: "
                                          "localhost\r\n" WS_UPGRADE WS_KEY "\r\n",
                                          NULL),
                        409);
        ck_assert(!is_readable(w.listener, 0));
        stop(&w);
}
END_TEST

START_TEST(a_display_waits_for_a_slow_client) {
        static uint8_t buf[64 * 1024];
        size_t sent = 0, got = 0;
        WsClient c;
        int display;
        World w;

        start(&w);
        connect_both(&w, &c, &display);
        /* Until nothing more is taken for half a second. */
        for (;;) {
                struct pollfd p = { .fd = display, .events = POLLOUT };
                ssize_t n;

                if (poll(&p, 1, 500) == 0)
                        break;
                fill(buf, sizeof(buf), sent);
                n = send(display, buf, sizeof(buf), MSG_NOSIGNAL);
                ck_assert_int_gt(n, 0);
                sent += (size_t) n;
                ck_assert_msg(sent < HELD_MAX, "%zu bytes are held for a client that does not read", sent);
        }
        /* Nothing is lost. */
        while (got < sent) {
                WsFrame f;

                ck_assert_msg(ws_client_read_frame(&c, &f), "the end after %zu of %zu bytes", got, sent);
                ck_assert_uint_eq(f.first, WS_FIN | WS_BINARY);
                for (size_t i = 0; i < f.size; i++)
                        ck_assert_uint_eq(f.payload[i], byte_at(got + i));
                got += f.size;
                ws_frame_done(&f);
        }
        ck_assert_int_eq(send(display, "x", 1, 0), 1);
        close(display);
        ws_client_close(&c);
        stop(&w);
}
END_TEST

START_TEST(a_client_waits_for_a_slow_display) {
        enum { MESSAGE = 30000 };
        static uint8_t buf[64 * 1024];
        size_t queued = 0, got = 0;
        WsBytes out = {};
        WsClient c;
        int display;
        World w;

        start(&w);
        connect_both(&w, &c, &display);
        for (;;) {
                struct pollfd p = { .fd = c.fd, .events = POLLOUT };
                ssize_t n;

                if (out.size == 0) {
                        fill(buf, MESSAGE, queued);
                        ws_add_frame(&out, WS_FIN | WS_BINARY, buf, MESSAGE);
                        queued += MESSAGE;
                }
                if (poll(&p, 1, 500) == 0)
                        break;
                n = send(c.fd, out.data, out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
                ck_assert_int_gt(n, 0);
                memmove(out.data, out.data + n, out.size - (size_t) n);
                out.size -= (size_t) n;
                ck_assert_msg(queued < HELD_MAX, "%zu bytes are held for a display that does not read",
                                queued);
        }
        while (got < queued) {
                struct pollfd p[] = { { .fd = display, .events = POLLIN },
                        { .fd = c.fd, .events = out.size > 0 ? POLLOUT : 0 } };

                ck_assert_int_gt(poll(p, 2, 10000), 0);
                if (out.size > 0 && p[1].revents & POLLOUT) {
                        ssize_t n = send(c.fd, out.data, out.size, MSG_DONTWAIT | MSG_NOSIGNAL);

                        ck_assert_int_gt(n, 0);
                        memmove(out.data, out.data + n, out.size - (size_t) n);
                        out.size -= (size_t) n;
                }
                if (p[0].revents & POLLIN) {
                        ssize_t n = recv(display, buf, sizeof(buf), 0);

                        ck_assert_int_gt(n, 0);
                        for (ssize_t i = 0; i < n; i++)
                                ck_assert_uint_eq(buf[i], byte_at(got + (size_t) i));
                        got += (size_t) n;
                }
        }
        close(display);
        ws_bytes_done(&out);
        ws_client_close(&c);
        stop(&w);
}
END_TEST

START_TEST(there_is_a_limit) {
        enum { MAX = 64 };
        int displays[MAX];
        WsClient clients[MAX];
        World w;

        start(&w);
        for (size_t i = 0; i < MAX; i++)
                connect_both(&w, clients + i, displays + i);
        WsClient c = { .fd = test_connect(&w.server) };
        _cleanup_reply_ TestReply r = {};
        test_send(c.fd, HEAD WS_UPGRADE WS_KEY "\r\n");
        test_read_reply(c.fd, &r);
        ck_assert_uint_eq(r.status, 503);
        ck_assert_ptr_nonnull(strstr(r.body, "close one"));
        ck_assert(!is_readable(w.listener, 0));
        ws_client_close(&c);
        for (size_t i = 0; i < MAX; i++) {
                close(displays[i]);
                ws_client_close(clients + i);
        }
        stop(&w);
}
END_TEST

TEST_MAIN("hosts-console", bytes_go_both_ways, who_may_not_have_it_opens_no_display,
                a_display_waits_for_a_slow_client, a_client_waits_for_a_slow_display, there_is_a_limit)
