/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/kvm-boot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "job/hosts-call.h"
#include "job/kvm-send.h"
#include "job/kvm.h"
#include "job/part-directory.h"
#include "spec/job-result.h"
#include "spec/kvm-boot.h"
#include "spec/kvm-outcome.h"

/* One file for each job, which systemd-tmpfiles removes. */
#define SCREENSHOTS STATEDIR "/screenshots"
#define SCREENSHOT_MAX ((off_t) 64 * 1024 * 1024)

/* --- what is left ---------------------------------------------------------------------------------- */

static const char *uri_of(const Attempt *a) {
        return kvm_spec_uri(&a->plan->spec->destination.kvm);
}

/* Takes @path; NULL: out of memory. */
static int remove_file(char *path) {
        _cleanup_free_ char *owned = path;

        if (!owned)
                return -ENOMEM;
        if (unlink(owned) < 0 && errno != ENOENT)
                log_warning_errno(errno, "Failed to remove %s: %m", owned);
        return 0;
}

static int remove_volume(Attempt *a, const KvmDisk *disk, const char *name, char **ret_error) {
        _cleanup_free_ char *volume = strprintf("%s.TRANSIENT-%s", kvm_volume_name(disk), name);

        return volume ? kvm_remove_volume(a, volume, ret_error) : -ENOMEM;
}

/* libvirt removes its overlays, unless it was killed together with QEMU. */
static int remove_overlays(Attempt *a, const KvmDomain *d, const char *name, char **ret_error) {
        int r = 0;

        for (size_t i = 0; i < d->n_disks && r >= 0; i++)
                r = kvm_is_remote(a) ? remove_volume(a, &d->disks[i], name, ret_error)
                                     : remove_file(strprintf("%s.TRANSIENT-%s", d->disks[i].path, name));
        return r;
}

static int end_check(Attempt *a, const KvmDomain *d, char **ret_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *name = kvm_boot_domain_name(d->job_id);

        if (!name)
                return -ENOMEM;
        int r = hosts_call_once(uri_of(a), "EndBootCheck", d->job_id, NULL, &reply, ret_error);
        return r < 0 ? r : remove_overlays(a, d, name, ret_error);
}

/* --- the proof ------------------------------------------------------------------------------------- */

static int copy_screenshot(int from, const char *name) {
        _cleanup_close_ int directory = -EBADF;
        _cleanup_free_ void *data = NULL;
        struct stat st;

        if (mkdir(SCREENSHOTS, 0750) < 0 && errno != EEXIST)
                return -errno;
        directory = open(SCREENSHOTS, O_DIRECTORY | O_CLOEXEC);
        if (directory < 0 || fstat(from, &st) < 0)
                return -errno;
        if (st.st_size < 1 || st.st_size > SCREENSHOT_MAX)
                return -EFBIG;
        data = malloc((size_t) st.st_size);
        int r = data ? pread_full(from, data, (size_t) st.st_size, 0) : -ENOMEM;
        return r < 0 ? r : write_file_atomic_at(directory, name, data, (size_t) st.st_size, 0640);
}

/* Without it, there is still the console. */
static int keep_screenshot(sd_bus_message *reply, const char *job_id, KvmBoot *b) {
        _cleanup_free_ char *name = strprintf("%s.png", job_id);
        int fd, r = sd_bus_message_enter_container(reply, 'a', "h");

        if (r >= 0)
                r = sd_bus_message_read(reply, "h", &fd);
        if (r <= 0)
                return r;
        r = name ? copy_screenshot(fd, name) : -ENOMEM;
        if (r < 0) {
                log_warning_errno(r, "The screenshot cannot be kept: %m");
                return r == -ENOMEM ? r : 0;
        }
        b->screenshot = strprintf(SCREENSHOTS "/%s", name);
        return b->screenshot ? 0 : -ENOMEM;
}

static int read_reply(sd_bus_message *reply, const char *job_id, KvmBoot **ret) {
        _cleanup_kvm_boot_ KvmBoot *b = NULL;
        const char *text;

        int r = sd_bus_message_read(reply, "s", &text);
        if (r >= 0)
                r = kvm_boot_decode(text, strlen(text), &b);
        if (r >= 0)
                r = keep_screenshot(reply, job_id, b);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b);
        return 0;
}

static int check_once(
                Attempt *a, const KvmDomain *d, const char *argument, KvmBoot **ret, char **ret_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        uint32_t limit = a->plan->spec->parameters.boot_timeout;

        int r = end_check(a, d, ret_error);
        if (r >= 0)
                r = hosts_call_once(uri_of(a), "CheckBoot", argument, &limit, &reply, ret_error);
        return r < 0 ? r : read_reply(reply, d->job_id, ret);
}

/* libvirtd or hyper-hostd may be restarted meanwhile: then it begins again. */
static int check(Attempt *a, const KvmDomain *d, KvmBoot **ret) {
        _cleanup_json_ json_t *object = kvm_domain_to_json(d);
        _cleanup_free_ char *argument = object ? json_dumps(object, JSON_COMPACT) : NULL, *error = NULL,
                            *message = NULL;
        unsigned n = 0;
        int r;

        if (!argument)
                return -ENOMEM;
        do
                r = check_once(a, d, argument, ret, &error);
        while (hosts_call_again(n++, r, &error));
        if (r >= 0 || r == -ENOMEM)
                return r;
        message = strprintf("it could not be started to see that: %s", error ? error : strerror(-r));
        *ret = message ? kvm_boot_new(KVM_BOOTS_UNKNOWN, message) : NULL;
        return *ret ? 0 : -ENOMEM;
}

/* --- afterwards ------------------------------------------------------------------------------------ */

static void tell(Attempt *a, const char *name, const KvmBoot *b) {
        static const char *const words[_KVM_BOOTS_MAX] = {
                [KVM_BOOTS_YES] = "boots",
                [KVM_BOOTS_NO] = "does not boot",
                [KVM_BOOTS_UNKNOWN] = "may boot or not",
        };

        report_note(&a->report, "The domain %s %s: %s", name, words[b->boots], b->message);
        if (b->screenshot)
                report_note(&a->report, "Its screen is in %s", b->screenshot);
}

/* Now that the domain is defined, this only starts it. */
static int start(Attempt *a, KvmDomain *d, KvmOutcome *o) {
        _cleanup_kvm_outcome_ KvmOutcome *started = NULL;
        _cleanup_free_ char *error = NULL;

        d->start = true;
        int r = kvm_define(a, d, &started, &error);
        if (r == -ENOMEM)
                return r;
        o->running = started && started->running;
        if (r < 0)
                o->error = error ? TAKE_PTR(error) : strdup(strerror(-r));
        else if (started->error)
                o->error = TAKE_PTR(started->error);
        if (o->error)
                report_note(&a->report, "The domain %s is not started: %s", o->name, o->error);
        else
                report_note(&a->report, "The domain %s is running", o->name);
        return kvm_outcome_write(o, a->directory);
}

/* Its disks are where @o says, if they were sent to another host. */
static int find_domain(Attempt *a, const KvmOutcome *o, KvmDomain **ret, char **ret_error) {
        _cleanup_kvm_domain_ KvmDomain *d = NULL;
        int r = kvm_domain_of_result(a, &d, ret_error);

        if (r >= 0 && kvm_is_remote(a) && strv_length(o->disks) != d->n_disks)
                r = -EBADMSG;
        for (size_t i = 0; r >= 0 && kvm_is_remote(a) && i < d->n_disks; i++)
                r = free_and_strdup(&d->disks[i].path, o->disks[i]);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

static int boot(Attempt *a, KvmOutcome *o) {
        _cleanup_kvm_boot_ KvmBoot *b = NULL;
        _cleanup_kvm_domain_ KvmDomain *d = NULL;
        _cleanup_free_ char *error = NULL;

        a->report.phase = PHASE_FINALIZATION;
        int r = find_domain(a, o, &d, &error);
        if (r >= 0)
                r = job_mark_set(a->directory, JOB_MARK_BOOTING);
        if (r < 0)
                return log_error_errno(r, "Failed to prepare the proof of boot: %m");
        report_note(&a->report,
                        "Starting the hardware of the domain %s on unchanged disks, to see whether it boots",
                        o->name);
        r = check(a, d, &b);
        if (r >= 0)
                r = end_check(a, d, &error);
        if (r < 0 && !b)
                return log_error_errno(r, "Failed to see whether the domain %s boots: %m", o->name);
        tell(a, o->name, b);
        /* The outcome of the start comes first: once the proof is recorded, all is done. */
        r = b->boots != KVM_BOOTS_NO && a->plan->spec->destination.kvm.start ? start(a, d, o) : 0;
        if (r >= 0)
                r = kvm_boot_write(b, a->directory);
        report_sync(&a->report);
        return r < 0 ? log_error_errno(r, "Failed to record whether the domain %s boots: %m", o->name) : 0;
}

int verb_boot(const char *directory) {
        _cleanup_kvm_outcome_ KvmOutcome *o = NULL;
        _cleanup_attempt_ Attempt *a = NULL;

        if (attempt_open(directory, &a) < 0)
                return JOB_EXIT_FAILED;
        if (!kvm_is_destination(a) || !a->plan->spec->parameters.boot_check ||
                        faccessat(a->directory_fd, KVM_BOOT_FILE, F_OK, 0) >= 0 ||
                        kvm_outcome_read(directory, &o) < 0 || o->error)
                return EXIT_SUCCESS;
        return boot(a, o) < 0 ? JOB_EXIT_FAILED : EXIT_SUCCESS;
}

int verb_boot_end(const char *directory) {
        _cleanup_kvm_outcome_ KvmOutcome *o = NULL;
        _cleanup_kvm_domain_ KvmDomain *d = NULL;
        _cleanup_attempt_ Attempt *a = NULL;
        _cleanup_free_ char *error = NULL;
        unsigned n = 0;
        int r;

        if (attempt_open(directory, &a) < 0)
                return JOB_EXIT_FAILED;
        if (job_mark_is_set(directory, JOB_MARK_BOOTING) <= 0 ||
                        faccessat(a->directory_fd, KVM_BOOT_FILE, F_OK, 0) >= 0)
                return EXIT_SUCCESS;
        r = kvm_outcome_read(directory, &o);
        if (r >= 0)
                r = find_domain(a, o, &d, &error);
        if (r < 0)
                return JOB_EXIT_FAILED;
        do
                r = end_check(a, d, &error);
        while (hosts_call_again(n++, r, &error));
        if (r < 0)
                log_error("Failed to end the proof of boot: %s", strempty(error));
        return r < 0 ? JOB_EXIT_FAILED : EXIT_SUCCESS;
}
