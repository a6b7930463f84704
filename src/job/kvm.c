/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/kvm.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "job/hosts-call.h"
#include "job/kvm-send.h"
#include "job/output-layout.h"
#include "job/part-directory.h"
#include "job/unit-fields.h"
#include "spec/job-result.h"
#include "spec/kvm-domain.h"
#include "spec/kvm-outcome.h"
#include "spec/vm-json.h"

/* In the directory of the job: what hyper-hostd said of the host. */
#define RECORD_TARGET "libvirt"

bool kvm_is_destination(const Attempt *a) {
        return a->plan->spec->destination.type == ENDPOINT_KVM;
}

bool kvm_is_remote(const Attempt *a) {
        return kvm_is_destination(a) && kvm_spec_is_remote(&a->plan->spec->destination.kvm);
}

/* --- before the copy ------------------------------------------------------------------------------- */

/* @vm is a document as in spec/vm.h, or NULL. */
static int make_domain(Attempt *a, const json_t *vm, size_t n_disks, KvmDomain **ret) {
        _cleanup_kvm_domain_ KvmDomain *d = new0(KvmDomain, 1);
        const JobEndpoint *e = &a->plan->spec->destination;

        if (!d)
                return -ENOMEM;
        d->job_id = strdup(a->plan->job_id);
        d->name = strdup(e->kvm.name);
        d->disks = new0(KvmDisk, MAX(n_disks, (size_t) 1));
        d->nic_model = e->kvm.nic_model ? strdup(e->kvm.nic_model) : NULL;
        if (!d->job_id || !d->name || !d->disks || (e->kvm.nic_model && !d->nic_model))
                return -ENOMEM;
        d->n_disks = n_disks;
        d->disk_bus = e->kvm.disk_bus;
        d->start = e->kvm.start && !a->plan->spec->parameters.boot_check; /* else afterwards */
        d->network_map = e->kvm.network_map ? json_incref(e->kvm.network_map) : NULL;
        for (unsigned i = 0; i < n_disks; i++) {
                d->disks[i].path = layout_path(e, i + 1);
                d->disks[i].format = strdup(disk_format_to_string((DiskFormat) e->format));
                if (!d->disks[i].path || !d->disks[i].format)
                        return -ENOMEM;
        }
        int r = vm_hardware_merge(vm, e->kvm.hardware, &d->vm);
        if (r == -EBADMSG)
                return attempt_fail(a, EINVAL, "unsupported",
                                "destination.hardware contradicts the hardware of the source, such as "
                                "cores_per_socket that does not divide cpus, or secure_boot without the "
                                "firmware \"efi\"");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

static int check_domain(Attempt *a, const KvmTarget *t, const json_t *vm) {
        _cleanup_kvm_domain_ KvmDomain *d = NULL;
        const KvmSpec *spec = &a->plan->spec->destination.kvm;
        size_t n_disks = json_array_size(json_object_get(vm, "disks"));
        _cleanup_free_ char *why = NULL;

        int r = make_domain(a, vm, MIN(MAX(n_disks, (size_t) 1), (size_t) PART_DISKS_MAX), &d);
        if (r < 0)
                return r;
        d->start = spec->start; /* also if that is later */
        if (spec->pool && !(d->pool = strdup(spec->pool)))
                return -ENOMEM;
        r = kvm_domain_check(d, t, &why);
        if (r >= 0 || !why)
                return r;
        return attempt_fail(a, r, r == -EEXIST ? "domain_exists" : "libvirt_refused",
                        "The domain %s cannot be defined: %s", d->name, why);
}

int kvm_prepare(Attempt *a) {
        _cleanup_kvm_target_ KvmTarget *t = NULL;
        _cleanup_free_ char *text = NULL, *error = NULL;

        if (!kvm_is_destination(a))
                return 0;
        const char *pool = a->plan->spec->destination.kvm.pool;
        int r = hosts_call(kvm_spec_uri(&a->plan->spec->destination.kvm), "DescribeTarget", strempty(pool),
                        &text, &error);
        if (r < 0)
                return attempt_fail(a, r, "libvirt_unavailable",
                                "Asking libvirt what it offers failed: %s. Is libvirtd running?",
                                error ? error : strerror(-r));
        r = kvm_target_decode(text, strlen(text), &t);
        if (r >= 0)
                r = write_file_atomic_at(a->directory_fd, RECORD_TARGET, text, strlen(text), 0644);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Recording what libvirt offers failed: %s", strerror(-r));
        return check_domain(a, t, NULL);
}

int kvm_check(Attempt *a, const VmHardware *vm) {
        _cleanup_json_ json_t *document = NULL;
        _cleanup_kvm_target_ KvmTarget *t = NULL;
        _cleanup_free_ char *text = NULL;

        if (!kvm_is_destination(a))
                return 0;
        int r = read_file_at(a->directory_fd, RECORD_TARGET, KVM_TARGET_MAX, &text, NULL);
        if (r >= 0)
                r = kvm_target_decode(text, strlen(text), &t);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Reading what libvirt offers failed: %s", strerror(-r));
        if (vm && !(document = vm_hardware_to_json(vm)))
                return -ENOMEM;
        return check_domain(a, t, document);
}

/* --- afterwards ------------------------------------------------------------------------------------ */

/* The disks have the names that follow from the plan. How many there are, and what the source's hardware is,
 * says the sandboxed half: that is data, and was decoded as such. */
int kvm_domain_of_result(Attempt *a, KvmDomain **ret, char **ret_error) {
        _cleanup_(job_result_freep) JobResult *result = NULL;

        int r = job_result_read(a->directory, &result);
        if (r < 0)
                return r;
        size_t n = json_array_size(result->outputs);
        if (n < 1 || n > PART_DISKS_MAX)
                return -EBADMSG;
        r = make_domain(a, result->vm, n, ret);
        if (r >= 0)
                r = kvm_domain_use_guest(*ret, result->guest);
        if (r < 0)
                *ret_error = a->message ? strdup(a->message) : NULL;
        return r;
}

int kvm_define(const Attempt *a, const KvmDomain *d, KvmOutcome **ret, char **ret_error) {
        _cleanup_free_ char *argument = NULL, *answer = NULL;
        _cleanup_json_ json_t *object = kvm_domain_to_json(d);

        argument = object ? json_dumps(object, JSON_COMPACT) : NULL;
        if (!argument)
                return -ENOMEM;
        int r = hosts_call(kvm_spec_uri(&a->plan->spec->destination.kvm), "DefineVm", argument, &answer,
                        ret_error);
        return r < 0 ? r : kvm_outcome_decode(answer, strlen(answer), ret);
}

static void tell(Attempt *a, const KvmOutcome *o) {
        STRV_FOREACH(w, o->warnings)
                report_note(&a->report, "%s", *w);
        if (o->error)
                report_note(&a->report, "The domain %s was %s: %s", o->name,
                                o->uuid ? "defined, but not started" : "not defined", o->error);
        else
                report_note(&a->report, "The domain %s with the UUID %s is defined%s", o->name, o->uuid,
                                o->running ? " and running" : "");
}

/* What is told of a domain that libvirt was not even asked to define. */
static KvmOutcome *outcome_of_error(const Attempt *a, const char *error) {
        _cleanup_kvm_outcome_ KvmOutcome *o = new0(KvmOutcome, 1);

        if (!o)
                return NULL;
        o->name = strdup(a->plan->spec->destination.kvm.name);
        o->error = strdup(error);
        return o->name && o->error ? TAKE_PTR(o) : NULL;
}

static int define_sent(Attempt *a, KvmDomain *d, KvmOutcome **ret, char **ret_error) {
        _cleanup_(kvm_sending_done) KvmSending s = {};
        int r = kvm_send(a, d, &s, ret_error);

        if (r >= 0)
                r = kvm_define(a, d, ret, ret_error);
        if (r >= 0 && (*ret)->uuid)
                return kvm_sent(a, d, &s, *ret);
        /* If libvirt has not answered, there may be a domain. */
        if (r >= 0 || !kvm_sent_all(a))
                kvm_withdraw(a, d);
        return r;
}

static int define_domain(Attempt *a, KvmOutcome **ret, char **ret_error) {
        _cleanup_kvm_domain_ KvmDomain *d = NULL;

        int r = kvm_domain_of_result(a, &d, ret_error);
        if (r < 0)
                return r;
        return kvm_is_remote(a) ? define_sent(a, d, ret, ret_error) : kvm_define(a, d, ret, ret_error);
}

static int define(Attempt *a) {
        _cleanup_kvm_outcome_ KvmOutcome *o = NULL;
        _cleanup_free_ char *error = NULL;

        a->report.phase = PHASE_FINALIZATION;
        int r = define_domain(a, &o, &error);
        if (r < 0 && r != -ENOMEM && !o)
                o = outcome_of_error(a, error ? error : strerror(-r));
        if (!o || !o->name || (!o->uuid && !o->error))
                return log_oom();
        tell(a, o);
        r = kvm_outcome_write(o, a->directory);
        report_sync(&a->report);
        return r < 0 ? log_error_errno(r, "Failed to record what became of the domain %s: %m", o->name) : 0;
}

static bool is_undefined(const Attempt *a) {
        return kvm_is_destination(a) && faccessat(a->directory_fd, JOB_MARK_PUBLISHED, F_OK, 0) >= 0 &&
                        faccessat(a->directory_fd, KVM_OUTCOME_FILE, F_OK, 0) < 0;
}

int verb_define(const char *directory) {
        _cleanup_attempt_ Attempt *a = NULL;
        int status = attempt_open(directory, &a) < 0 ? JOB_EXIT_FAILED : EXIT_SUCCESS;

        if (status == EXIT_SUCCESS && is_undefined(a) && define(a) < 0)
                status = JOB_EXIT_FAILED;
        unit_fields_forget(directory);
        return status;
}

/* Another "define" follows if all was sent, or unless it was stopped on request: after a power failure, for
 * example. */
static int end_define(Attempt *a) {
        _cleanup_kvm_outcome_ KvmOutcome *o = NULL;
        _cleanup_kvm_domain_ KvmDomain *d = NULL;
        _cleanup_free_ char *error = NULL;

        int r = kvm_domain_of_result(a, &d, &error);
        if (r < 0)
                return r;
        if (kvm_sent_all(a))
                return 0;
        kvm_withdraw(a, d);
        if (job_mark_is_set(a->directory, JOB_MARK_SEND_STOPPED) <= 0)
                return 0;
        o = outcome_of_error(a, "sending the disks was cancelled on request");
        return o ? kvm_outcome_write(o, a->directory) : -ENOMEM;
}

int verb_define_end(const char *directory) {
        _cleanup_attempt_ Attempt *a = NULL;

        if (attempt_open(directory, &a) < 0)
                return JOB_EXIT_FAILED;
        if (!kvm_is_remote(a) || !is_undefined(a))
                return EXIT_SUCCESS;
        int r = end_define(a);
        return r < 0 ? (log_error_errno(r, "Failed to end the sending of disks: %m"), JOB_EXIT_FAILED)
                     : EXIT_SUCCESS;
}
