/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "ctl/polkit-agent.h"

#define PKTTYAGENT "/usr/bin/pkttyagent"
#define READY_TIMEOUT_MSEC 5000

static pid_t agent_pid;

static void polkit_agent_close(void) {
        if (agent_pid <= 0)
                return;
        (void) kill(agent_pid, SIGTERM);
        (void) kill(agent_pid, SIGCONT);
        (void) waitpid(agent_pid, NULL, 0);
        agent_pid = 0;
}

/* With --fallback an agent of the desktop takes precedence. Without a session there can be none, and polkit
 * would not look at one that is a fallback, either. */
static const char *fallback_option(void) {
        return sd_pid_get_session(0, NULL) >= 0 ? "--fallback" : NULL;
}

/* In the child: asks through the terminal that is standard input. */
static void exec_agent(int notify_fd, pid_t parent) {
        char number[16];
        sigset_t none;

        sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL); /* ^C ends it */
        (void) snprintf(number, sizeof(number), "%d", notify_fd);
        /* Not left behind when hyperctl is killed. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
                _exit(1);
        (void) fcntl(notify_fd, F_SETFD, 0);
        execl(PKTTYAGENT, PKTTYAGENT, "--notify-fd", number, fallback_option(), (char *) NULL);
        _exit(1);
}

void polkit_agent_open(void) {
        _cleanup_close_ int read_fd = -EBADF, write_fd = -EBADF;
        pid_t parent = getpid(), pid;
        int fds[2];

        if (agent_pid > 0 || geteuid() == 0 || !isatty(STDIN_FILENO) || access(PKTTYAGENT, X_OK) < 0)
                return;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return;
        read_fd = fds[0];
        write_fd = fds[1];
        pid = fork();
        if (pid < 0)
                return;
        if (pid == 0)
                exec_agent(write_fd, parent);
        agent_pid = pid;
        (void) atexit(polkit_agent_close);
        write_fd = safe_close(write_fd);

        /* pkttyagent closes the descriptor when it is registered: only then may the first call be made. */
        (void) poll(&(struct pollfd){ .fd = read_fd, .events = POLLIN }, 1, READY_TIMEOUT_MSEC);
}
