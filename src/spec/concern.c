/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/concern.h"

#include <inttypes.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/vm.h"
#include "json/json-table.h"

#define SECTOR 512u
#define TEXT_MAX 1000u /* bytes */

static const struct {
        const char *code, *text, *remedy;
} table[_CONCERN_MAX] = {
        [CONCERN_NO_DISKS] = { "no_disks", "It has no disks",
                        "Check that it is the right one, and that the user of the source may see its "
                        "disks." },
        [CONCERN_DISK_SIZE] = { "disk_size", "$0 has $1 bytes, which is not a whole number of sectors",
                        "Enlarge the disk by a whole number of sectors of 512 bytes." },
        [CONCERN_RDM_PHYSICAL] = { "rdm_physical",
                        "$0 is a raw device mapping in physical mode, which vSphere does not read for others",
                        "Change it to virtual mode, or copy the LUN itself." },
        [CONCERN_SHARED_DISK] = { "shared_disk",
                        "$0 is shared with other virtual machines, which may write to it",
                        "Stop the other virtual machines, and set the sharing of the disk to \"none\"." },
        [CONCERN_INDEPENDENT_DISK] = { "independent_disk",
                        "$0 is independent, so that a snapshot of the running virtual machine does "
                        "not contain it",
                        "Have it shut down for the migration, or make the disk dependent." },
        [CONCERN_CONSOLIDATION_NEEDED] = { "consolidation_needed",
                        "Its disks need consolidation, since a snapshot was not removed completely",
                        "Consolidate its disks in vCenter (Snapshots, Consolidate)." },
        [CONCERN_ENCRYPTED] = { "encrypted", "It is encrypted, and its disks cannot be read",
                        "Decrypt it in vCenter: set its storage policy to one without encryption." },
        [CONCERN_DISK_ENCRYPTED] = { "disk_encrypted", "$0 is encrypted by its host, and cannot be read",
                        "Decrypt it with \"qemu-img convert\" first." },
        [CONCERN_DISK_KIND] = { "disk_kind", "$0 is neither a file nor a block device, but $1",
                        "Copy it to a file first, or export it with an NBD server." },
        [CONCERN_OTHER_MACHINE] = { "other_machine", "Its disks are on another machine: $0",
                        "Migrate it with hyper on that machine, or export its disks with an NBD server." },
        [CONCERN_IN_USE] = { "in_use", "It is running: its disks are in use, and are not read meanwhile",
                        "Shut it down first." },
        [CONCERN_TOO_MANY_DISKS] = { "too_many_disks", "It has $0 disks, at most $1 are supported",
                        "Detach disks, and copy those on their own." },
        [CONCERN_TOO_MANY_NICS] = { "too_many_nics", "It has $0 network adapters, at most $1 are supported",
                        "Remove network adapters that are not used." },
        [CONCERN_IMAGE_REFUSED] = { "image_refused", "$0: $1",
                        "Check the image on the machine that has made it, and export it again." },
        [CONCERN_DIFFERENCING] = { "differencing", "$0 is on top of another image ($1)",
                        "Set parameters.chain to \"flatten\" to read it with the images below it, or "
                        "merge them first." },
        [CONCERN_DESTINATION_EXISTS] = { "destination_exists", "$0 exists already, and is not replaced",
                        "Choose another name." },

        [CONCERN_NO_SPACE] = { "no_space",
                        "The disk has $0, but only $1 are free: it fits only if enough of it is empty",
                        "Choose another directory, or remove files." },
        [CONCERN_SUSPENDED] = { "suspended",
                        "It is suspended: its memory is not migrated, and its guest starts as after a "
                        "power failure",
                        "Resume it, and shut it down." },
        [CONCERN_TOOLS_NOT_RUNNING] = { "tools_not_running",
                        "VMware Tools do not run in its guest, so that it cannot be asked to shut down",
                        "Start VMware Tools in the guest, or shut it down yourself." },
        [CONCERN_FIRMWARE] = { "firmware", "Its firmware is \"$0\", which is not supported",
                        "Set the firmware of the destination to \"bios\" or \"efi\"." },
        [CONCERN_TPM] = { "tpm",
                        "It has a virtual TPM, which is not migrated: encryption that uses it asks for a key",
                        "Have the recovery keys at hand, or suspend BitLocker before the migration." },
        [CONCERN_PCI_DEVICE] = { "pci_device", "$0 is a PCI device of its host, which is not migrated",
                        "Assign a device of the destination afterwards, if it is needed." },
        [CONCERN_USB_DEVICE] = { "usb_device",
                        "$0 is a USB device of another machine, which is not migrated",
                        "Assign a device of the destination afterwards, if it is needed." },
        [CONCERN_RDM] = { "rdm",
                        "$0 is a raw device mapping: the whole LUN is copied, and its changes are not "
                        "tracked",
                        "Make sure that there is enough space, and do not migrate it warm." },
        [CONCERN_TEMPLATE] = { "template", "It is a template",
                        "Deploy a virtual machine from it, and migrate that." },
        [CONCERN_COMPRESSED] = { "compressed",
                        "$0 is compressed ($1): what is in it is seen when it is migrated",
                        "Unpack it first, to see its disks before the migration." },

        [CONCERN_RUNNING] = { "running",
                        "It is running: what it writes after the migration has begun is not in the copy",
                        "Have it shut down for the migration, or migrate it warm." },
        [CONCERN_SNAPSHOTS] = { "snapshots", "It has snapshots ($0): only its current state is migrated",
                        "Remove those that are not needed: reading is faster then." },
        [CONCERN_NOT_TRACKED] = { "not_tracked",
                        "Its changed areas are not tracked, which a warm migration requires",
                        "Nothing is required: the first pass of a warm migration enables it." },
};

static const char *severity_of(ConcernCode code) {
        return code < CONCERN_NO_SPACE ? "error" : code < CONCERN_RUNNING ? "warning" : "information";
}

/* Errors are 0. */
static int rank_of(const json_t *concern) {
        const char *severity = json_string_value(json_object_get(concern, "severity"));

        return streq_ptr(severity, "error") ? 0 : streq_ptr(severity, "warning") ? 1 : 2;
}

static int insert(json_t *concerns, json_t *concern) {
        size_t i = json_array_size(concerns);

        while (concern && i > 0 && rank_of(json_array_get(concerns, i - 1)) > rank_of(concern))
                i--;
        return json_array_insert_new(concerns, i, concern) < 0 ? -ENOMEM : 0;
}

/* @text with the parameters, as UTF-8 that is not too long; NULL without memory. */
static char *fill(const char *text, const char *const *parameters) {
        _cleanup_free_ char *filled = NULL;
        size_t n = 0, size;
        FILE *f = open_memstream(&filled, &size);

        if (!f)
                return NULL;
        while (parameters[n])
                n++;
        for (const char *p = text; *p; p++)
                if (p[0] != '$')
                        (void) fputc(*p, f);
                else if ((size_t) (*++p - '0') < n)
                        (void) fputs(parameters[*p - '0'], f);
        return fclose(f) == 0 ? utf8_make_valid(filled, size, TEXT_MAX) : NULL;
}

static json_t *list_of(const char *const *parameters) {
        _cleanup_json_ json_t *list = json_array();

        for (; list && *parameters; parameters++) {
                _cleanup_free_ char *shown = utf8_make_valid(*parameters, strlen(*parameters), TEXT_MAX);

                if (!shown || json_array_append_new(list, json_string(shown)) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

int concern_add_strv(json_t *concerns, ConcernCode code, const char *const *parameters) {
        _cleanup_free_ char *text = fill(table[code].text, parameters);
        json_t *list = list_of(parameters);

        return text && list ? insert(concerns,
                                              json_pack("{s:s, s:s, s:s, s:s, s:o}", "severity",
                                                              severity_of(code), "code", table[code].code,
                                                              "text", text, "remedy", table[code].remedy,
                                                              "parameters", list))
                            : (json_decref(list), -ENOMEM);
}

const char *concerns_error(const json_t *concerns) {
        const json_t *first = json_array_get(concerns, 0);

        return first && rank_of(first) == 0 ? json_string_value(json_object_get(first, "code")) : NULL;
}

/* --- virtual machines ------------------------------------------------------------------------------ */

#define NUMBER_SIZE 32u

static const char *number(char buffer[static NUMBER_SIZE], uint64_t n) {
        (void) snprintf(buffer, NUMBER_SIZE, "%" PRIu64, n);
        return buffer;
}

static int add_if(bool condition, json_t *list, ConcernCode code) {
        return condition ? concern_add(list, code) : 0;
}

static int of_disk(json_t *list, const ConcernVm *vm, const ConcernDisk *d) {
        const char *label = d->label ? d->label : "A disk";
        char size[NUMBER_SIZE];
        int r = 0;

        const struct {
                bool is;
                ConcernCode code;
                const char *more;
        } facts[] = {
                { d->rdm_physical, CONCERN_RDM_PHYSICAL },
                { d->rdm && !d->rdm_physical, CONCERN_RDM },
                { d->shared, CONCERN_SHARED_DISK },
                { d->independent && vm->running, CONCERN_INDEPENDENT_DISK },
                { d->encrypted, CONCERN_DISK_ENCRYPTED },
                { d->kind, CONCERN_DISK_KIND, d->kind },
                { d->parent, CONCERN_DIFFERENCING, d->parent },
                { !d->size_unknown && (d->size == 0 || d->size % SECTOR != 0), CONCERN_DISK_SIZE,
                                number(size, d->size) },
        };
        for (size_t i = 0; i < ELEMENTSOF(facts) && r >= 0; i++)
                if (facts[i].is)
                        r = concern_add(list, facts[i].code, label, facts[i].more);
        return r;
}

/* Those of which there are too many. */
static int of_number(json_t *list, ConcernCode code, size_t n, size_t max) {
        char there[NUMBER_SIZE], most[NUMBER_SIZE];

        return n > max ? concern_add(list, code, number(there, n), number(most, max)) : 0;
}

static int of_disks(json_t *list, const ConcernVm *vm) {
        int r = add_if(vm->has_disks && vm->n_disks == 0, list, CONCERN_NO_DISKS);

        if (r >= 0)
                r = of_number(list, CONCERN_TOO_MANY_DISKS, vm->n_disks, VM_DISKS_MAX);
        for (size_t i = 0; i < vm->n_disks && r >= 0; i++)
                r = of_disk(list, vm, &vm->disks[i]);
        return r;
}

static int of_devices(json_t *list, const ConcernVm *vm) {
        int r = 0;

        STRV_FOREACH(name, vm->pci_devices)
                if (r >= 0)
                        r = concern_add(list, CONCERN_PCI_DEVICE, *name);
        STRV_FOREACH(name, vm->usb_devices)
                if (r >= 0)
                        r = concern_add(list, CONCERN_USB_DEVICE, *name);
        return r < 0 ? r : of_number(list, CONCERN_TOO_MANY_NICS, vm->n_nics, VM_NICS_MAX);
}

static int of_state(json_t *list, const ConcernVm *vm) {
        const struct {
                bool is;
                ConcernCode code;
        } states[] = {
                { vm->in_use, CONCERN_IN_USE },
                { vm->consolidation_needed, CONCERN_CONSOLIDATION_NEEDED },
                { vm->encrypted, CONCERN_ENCRYPTED },
                { vm->suspended, CONCERN_SUSPENDED },
                { vm->running && vm->tools_not_running, CONCERN_TOOLS_NOT_RUNNING },
                { vm->tpm, CONCERN_TPM },
                { vm->is_template, CONCERN_TEMPLATE },
                { vm->running, CONCERN_RUNNING },
                { vm->not_tracked, CONCERN_NOT_TRACKED },
        };
        int r = vm->other_machine ? concern_add(list, CONCERN_OTHER_MACHINE, vm->other_machine) : 0;

        for (size_t i = 0; i < ELEMENTSOF(states) && r >= 0; i++)
                r = add_if(states[i].is, list, states[i].code);
        return r;
}

void concerns_shorten(json_t *concerns) {
        for (size_t n = json_array_size(concerns); n > 0 && rank_of(json_array_get(concerns, n - 1)) == 2;
                        n--)
                (void) json_array_remove(concerns, n - 1);
}

int concerns_add_vm(json_t *concerns, const ConcernVm *vm) {
        char snapshots[NUMBER_SIZE];
        int r = of_disks(concerns, vm);

        if (r >= 0)
                r = of_devices(concerns, vm);
        if (r >= 0)
                r = of_state(concerns, vm);
        if (r >= 0 && vm->firmware && vm_firmware_from_string(vm->firmware) < 0)
                r = concern_add(concerns, CONCERN_FIRMWARE, vm->firmware);
        if (r >= 0 && vm->snapshots > 0)
                r = concern_add(concerns, CONCERN_SNAPSHOTS, number(snapshots, vm->snapshots));
        return r;
}
