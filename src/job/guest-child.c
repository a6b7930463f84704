/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/guest-child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "spec/job-fix.h"
#include "json/json-parse.h"

#define LINE_MAX_SIZE ((size_t) 1024 * 1024)
#define ERRORS_MAX ((size_t) 16 * 1024)
/* No step is without an event for so long: the longest ones are a check of a large file system, and a program
 * of the guest that makes its initramfs. Under emulation, the latter took 27 minutes on a busy machine. */
#define STEP_TIMEOUT (1800 * USEC_PER_SEC)
#define STEP_TIMEOUT_EMULATED (4 * STEP_TIMEOUT)
/* With less than that, QEMU stops its machine, for ever. */
#define SPACE_MIN ((uint64_t) 1024 * 1024)

static const struct {
        const char *step, *text;
} steps[] = {
        { "appliance", "Starting the appliance" },
        { "fs_repair", "Checking the guest's file systems" },
        { "inspect", "Inspecting the guest" },
        { "lvm_repair", "Fixing LVM" },
        { "offline_fix", "Fixing the guest's configuration" },
        { "boot_repair", "Fixing the boot loader" },
        { "initramfs_regenerate", "Fixing the initramfs" },
        { "selinux_prep", "Labeling files for SELinux" },
        { "write", "Writing the changes" },
};

typedef struct Listener {
        Attempt *attempt;
        const char *overlay; /* the file that grows */
        uint64_t weight;
        char *line;
        size_t size, allocated;
        char *errors;
        size_t errors_size, errors_allocated;
        usec_t heard; /* when the last event came */
        bool emulated; /* the appliance has no KVM */
        json_t *guest; /* the result */
} Listener;

static void listener_done(Listener *l) {
        free(l->line);
        free(l->errors);
        json_decref(l->guest);
}

static void on_progress(Listener *l, json_t *event) {
        const char *step = strempty(json_string_value(json_object_get(event, "step")));
        json_int_t percent = json_integer_value(json_object_get(event, "percent"));

        for (size_t i = 0; i < ELEMENTSOF(steps); i++)
                if (streq(steps[i].step, step))
                        report_part(&l->attempt->report, steps[i].text, (unsigned) CLAMP(percent, 0, 100),
                                        l->weight);
}

static const char *what_is_done(const Listener *l) {
        return l->attempt->plan->spec->operation == OPERATION_INSPECT ? "Inspecting" : "Fixing";
}

static int on_error(Listener *l, json_t *event) {
        const char *code = strempty(json_string_value(json_object_get(event, "code"))),
                   *message = strempty(json_string_value(json_object_get(event, "message")));
        size_t n = strlen(code);

        if (n == 0 || n > 64 || strspn(code, "abcdefghijklmnopqrstuvwxyz_") != n)
                code = "guest_failed";
        return attempt_fail(l->attempt, EIO, code, "%s the guest failed: %s", what_is_done(l), message);
}

static int on_line(Listener *l) {
        _cleanup_json_ json_t *event = NULL;
        _cleanup_free_ char *why = NULL;
        int r = json_parse_object(l->line, l->size, &event, &why);
        const char *kind = strempty(json_string_value(json_object_get(event, "event")));

        if (r < 0)
                return r == -EBADMSG ? attempt_fail(l->attempt, r, "guest_failed",
                                                       "hyper-guest sent an event that is no JSON: %s",
                                                       strna(why))
                                     : r;
        l->heard = now_monotonic();
        if (streq(kind, "progress"))
                on_progress(l, event);
        else if (streq(kind, "emulated"))
                l->emulated = true;
        else if (streq(kind, "error"))
                return on_error(l, event);
        else if (streq(kind, "result")) {
                json_decref(l->guest);
                l->guest = json_incref(json_object_get(event, "guest"));
        }
        return 0;
}

/* Events, a line each. 0 or negative errno. */
static int read_events(Listener *l, int fd) {
        char buf[4096];
        ssize_t n;

        while ((n = read(fd, buf, sizeof(buf))) > 0)
                for (ssize_t i = 0; i < n; i++) {
                        if (buf[i] == '\n') {
                                int r = on_line(l);
                                l->size = 0;
                                if (r < 0)
                                        return r;
                                continue;
                        }
                        if (l->size >= LINE_MAX_SIZE)
                                return attempt_fail(l->attempt, EBADMSG, "guest_failed",
                                                "hyper-guest sent an event that is too long");
                        if (!GREEDY_REALLOC(l->line, l->allocated, l->size + 1))
                                return -ENOMEM;
                        l->line[l->size++] = buf[i];
                }
        return 0;
}

/* What is over the maximum is dropped. */
static int read_errors(Listener *l, int fd) {
        char buf[4096];
        ssize_t n;

        while ((n = read(fd, buf, sizeof(buf))) > 0) {
                size_t take = MIN((size_t) n, ERRORS_MAX - l->errors_size);
                if (!GREEDY_REALLOC(l->errors, l->errors_allocated, l->errors_size + take + 1))
                        return -ENOMEM;
                memcpy(l->errors + l->errors_size, buf, take);
                l->errors_size += take;
                l->errors[l->errors_size] = 0;
        }
        return 0;
}

static int check_space(const Listener *l) {
        struct statvfs fs;

        if (!l->overlay || statvfs(l->overlay, &fs) < 0 || (uint64_t) fs.f_bavail * fs.f_frsize >= SPACE_MIN)
                return 0;
        return attempt_fail(l->attempt, ENOSPC, "no_space",
                        "Fixing the guest failed: the file system of %s is full. Free space there, then "
                        "submit the job again.",
                        l->overlay);
}

static int check_time(const Listener *l) {
        usec_t limit = l->emulated ? STEP_TIMEOUT_EMULATED : STEP_TIMEOUT;

        if (now_monotonic() <= l->heard + limit)
                return 0;
        return attempt_fail(l->attempt, ETIMEDOUT, NULL,
                        "%s the guest failed: a step took longer than %u seconds", what_is_done(l),
                        (unsigned) (limit / USEC_PER_SEC));
}

/* Until it has ended. */
static int listen_to(Listener *l, pid_t pid, int out_fd, int err_fd) {
        _cleanup_close_ int pid_fd = pidfd_open(pid, 0);
        int cancel_fd = l->attempt->cancel_fd, r;

        if (pid_fd < 0)
                return -errno;
        for (;;) {
                struct pollfd p[] = { { .fd = pid_fd, .events = POLLIN },
                        { .fd = cancel_fd, .events = POLLIN }, { .fd = out_fd, .events = POLLIN },
                        { .fd = err_fd, .events = POLLIN } };

                if (poll(p, ELEMENTSOF(p), 1000) < 0 && errno != EINTR)
                        return -errno;
                if (p[1].revents)
                        return -ECANCELED;
                r = read_events(l, out_fd);
                if (r >= 0)
                        r = read_errors(l, err_fd);
                if (r >= 0 && !p[0].revents)
                        r = check_space(l);
                if (r < 0 || p[0].revents)
                        return r;
                r = check_time(l);
                if (r < 0)
                        return r;
        }
}

static int send_orders(json_t *orders, int *ret_fd) {
        char *text = json_dumps(orders, JSON_COMPACT);
        _cleanup_close_ int fd = text ? memfd_create("orders", MFD_CLOEXEC) : -EBADF;
        int r = !text ? -ENOMEM : fd < 0 ? -errno : pwrite_full(fd, text, strlen(text), 0);

        free(text);
        if (r >= 0)
                *ret_fd = TAKE_FD(fd);
        return r;
}

static int spawn(json_t *orders, const ParserFiles *files, int out_fd, int err_fd, pid_t *ret) {
        static const char *const argv[] = { GUEST_PROGRAM, NULL };
        const ChildLimits limits = { .files = files };
        _cleanup_close_ int orders_fd = -EBADF;
        int r = send_orders(orders, &orders_fd);

        return r < 0 ? r : child_spawn(argv, &limits, orders_fd, out_fd, err_fd, ret);
}

static int check_end(Listener *l, int status) {
        if (l->errors_size > 0) {
                child_clean_text(l->errors);
                report_lines(&l->attempt->report, "hyper-guest", l->errors);
        }
        if (status == 0 && json_is_object(l->guest))
                return 0;
        int r = check_space(l);
        if (r < 0)
                return r;
        _cleanup_free_ char *how = child_status_text(status);
        return attempt_fail(l->attempt, EIO, "guest_failed", "%s the guest failed: hyper-guest %s",
                        what_is_done(l), strna(how));
}

int guest_child_run(Attempt *a, json_t *orders, const ParserFiles *files, uint64_t weight, json_t **ret) {
        const json_t *disk = json_array_get(json_object_get(orders, "disks"), 0);
        _cleanup_(listener_done) Listener l = { .attempt = a,
                .overlay = json_string_value(json_object_get(disk, "path")),
                .weight = weight,
                .heard = now_monotonic() };
        int out[2], err[2], status = 0, r;
        pid_t pid;

        if (pipe2(out, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int out_read = out[0];
        _cleanup_close_ int out_write = out[1];
        if (pipe2(err, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int err_read = err[0];
        _cleanup_close_ int err_write = err[1];
        if (fcntl(out_read, F_SETFL, O_NONBLOCK) < 0 || fcntl(err_read, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        r = spawn(orders, files, out_write, err_write, &pid);
        if (r < 0)
                return attempt_fail(a, r, r == -ENOENT ? "program_missing" : NULL, "Starting %s failed: %s",
                                GUEST_PROGRAM, strerror(-r));
        out_write = safe_close(out_write);
        err_write = safe_close(err_write);
        r = listen_to(&l, pid, out_read, err_read);
        if (r < 0) { /* its qemu dies with it */
                child_kill(pid);
                return r;
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        r = check_end(&l, status);
        if (r >= 0)
                *ret = TAKE_PTR(l.guest);
        return r;
}
