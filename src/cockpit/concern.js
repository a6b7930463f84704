// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Concerns in the language of the user. The texts are those of src/spec/concern.c, which decides what they
// are about: the bus passes the code and the parameters, and an English text for codes that are not here.

const cockpit = window.cockpit;
const _ = cockpit.gettext;

const TEXTS = {
    no_disks: [
        _("It has no disks"),
        _("Check that it is the right one, and that the user of the source may see its disks."),
    ],
    disk_size: [
        _("$0 has $1 bytes, which is not a whole number of sectors"),
        _("Enlarge the disk by a whole number of sectors of 512 bytes."),
    ],
    rdm_physical: [
        _("$0 is a raw device mapping in physical mode, which vSphere does not read for others"),
        _("Change it to virtual mode, or copy the LUN itself."),
    ],
    shared_disk: [
        _("$0 is shared with other virtual machines, which may write to it"),
        _("Stop the other virtual machines, and set the sharing of the disk to \"none\"."),
    ],
    independent_disk: [
        _("$0 is independent, so that a snapshot of the running virtual machine does not contain it"),
        _("Have it shut down for the migration, or make the disk dependent."),
    ],
    consolidation_needed: [
        _("Its disks need consolidation, since a snapshot was not removed completely"),
        _("Consolidate its disks in vCenter (Snapshots, Consolidate)."),
    ],
    encrypted: [
        _("It is encrypted, and its disks cannot be read"),
        _("Decrypt it in vCenter: set its storage policy to one without encryption."),
    ],
    disk_encrypted: [
        _("$0 is encrypted by its host, and cannot be read"),
        _("Decrypt it with \"qemu-img convert\" first."),
    ],
    disk_kind: [
        _("$0 is neither a file nor a block device, but $1"),
        _("Copy it to a file first, or export it with an NBD server."),
    ],
    other_machine: [
        _("Its disks are on another machine: $0"),
        _("Migrate it with hyper on that machine, or export its disks with an NBD server."),
    ],
    in_use: [
        _("It is running: its disks are in use, and are not read meanwhile"),
        _("Shut it down first."),
    ],
    too_many_disks: [
        _("It has $0 disks, at most $1 are supported"),
        _("Detach disks, and copy those on their own."),
    ],
    too_many_nics: [
        _("It has $0 network adapters, at most $1 are supported"),
        _("Remove network adapters that are not used."),
    ],
    image_refused: [
        _("$0: $1"),
        _("Check the image on the machine that has made it, and export it again."),
    ],
    differencing: [
        _("$0 is on top of another image ($1)"),
        _("Set parameters.chain to \"flatten\" to read it with the images below it, or merge them first."),
    ],
    destination_exists: [
        _("$0 exists already, and is not replaced"),
        _("Choose another name."),
    ],
    no_space: [
        _("The disk has $0, but only $1 are free: it fits only if enough of it is empty"),
        _("Choose another directory, or remove files."),
    ],
    suspended: [
        _("It is suspended: its memory is not migrated, and its guest starts as after a power failure"),
        _("Resume it, and shut it down."),
    ],
    tools_not_running: [
        _("VMware Tools do not run in its guest, so that it cannot be asked to shut down"),
        _("Start VMware Tools in the guest, or shut it down yourself."),
    ],
    firmware: [
        _("Its firmware is \"$0\", which is not supported"),
        _("Set the firmware of the destination to \"bios\" or \"efi\"."),
    ],
    tpm: [
        _("It has a virtual TPM, which is not migrated: encryption that uses it asks for a key"),
        _("Have the recovery keys at hand, or suspend BitLocker before the migration."),
    ],
    pci_device: [
        _("$0 is a PCI device of its host, which is not migrated"),
        _("Assign a device of the destination afterwards, if it is needed."),
    ],
    usb_device: [
        _("$0 is a USB device of another machine, which is not migrated"),
        _("Assign a device of the destination afterwards, if it is needed."),
    ],
    rdm: [
        _("$0 is a raw device mapping: the whole LUN is copied, and its changes are not tracked"),
        _("Make sure that there is enough space, and do not migrate it warm."),
    ],
    template: [
        _("It is a template"),
        _("Deploy a virtual machine from it, and migrate that."),
    ],
    compressed: [
        _("$0 is compressed ($1): what is in it is seen when it is migrated"),
        _("Unpack it first, to see its disks before the migration."),
    ],
    running: [
        _("It is running: what it writes after the migration has begun is not in the copy"),
        _("Have it shut down for the migration, or migrate it warm."),
    ],
    snapshots: [
        _("It has snapshots ($0): only its current state is migrated"),
        _("Remove those that are not needed: reading is faster then."),
    ],
    not_tracked: [
        _("Its changed areas are not tracked, which a warm migration requires"),
        _("Nothing is required: the first pass of a warm migration enables it."),
    ],
};

// [what it is, what to do about it]
export function concernTexts({ code, text, remedy, parameters }) {
    const known = TEXTS[code];
    return known && parameters ? [cockpit.format(known[0], ...parameters), known[1]] : [text, remedy];
}
