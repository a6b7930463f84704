/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/kvm.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "guest/appliance.h"
#include "spec/job-file.h"

#define QEMU "/usr/bin/qemu-system-x86_64"
#define LAUNCH_PERCENT 40u
/* It takes a few. */
#define KVM_LAUNCH_SECONDS 120u
#define PID_FILE "qemu.pid"
/* Of the kernel in the appliance: what takes long under emulation, and protects nothing there. */
#define TCG_KERNEL "mitigations=off init_on_alloc=0 apparmor=0 audit=0"

/* Messages of the kernel in the appliance move the bar, too. */
static void on_progress(guestfs_h *g, void *userdata, uint64_t event, int handle, int flags, const char *buf,
                size_t size, const uint64_t *values, size_t n) {
        const char *step = userdata;

        if (n >= 4 && values[3] > 0)
                guest_progress(step, (unsigned) (LAUNCH_PERCENT * MIN(values[2], values[3]) / values[3]));
}

static int configure(Guest *guest) {
        const Orders *o = guest->orders;
        _cleanup_free_ char *self = realpath("/proc/self/exe", NULL);
        _cleanup_free_ char *sockets = strprintf("XDG_RUNTIME_DIR=%s", o->runtime);
        char *environment[] = { sockets, NULL };
        guestfs_h *g = guest->g;

        if (!self || !sockets)
                return -ENOMEM;
        guestfs_set_error_handler(g, NULL, NULL);
        (void) guestfs_set_recovery_proc(g, 0); /* qemu ends with us: see appliance_exec_qemu() */
        if (guestfs_parse_environment_list(g, environment) < 0 || guestfs_set_backend(g, "direct") < 0 ||
                        guestfs_set_path(g, o->appliance) < 0 || guestfs_set_tmpdir(g, o->runtime) < 0 ||
                        guestfs_set_cachedir(g, o->runtime) < 0 || guestfs_set_hv(g, self) < 0 ||
                        guestfs_set_memsize(g,
                                        (int) (o->memory > 0 ? o->memory : JOB_APPLIANCE_MEMORY_DEFAULT)) <
                                        0 ||
                        guestfs_set_network(g, 0) < 0 || guestfs_set_autosync(g, 1) < 0)
                return guest_fail_last(guest, "appliance_failed", "Setting up the appliance");
        if (!guest->kvm &&
                        (guestfs_set_backend_setting(g, "force_tcg", "1") < 0 ||
                                        guestfs_set_append(g, TCG_KERNEL) < 0))
                return guest_fail_last(guest, "appliance_failed", "Setting up the appliance");
        return 0;
}

static int add_disks(Guest *guest) {
        bool read_only = guest->orders->fix == 0;
        json_t *disk;
        size_t i;

        json_array_foreach(guest->orders->disks, i, disk)
                if (guestfs_add_drive_opts(guest->g, json_string_value(json_object_get(disk, "path")),
                                    GUESTFS_ADD_DRIVE_OPTS_FORMAT,
                                    json_string_value(json_object_get(disk, "format")),
                                    GUESTFS_ADD_DRIVE_OPTS_READONLY, read_only,
                                    GUESTFS_ADD_DRIVE_OPTS_CACHEMODE, read_only ? "writeback" : "unsafe",
                                    -1) < 0)
                        return guest_fail_last(guest, "appliance_failed", "Adding a disk");
        return 0;
}

/* Where KVM is nested, it may be there and not get on. While libguestfs waits, it does not say which process
 * is qemu. */
static char pid_path[PATH_MAX];

static void on_alarm(int signal) {
        char text[16] = "";
        int fd = open(pid_path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return;
        if (read(fd, text, sizeof(text) - 1) > 0 && atoi(text) > 1)
                (void) kill(atoi(text), SIGKILL);
        (void) close(fd);
}

static int name_pid_file(const char *directory) {
        return snprintf(pid_path, sizeof(pid_path), "%s/" PID_FILE, directory) < (int) sizeof(pid_path)
                        ? 0
                        : -ENAMETOOLONG;
}

static int launch(Guest *guest) {
        static char step[] = "appliance";

        guest_progress(step, 0);
        int handle = guestfs_set_event_callback(
                        guest->g, on_progress, GUESTFS_EVENT_PROGRESS, 0, (void *) step);
        if (guest->kvm) {
                if (signal(SIGALRM, on_alarm) == SIG_ERR)
                        return -errno;
                alarm(KVM_LAUNCH_SECONDS);
        } else
                guest_emulated();
        int k = guestfs_launch(guest->g);
        alarm(0);
        if (handle >= 0)
                guestfs_delete_event_callback(guest->g, handle);
        return k < 0 ? -EIO : 0;
}

static int start_with(Guest *guest, bool kvm) {
        int r;

        if (guest->g)
                guestfs_close(guest->g);
        guest->kvm = kvm;
        guest->g = guestfs_create_flags(GUESTFS_CREATE_NO_ENVIRONMENT);
        if (!guest->g)
                return -errno;
        r = configure(guest);
        if (r >= 0)
                r = add_disks(guest);
        return r < 0 ? r : launch(guest);
}

int appliance_start(Guest *guest) {
        bool kvm = kvm_works();
        int r = name_pid_file(guest->orders->runtime);

        if (r < 0)
                return r;
        /* Temporary files of qemu. */
        if (setenv("TMPDIR", guest->orders->runtime, 1) < 0)
                return -errno;
        r = start_with(guest, kvm);
        if (r == -EIO && kvm && !guest->message) {
                log_warning("The appliance does not start with KVM: it is emulated");
                r = start_with(guest, false);
        }
        return r == -EIO ? guest_fail_last(guest, "appliance_failed", "Starting the appliance") : r;
}

int appliance_stop(Guest *guest) {
        if (guestfs_umount_all(guest->g) < 0)
                return guest_fail_last(guest, "guest_write_failed", "Unmounting the guest's file systems");
        if (guestfs_shutdown(guest->g) < 0)
                return guest_fail_last(guest, "guest_write_failed", "Writing the changes to the disks");
        return 0;
}

/* --- the hypervisor -------------------------------------------------------------------------------- */

/* Without "accel=tcg" in "-machine accel=tcg,…". 1: it was there. */
static int cut_accelerator(const char *argument, char **ret) {
        _cleanup_strv_free_ char **kept = NULL;
        bool found = false;

        for (const char *p = argument; *p;) {
                size_t n = strcspn(p, ",");

                if (n == strlen("accel=tcg") && strncmp(p, "accel=tcg", n) == 0)
                        found = true;
                else if (strv_extendf(&kept, "%.*s", (int) n, p) < 0)
                        return -ENOMEM;
                p += n + (p[n] == ',');
        }
        if (!found)
                return 0;
        *ret = strv_join(kept, ",");
        return *ret ? 1 : -ENOMEM;
}

/* @tcg: so was that of an earlier argument. A processor with fast "rep movsb" makes the kernel copy and clear
 * pages byte by byte, which TCG does one after the other. 1: TCG was chosen. */
static int change_argument(const char *option, const char *argument, bool tcg, char **ret) {
        if (streq(option, "-machine"))
                return cut_accelerator(argument, ret);
        if (tcg && streq(option, "-cpu") && !(*ret = strprintf("%s,erms=off", argument)))
                return -ENOMEM;
        return 0;
}

/* For on_alarm(), in the directory that this process was told. */
static int write_pid_file(void) {
        char text[16];
        int r = name_pid_file(strempty(getenv("TMPDIR")));
        _cleanup_close_ int fd = r < 0 ? r : open(pid_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0)
                return -errno;
        snprintf(text, sizeof(text), "%d", getpid());
        return pwrite_full(fd, text, strlen(text), 0);
}

/* The unit has MemoryDenyWriteExecute=. With KVM, qemu has no need of such memory. TCG writes code at one
 * address and executes it at another one only with split-wx=on, for which libguestfs has no setting. And
 * qemu gets a filter of system calls of its own: no programs, no new rights. */
int appliance_exec_qemu(int argc, char *argv[]) {
        static char program[] = QEMU, accel[] = "-accel", tcg[] = "tcg,split-wx=on", sandbox[] = "-sandbox",
                    rules[] = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";
        char **args = new0(char *, (size_t) argc + 6);
        size_t n = 0;

        if (!args)
                return log_oom(), EXIT_FAILURE;
        args[n++] = program;
        args[n++] = sandbox;
        args[n++] = rules;
        bool split = false;
        for (int i = 1; i < argc; i++) {
                char *changed = NULL;
                int r = change_argument(argv[i - 1], argv[i], split, &changed);

                if (r < 0)
                        return log_oom(), EXIT_FAILURE;
                split = split || r > 0;
                args[n++] = changed ? changed : argv[i];
        }
        if (split) {
                args[n++] = accel;
                args[n++] = tcg;
        }
        (void) write_pid_file();
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                log_warning_errno(errno, "Failed to bind qemu to this process: %m");
        execv(program, args);
        log_error_errno(errno, "Failed to execute " QEMU ": %m");
        return EXIT_FAILURE;
}
