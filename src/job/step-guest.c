/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/step-guest.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/appliance-slot.h"
#include "job/guest-child.h"
#include "job/guest-commit.h"
#include "spec/vm-json.h"

#define LUKS_KEYS_MAX ((size_t) 64 * 1024)
#define APPLIANCE STATEDIR "/appliance/current"

int step_guest_resume(Run *run) {
        json_t *guest = NULL;
        int r = guest_commit_resume(&run->conversion, &guest);

        if (r < 0 || !guest)
                return r;
        report_note(&run->attempt->report, "Going on where an earlier attempt ended: the guest is fixed");
        run->attempt->guest = guest;
        run->committing = true;
        return 0;
}

/* Those of the source, unless the domain is to have others. */
static int list_nics(Run *run, json_t **ret) {
        const JobEndpoint *e = &run->attempt->plan->spec->destination;
        _cleanup_json_ json_t *document = NULL, *nics = json_array();
        _cleanup_vm_ VmHardware *vm = NULL;

        if (run->source->vm && !(document = vm_hardware_to_json(run->source->vm)))
                return -ENOMEM;
        int r = vm_hardware_merge(document, e->type == ENDPOINT_KVM ? e->kvm.hardware : NULL, &vm);
        if (r < 0)
                return r;
        for (size_t i = 0; i < vm->n_nics; i++)
                if (json_array_append_new(nics,
                                    json_pack("{s:s?, s:i}", "mac", vm->nics[i].mac, "slot",
                                                    (int) vm->nics[i].slot)) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(nics);
        return 0;
}

/* The credential has a key on each line. */
static int read_luks_keys(Run *run, json_t **ret) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_free_ char *path = NULL, *text = NULL;
        _cleanup_json_ json_t *keys = json_array();
        size_t size = 0;

        path = strprintf("%s/parameters.luks_keys", strempty(directory));
        if (!path || !keys)
                return -ENOMEM;
        int r = isempty(directory) ? -ENOENT : read_file_at(AT_FDCWD, path, LUKS_KEYS_MAX, &text, &size);
        if (r < 0 && r != -ENOENT)
                return attempt_fail(run->attempt, r, NULL,
                                "Reading the credential parameters.luks_keys failed: %s", strerror(-r));
        for (const char *p = text; p && *p; p += strcspn(p, "\n"), p += *p == '\n')
                if (*p != '\n' && json_array_append_new(keys, json_stringn(p, strcspn(p, "\n"))) < 0)
                        return -EINVAL;
        if (text)
                explicit_bzero(text, size);
        *ret = TAKE_PTR(keys);
        return 0;
}

static int make_orders(Run *run, json_t *disks, const char *runtime, json_t **ret) {
        const JobSpec *spec = run->attempt->plan->spec;
        _cleanup_json_ json_t *nics = NULL, *keys = NULL;
        int r = list_nics(run, &nics);

        if (r >= 0)
                r = read_luks_keys(run, &keys);
        if (r < 0)
                return r;
        *ret = json_pack("{s:O, s:o, s:s?, s:O, s:O, s:b, s:b, s:s, s:I, s:s?, s:s, s:s}", "disks", disks,
                        "operations", job_fix_to_json(spec->parameters.fix), "root", spec->parameters.root,
                        "nics", nics, "luks_keys", keys, "force", spec->parameters.force, "native",
                        spec->parameters.method == INITRAMFS_NATIVE, "relabel",
                        job_relabel_to_string(spec->parameters.relabel), "memory",
                        (json_int_t) run->attempt->plan->appliance_memory, "virtio_win",
                        run->attempt->plan->virtio_win, "appliance", APPLIANCE, "runtime", runtime);
        return *ret ? 0 : -ENOMEM;
}

static int list_files(const Run *run, const char *runtime, ParserFiles *files) {
        static const char *const read[] = { STATEDIR "/appliance", "/proc", "/etc/alternatives" };
        static const char *const write[] = { "/dev/kvm" };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(read) && r >= 0; i++)
                r = strv_extend(&files->read, read[i]);
        for (size_t i = 0; i < ELEMENTSOF(write) && r >= 0; i++)
                r = strv_extend(&files->write, write[i]);
        if (r >= 0 && run->attempt->plan->virtio_win)
                r = strv_extend(&files->read, run->attempt->plan->virtio_win);
        return r < 0 ? r : strv_extend(&files->write, runtime);
}

int guest_run(Run *run, json_t *disks, ParserFiles *files, uint64_t weight) {
        _cleanup_free_ char *runtime = strprintf("%s/guest", run->attempt->runtime);
        _cleanup_json_ json_t *orders = NULL;
        _cleanup_close_ int slot = -EBADF;
        int r;

        if (!runtime)
                return -ENOMEM;
        if (mkdir(runtime, 0700) < 0 && errno != EEXIST)
                return attempt_fail(run->attempt, errno, NULL, "Making the directory %s failed: %s", runtime,
                                strerror(errno));
        files->programs = true;
        r = make_orders(run, disks, runtime, &orders);
        if (r >= 0)
                r = list_files(run, runtime, files);
        if (r >= 0)
                r = appliance_slot_wait(run->attempt, weight, &slot);
        return r < 0 ? r : guest_child_run(run->attempt, orders, files, weight, &run->attempt->guest);
}

static int fix_guest(Run *run) {
        _cleanup_json_ json_t *disks = NULL;
        _cleanup_parser_files_ ParserFiles files = {};
        uint64_t total = 0;
        int r;

        for (size_t i = 0; i < run->source->n_disks; i++)
                total += run->conversion.sizes[i];
        r = guest_overlays_make(&run->conversion, &disks);
        if (r >= 0)
                r = guest_overlays_files(&run->conversion, &files);
        return r < 0 ? r : guest_run(run, disks, &files, conversion_guest_work(&run->conversion, total));
}

void guest_report_changes(Run *run, const char *what) {
        json_t *warnings = json_object_get(run->attempt->guest, "warnings"), *warning;
        size_t i;

        report_note(&run->attempt->report, "%s: %zu changes, %zu warnings", what,
                        json_array_size(json_object_get(run->attempt->guest, "changes")),
                        json_array_size(warnings));
        json_array_foreach(warnings, i, warning)
                report_note(&run->attempt->report, "Guest: %s",
                                strna(json_string_value(json_object_get(warning, "message"))));
}

int step_guest(Run *run) {
        int r = 0;

        if (run->attempt->plan->spec->parameters.fix == 0)
                return 0;
        if (run->conversion.in_place)
                return attempt_fail(run->attempt, EOPNOTSUPP, "unsupported",
                                "parameters.fix is not supported for a block device: choose a file as the "
                                "destination");
        report_phase(&run->attempt->report, PHASE_GUEST, "Fixing the guest");
        if (!run->committing) {
                r = fix_guest(run);
                if (r < 0)
                        return r;
                guest_report_changes(run, "The guest was fixed");
                r = guest_commit_begin(&run->conversion, run->attempt->guest);
        }
        return r < 0 ? r : guest_commit_all(&run->conversion);
}
