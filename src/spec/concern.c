/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/concern.h"

#include <inttypes.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/vm.h"
#include "json/json-table.h"

#define SECTOR 512u
#define TEXT_MAX 1000u /* bytes */

static const struct {
        const char *code, *remedy;
} table[_CONCERN_MAX] = {
        [CONCERN_NO_DISKS] = { "no_disks",
                        "Check that it is the right one, and that the user of the source "
                        "may see its disks." },
        [CONCERN_DISK_SIZE] = { "disk_size", "Enlarge the disk by a whole number of sectors of 512 bytes." },
        [CONCERN_RDM_PHYSICAL] = { "rdm_physical", "Change it to virtual mode, or copy the LUN itself." },
        [CONCERN_SHARED_DISK] = { "shared_disk",
                        "Stop the other virtual machines, and set the sharing of "
                        "the disk to \"none\"." },
        [CONCERN_INDEPENDENT_DISK] = { "independent_disk",
                        "Have it shut down for the migration, "
                        "or make the disk dependent." },
        [CONCERN_CONSOLIDATION_NEEDED] = { "consolidation_needed",
                        "Consolidate its disks in vCenter "
                        "(Snapshots, Consolidate)." },
        [CONCERN_ENCRYPTED] = { "encrypted",
                        "Decrypt it in vCenter: set its storage policy to one without "
                        "encryption." },
        [CONCERN_TOO_MANY_DISKS] = { "too_many_disks", "Detach disks, and copy those on their own." },
        [CONCERN_TOO_MANY_NICS] = { "too_many_nics", "Remove network adapters that are not used." },
        [CONCERN_IMAGE_REFUSED] = { "image_refused",
                        "Check the image on the machine that has made it, and "
                        "export it again." },
        [CONCERN_DIFFERENCING] = { "differencing",
                        "Set parameters.chain to \"flatten\" to read it with the "
                        "images below it, or merge them first." },
        [CONCERN_DESTINATION_EXISTS] = { "destination_exists", "Choose another name." },

        [CONCERN_NO_SPACE] = { "no_space", "Choose another directory, or remove files." },
        [CONCERN_SUSPENDED] = { "suspended", "Resume it, and shut it down." },
        [CONCERN_TOOLS_NOT_RUNNING] = { "tools_not_running",
                        "Start VMware Tools in the guest, or shut it "
                        "down yourself." },
        [CONCERN_FIRMWARE] = { "firmware", "Set the firmware of the destination to \"bios\" or \"efi\"." },
        [CONCERN_TPM] = { "tpm",
                        "Have the recovery keys at hand, or suspend BitLocker before the "
                        "migration." },
        [CONCERN_PCI_DEVICE] = { "pci_device",
                        "Assign a device of the destination afterwards, if it is "
                        "needed." },
        [CONCERN_USB_DEVICE] = { "usb_device",
                        "Assign a device of the destination afterwards, if it is "
                        "needed." },
        [CONCERN_RDM] = { "rdm", "Make sure that there is enough space, and do not migrate it warm." },
        [CONCERN_TEMPLATE] = { "template", "Deploy a virtual machine from it, and migrate that." },
        [CONCERN_COMPRESSED] = { "compressed", "Unpack it first, to see its disks before the migration." },

        [CONCERN_RUNNING] = { "running", "Have it shut down for the migration, or migrate it warm." },
        [CONCERN_SNAPSHOTS] = { "snapshots", "Remove those that are not needed: reading is faster then." },
        [CONCERN_NOT_TRACKED] = { "not_tracked",
                        "Nothing is required: the first pass of a warm migration "
                        "enables it." },
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

int concern_add(json_t *concerns, ConcernCode code, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *shown = NULL;
        va_list ap;

        va_start(ap, format);
        text = vstrprintf(format, ap);
        va_end(ap);
        shown = text ? utf8_make_valid(text, strlen(text), TEXT_MAX) : NULL;
        return shown ? insert(concerns,
                                       json_pack("{s:s, s:s, s:s, s:s}", "severity", severity_of(code),
                                                       "code", table[code].code, "text", shown, "remedy",
                                                       table[code].remedy))
                     : -ENOMEM;
}

const char *concerns_error(const json_t *concerns) {
        const json_t *first = json_array_get(concerns, 0);

        return first && rank_of(first) == 0 ? json_string_value(json_object_get(first, "code")) : NULL;
}

/* --- virtual machines ------------------------------------------------------------------------------ */

static int add_if(bool condition, json_t *list, ConcernCode code, const char *text) {
        return condition ? concern_add(list, code, "%s", text) : 0;
}

static int of_disk(json_t *list, const ConcernVm *vm, const ConcernDisk *d) {
        const char *label = d->label ? d->label : "A disk";
        int r = 0;

        if (d->rdm_physical)
                r = concern_add(list, CONCERN_RDM_PHYSICAL,
                                "%s is a raw device mapping in physical mode, which vSphere does not read "
                                "for others",
                                label);
        else if (d->rdm)
                r = concern_add(list, CONCERN_RDM,
                                "%s is a raw device mapping: the whole LUN is copied, and its changes are "
                                "not tracked",
                                label);
        if (r >= 0 && d->shared)
                r = concern_add(list, CONCERN_SHARED_DISK,
                                "%s is shared with other virtual machines, which may write to it", label);
        if (r >= 0 && d->independent && vm->running)
                r = concern_add(list, CONCERN_INDEPENDENT_DISK,
                                "%s is independent, so that a snapshot of the running virtual machine does "
                                "not contain it",
                                label);
        if (r >= 0 && (d->size == 0 || d->size % SECTOR != 0))
                r = concern_add(list, CONCERN_DISK_SIZE,
                                "%s has %" PRIu64 " bytes, which is not a whole number of sectors", label,
                                d->size);
        return r;
}

static int of_disks(json_t *list, const ConcernVm *vm) {
        int r = add_if(vm->has_disks && vm->n_disks == 0, list, CONCERN_NO_DISKS, "It has no disks");

        if (r >= 0 && vm->n_disks > VM_DISKS_MAX)
                r = concern_add(list, CONCERN_TOO_MANY_DISKS, "It has %zu disks, at most %u are supported",
                                vm->n_disks, VM_DISKS_MAX);
        for (size_t i = 0; i < vm->n_disks && r >= 0; i++)
                r = of_disk(list, vm, &vm->disks[i]);
        return r;
}

static int of_devices(json_t *list, const ConcernVm *vm) {
        int r = 0;

        STRV_FOREACH(name, vm->pci_devices)
                if (r >= 0)
                        r = concern_add(list, CONCERN_PCI_DEVICE,
                                        "%s is a PCI device of its host, which is not migrated", *name);
        STRV_FOREACH(name, vm->usb_devices)
                if (r >= 0)
                        r = concern_add(list, CONCERN_USB_DEVICE,
                                        "%s is a USB device of another machine, which is not migrated",
                                        *name);
        if (r >= 0 && vm->n_nics > VM_NICS_MAX)
                r = concern_add(list, CONCERN_TOO_MANY_NICS,
                                "It has %zu network adapters, at most %u are supported", vm->n_nics,
                                VM_NICS_MAX);
        return r;
}

static int of_state(json_t *list, const ConcernVm *vm) {
        const struct {
                bool is;
                ConcernCode code;
                const char *text;
        } states[] = {
                { vm->consolidation_needed, CONCERN_CONSOLIDATION_NEEDED,
                                "Its disks need consolidation, since a snapshot was not removed completely" },
                { vm->encrypted, CONCERN_ENCRYPTED, "It is encrypted, and its disks cannot be read" },
                { vm->suspended, CONCERN_SUSPENDED,
                                "It is suspended: its memory is not migrated, and its guest starts as after "
                                "a power failure" },
                { vm->running && vm->tools_not_running, CONCERN_TOOLS_NOT_RUNNING,
                                "VMware Tools do not run in its guest, so that it cannot be asked to shut "
                                "down" },
                { vm->tpm, CONCERN_TPM,
                                "It has a virtual TPM, whose contents are not migrated: disk encryption that "
                                "depends on it asks for a recovery key" },
                { vm->is_template, CONCERN_TEMPLATE, "It is a template" },
                { vm->running, CONCERN_RUNNING,
                                "It is running: what it writes after the migration has begun is not in the "
                                "copy" },
                { vm->not_tracked, CONCERN_NOT_TRACKED,
                                "Its changed areas are not tracked, which a warm migration requires" },
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(states) && r >= 0; i++)
                r = add_if(states[i].is, list, states[i].code, states[i].text);
        return r;
}

void concerns_shorten(json_t *concerns) {
        for (size_t n = json_array_size(concerns); n > 0 && rank_of(json_array_get(concerns, n - 1)) == 2;
                        n--)
                (void) json_array_remove(concerns, n - 1);
}

int concerns_add_vm(json_t *concerns, const ConcernVm *vm) {
        int r = of_disks(concerns, vm);

        if (r >= 0)
                r = of_devices(concerns, vm);
        if (r >= 0)
                r = of_state(concerns, vm);
        if (r >= 0 && vm->firmware && vm_firmware_from_string(vm->firmware) < 0)
                r = concern_add(concerns, CONCERN_FIRMWARE, "Its firmware is \"%s\", which is not supported",
                                vm->firmware);
        if (r >= 0 && vm->snapshots > 0)
                r = concern_add(concerns, CONCERN_SNAPSHOTS,
                                "It has snapshots (%u): only its current state is migrated", vm->snapshots);
        return r;
}
