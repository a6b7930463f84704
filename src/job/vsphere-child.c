/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-child.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "job/failure.h"
#include "job/vsphere-session.h"
#include "job/vsphere-snapshot.h"
#include "vsphere/changes.h"
#include "vsphere/session.h"

#define NOBODY 65534
#define LOGOUT_TIME_MAX 5u

struct VsphereChild {
        const Attempt *attempt;
        pid_t pid;
        int fd;
};

typedef struct Order {
        VsphereTask task;
        unsigned time_max, patience;
        char since[64]; /* VSPHERE_POWER_ON: what the mark says */
} Order;

/* --- in the child ---------------------------------------------------------------------------------- */

static int give_up_rights(void) {
        if (geteuid() == 0 &&
                        (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                                        setresuid(NOBODY, NOBODY, NOBODY) < 0))
                return -errno;
        /* (A change of the user takes the second one back.) */
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno
                                                                                                  : 0;
}

/* Whose sessions may have been left behind. */
static const char *const note_files[] = { VSPHERE_SESSION_FILE, VSPHERE_CHILD_FILE };

/* The password and the notes are read, and the own note is opened, before the right to is given up. */
static int open_notes(VsphereSource *v, VsphereNoted *notes) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(note_files) && r >= 0; i++)
                r = vsphere_read_noted(v->attempt, note_files[i], &notes[i]);
        v->noted = vsphere_note_open(&v->note, v->attempt->directory_fd) >= 0;
        if (r >= 0)
                r = vsphere_prepare_login(v);
        return r < 0 ? r : give_up_rights();
}

static int begin(VsphereSource *v) {
        VsphereNoted notes[ELEMENTSOF(note_files)] = {};
        int r = open_notes(v, notes);

        for (size_t i = 0; i < ELEMENTSOF(note_files); i++) {
                if (r >= 0)
                        vsphere_end_noted(v, &notes[i]);
                vsphere_noted_done(&notes[i]);
        }
        return r;
}

static int log_in(VsphereSource *v) {
        int r = vsphere_login(v);

        return r < 0 ? r : vsphere_find(v);
}

static int read_power(VsphereSource *v, VmPower *ret) {
        int r = vm_read_power(v->session, v->vm.summary.id, ret);

        return r < 0 ? vsphere_fail(v, r, "Reading the power state of %s", strna(v->vm.summary.name)) : 0;
}

static int disable_tracking(VsphereSource *v) {
        int r = v->vm.change_tracking ? changes_enable(v->session, v->vm.summary.id, false) : 0;

        return r < 0 ? vsphere_fail(v, r, "Disabling changed block tracking of %s",
                                       strna(v->vm.summary.name))
                     : 0;
}

/* It may have been off meanwhile, so that nothing is left to wait for. */
static int was_powered_on_since(VsphereSource *v, const char *since) {
        _cleanup_free_ char *now = NULL;

        if (isempty(since))
                return 0;
        int r = vm_read_boot_time(v->session, v->vm.summary.id, &now);
        if (r < 0)
                return vsphere_fail(v, r, "Reading when %s was powered on", strna(v->vm.summary.name));
        if (isempty(now) || streq(now, since))
                return 0;
        report_note(&v->attempt->report, "%s was powered on again by another client",
                        strna(v->vm.summary.name));
        return 1;
}

/* A guest that was asked to shut down may still be doing that. 1: it is off now. */
static int wait_for_shutdown(VsphereSource *v, unsigned patience) {
        const char *name = strna(v->vm.summary.name);

        if (patience == 0)
                return 0;
        report_note(&v->attempt->report,
                        "Waiting for %u seconds at most until the guest of %s has shut down", patience,
                        name);
        int r = vm_wait_power(v->session, v->vm.summary.id, VM_POWERED_OFF, patience * USEC_PER_SEC);
        if (r == -ETIMEDOUT) {
                report_note(&v->attempt->report, "The guest of %s has not shut down, and %s is left on",
                                name, name);
                return 0;
        }
        return r < 0 ? vsphere_fail(v, r, "Waiting until %s is off", name) : 1;
}

static int power_on(VsphereSource *v, const Order *o) {
        const char *name = strna(v->vm.summary.name);
        VmPower power;

        int r = read_power(v, &power);
        if (r >= 0 && power == VM_POWERED_ON) {
                r = was_powered_on_since(v, o->since);
                r = r != 0 ? MIN(r, 0) : wait_for_shutdown(v, o->patience);
        } else if (r >= 0)
                r = power == VM_POWERED_OFF;
        if (r <= 0)
                return r;
        r = vm_power_on(v->session, v->vm.summary.id);
        if (r < 0)
                return vsphere_fail(v, r, "Powering %s on again", name);
        report_note(&v->attempt->report,
                        "%s was powered on again, since the migration has ended without a result", name);
        return 0;
}

static int carry_out(VsphereSource *v, const Order *o) {
        VmPower power;
        int r;

        switch (o->task) {
        case VSPHERE_READ_POWER:
                r = read_power(v, &power);
                return r < 0 ? r : (int) power;
        case VSPHERE_REMOVE_SNAPSHOT:
                return vsphere_snapshot_remove_stale(v, o->patience);
        case VSPHERE_DISABLE_TRACKING:
                return disable_tracking(v);
        case VSPHERE_POWER_ON:
                return power_on(v, o);
        }
        return -EINVAL;
}

static bool answer(int fd, Attempt *a, int r) {
        VsphereReply reply = { .r = r };

        if (r < 0) {
                snprintf(reply.code, sizeof(reply.code), "%s",
                                a->code ? a->code : failure_code_from_errno(r));
                snprintf(reply.message, sizeof(reply.message), "%s", a->message ? a->message : strerror(-r));
        }
        a->code = mfree(a->code);
        a->message = mfree(a->message);
        return send(fd, &reply, sizeof(reply), MSG_NOSIGNAL) == sizeof(reply);
}

static void run_child(Attempt *a, int fd, unsigned time_max, bool login) {
        _cleanup_(vsphere_source_freep) VsphereSource *v = vsphere_source_new(a);
        Order o;

        alarm(time_max);
        int r = v ? begin(v) : -ENOMEM;
        if (r >= 0 && login)
                r = log_in(v);
        while (answer(fd, a, r) && v && v->session && recv(fd, &o, sizeof(o), 0) == sizeof(o)) {
                alarm(o.time_max);
                r = carry_out(v, &o);
                alarm(0);
        }
        alarm(LOGOUT_TIME_MAX);
        v = vsphere_source_free(v);
        report_sync(&a->report);
        _exit(EXIT_SUCCESS);
}

/* --- in the parent --------------------------------------------------------------------------------- */

/* What comes from there is text, and no more. */
static int receive(VsphereChild *c, VsphereReply *ret) {
        ssize_t n = recv(c->fd, ret, sizeof(*ret), 0);

        if (n != (ssize_t) sizeof(*ret)) {
                *ret = (VsphereReply){ .r = -ETIMEDOUT, .code = "timed_out" };
                snprintf(ret->message, sizeof(ret->message), "The server did not answer in time");
                return ret->r;
        }
        ret->code[sizeof(ret->code) - 1] = ret->message[sizeof(ret->message) - 1] = '\0';
        utf8_replace_control(ret->message, ' ');
        if (!utf8_is_valid(ret->message))
                snprintf(ret->message, sizeof(ret->message), "The server gave no reason");
        if (ret->code[strspn(ret->code, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
                snprintf(ret->code, sizeof(ret->code), "failed");
        return ret->r;
}

VsphereChild *vsphere_child_end(VsphereChild *c) {
        int status = -1;

        if (!c)
                return NULL;
        safe_close(c->fd);
        while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
                ;
        /* Otherwise, it has not ended its session. */
        if (status == 0)
                vsphere_unmark(c->attempt, VSPHERE_CHILD_FILE);
        return mfree(c);
}

static int start(Attempt *a, unsigned time_max, bool login, VsphereChild **ret, VsphereReply *ret_reply) {
        _cleanup_(vsphere_child_endp) VsphereChild *c = NULL;
        int pair[2];

        *ret_reply = (VsphereReply){ .r = -ENOMEM, .code = "out_of_memory" };
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return ret_reply->r = -errno;
        pid_t pid = fork();
        if (pid == 0) {
                safe_close(pair[0]);
                run_child(a, pair[1], time_max, login);
        }
        safe_close(pair[1]);
        c = pid > 0 ? new0(VsphereChild, 1) : NULL;
        if (!c) {
                safe_close(pair[0]);
                return ret_reply->r;
        }
        *c = (VsphereChild){ .attempt = a, .pid = pid, .fd = pair[0] };
        int r = receive(c, ret_reply);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

int vsphere_child_start(Attempt *a, unsigned time_max, VsphereChild **ret, VsphereReply *ret_reply) {
        return start(a, time_max, true, ret, ret_reply);
}

void vsphere_child_end_session(Attempt *a, unsigned time_max) {
        _cleanup_(vsphere_child_endp) VsphereChild *c = NULL;
        VsphereReply reply;

        (void) start(a, time_max, false, &c, &reply);
}

int vsphere_child_do(VsphereChild *c, VsphereTask task, unsigned time_max, unsigned patience,
                VsphereReply *ret_reply) {
        Order o = { .task = task, .time_max = time_max + patience, .patience = patience };
        _cleanup_free_ char *since = NULL;

        if (task == VSPHERE_POWER_ON &&
                        read_file_at(c->attempt->directory_fd, VSPHERE_OFF_MARK, sizeof(o.since) - 1, &since,
                                        NULL) >= 0)
                (void) snprintf(o.since, sizeof(o.since), "%s", since);
        (void) send(c->fd, &o, sizeof(o), MSG_NOSIGNAL);
        return receive(c, ret_reply);
}
