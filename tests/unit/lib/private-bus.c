/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/lib/private-bus.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "basic/time-util.h"
#include "unit/lib/test.h"

static void write_config(const char *path, const char *socket) {
        _cleanup_free_ char *text = strprintf(
                        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-BUS Bus Configuration "
                        "1.0//EN\"\n"
                        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
                        "<busconfig><listen>unix:path=%s</listen><auth>EXTERNAL</auth>\n"
                        "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"false\"/>\n"
                        "<allow own=\"*\"/><allow user=\"*\"/><allow "
                        "receive_sender=\"*\"/></policy></busconfig>\n",
                        socket);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
        ck_assert_int_eq(pwrite_full(fd, text, strlen(text), 0), 0);
}

/* The socket is there a moment before somebody listens on it. */
static bool listens(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
        strcpy(address.sun_path, path);
        return connect(fd, (struct sockaddr *) &address, sizeof(address)) >= 0;
}

pid_t private_bus_start(const char *dir) {
        _cleanup_free_ char *config = strprintf("%s/bus.conf", dir), *socket = strprintf("%s/bus", dir),
                            *option = strprintf("--config-file=%s/bus.conf", dir);
        pid_t pid;

        write_config(config, socket);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                execl("/usr/bin/dbus-daemon", "dbus-daemon", option, "--nofork", "--nopidfile", "--nosyslog",
                                NULL);
                _exit(127);
        }
        for (unsigned i = 0; !listens(socket); i++) {
                ck_assert_msg(i < 500 && waitpid(pid, NULL, WNOHANG) == 0, "dbus-daemon does not start");
                usleep(10 * 1000);
        }
        return pid;
}

void private_bus_stop(pid_t pid) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

sd_bus *private_bus_connect(const char *dir, sd_event *event) {
        _cleanup_free_ char *address = strprintf("unix:path=%s/bus", dir);
        sd_bus *bus;

        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_address(bus, address), 0);
        ck_assert_int_ge(sd_bus_set_bus_client(bus, true), 0);
        ck_assert_int_ge(sd_bus_start(bus), 0);
        ck_assert_int_ge(sd_bus_attach_event(bus, event, 0), 0);
        return bus;
}

typedef struct Answer {
        bool done;
        sd_bus_message *message;
} Answer;

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Answer *a = userdata;

        a->message = sd_bus_message_ref(m);
        a->done = true;
        return 0;
}

sd_bus_message *private_bus_call(sd_bus_message *m) {
        sd_bus *bus = sd_bus_message_get_bus(m);
        Answer answer = {};

        ck_assert_int_ge(sd_bus_call_async(bus, NULL, m, on_answer, &answer, 20 * USEC_PER_SEC), 0);
        while (!answer.done)
                ck_assert_int_ge(sd_event_run(sd_bus_get_event(bus), 20 * USEC_PER_SEC), 0);
        sd_bus_message_unref(m);
        return answer.message;
}
